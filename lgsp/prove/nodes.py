"""The nodes under test: processes of this hub, started, killed, frozen and started again; each on its own port of loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUNDLE = Path(__file__).parent / "bundle"
CONSUMER = "VN/GOV/H00/prove"
PURPOSE = "prove"
SERVICES = ("prove", "neighbour")
PROBED = ("prove/1/keyed", "prove/1/unkeyed", "prove/1/trial", "neighbour/1/entries", "neighbour/1/once")
COMMAND = (sys.executable, "-m", "lgsp")
LEASE_MARGIN_S = 1.0
LEASE_S = 1.5 * 3 + LEASE_MARGIN_S
"""What the worker makes of the bundle's timeout_s: three times the total deadline and the margin."""
AT_WORK_SOCKETS = 4
"""The event loop's own pair, and connections to the database: what a worker holds once it works."""
START_S, STOP_S, COMMAND_S, RIGHT_S = 180.0, 40.0, 60.0, 10.0


class ProveError(Exception):
    """The crash test cannot go on; the text says why."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True, eq=False)
class Node:
    """One process: its command, its environment, where it listens (0: nowhere), what it prints to."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        """Start it; `listening` waits until it serves."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=dict(self.env), start_new_session=True
            )
        self.starts += 1

    @property
    def pid(self) -> int:
        """Of the running process."""
        return self.process.pid if self.process is not None else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process and no other."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    async def listening(self) -> None:
        """Wait until it serves; raises ProveError with the end of what it printed if it ends or takes too long."""
        until = time.monotonic() + START_S
        while time.monotonic() < until and self.alive:
            if self._serves():
                return
            await asyncio.sleep(0.05)
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ProveError(f"{self.name} does not listen on port {self.port}; it printed:\n{tail}")

    def _serves(self) -> bool:
        """Whether somebody listens; of a node without a door, whether it has its lines to database and broker."""
        with contextlib.suppress(OSError):
            if not self.port:
                fds = Path(f"/proc/{self.pid}/fd").iterdir()
                return sum(str(each.readlink()).startswith("socket:") for each in fds) >= AT_WORK_SOCKETS
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    async def stop(self, patience_s: float = STOP_S) -> float:
        """SIGTERM, and SIGKILL after `patience_s`; returns how many seconds the end took."""
        began = time.monotonic()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        while self.alive and time.monotonic() - began < patience_s:
            await asyncio.sleep(0.05)
        took_s = time.monotonic() - began
        self.kill()
        return took_s


@dataclass(slots=True)
class Hub:
    """All nodes of one hub, and a consumer that may call it."""

    nodes: list[Node]
    gateways: list[str]
    management: str
    password: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def operator(self) -> dict[str, str]:
        """The environment of whoever steers this hub by commands."""
        return outside() | {"LGSP_HUB": self.management, "LGSP_USER": "admin", "LGSP_PASSWORD": self.password}

    def of(self, *names: str) -> list[Node]:
        """The nodes whose name begins so; all of a one-process hub."""
        return [node for node in self.nodes if node.name == "hub" or node.name.startswith(names)]

    async def start(self) -> None:
        """Start every node that is not running, all at once: one of them brings the schema up to date, the others wait for it."""
        for node in self.nodes:
            if not node.alive:
                node.start()
        await asyncio.gather(*(node.listening() for node in self.nodes))

    async def stop(self) -> None:
        """End every node."""
        await asyncio.gather(*(node.stop() for node in self.nodes))

    async def admit(self) -> None:
        """A consumer with its rights and a token, as an operator would do it: by commands."""
        made = json.loads(await commanded(self.operator, "consumer", "add", CONSUMER, "--json"))
        await asyncio.gather(*(commanded(self.operator, "grant", CONSUMER, service, "--purpose", PURPOSE) for service in SERVICES))
        self.headers = {"Lgsp-Purpose": PURPOSE, "Authorization": f"Bearer {await asyncio.to_thread(_token, self.gateways[0], made)}"}
        for gateway in self.gateways:
            await self._await_right(gateway)

    async def _await_right(self, gateway: str) -> None:
        """A gateway looks each second for new rights; an empty entry is then refused for its content."""
        until = time.monotonic() + RIGHT_S
        while time.monotonic() < until:
            found = [await asyncio.to_thread(_status, f"{gateway}/{path}", self.headers) for path in PROBED]
            if all(status not in {0, 401, 404} for status in found):
                return
            await asyncio.sleep(0.1)
        raise ProveError(f"{gateway} has not heard of the new right within {RIGHT_S} s")


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a hub stands: folders of its files and of what it prints, database, broker, addresses of its providers, more settings."""

    folder: Path
    database: str
    broker: str
    providers: Mapping[str, str]
    prints: Path
    more: Mapping[str, str] = field(default_factory=dict)


def make_hub(plot: Plot) -> Hub:
    """The nodes of a hub, not started: one process on SQLite; admin, two gateways and two workers on PostgreSQL."""
    password, admin = secrets.token_urlsafe(24), free_port()
    env = _settings(plot) | {"LGSP_ADMIN_PASSWORD": password, "LGSP_ADMIN_PORT": str(admin), **plot.more}
    if plot.database.startswith("sqlite"):
        gates = [free_port()]
        nodes = [Node("hub", [*COMMAND, "serve"], env | {"LGSP_DATA_PORT": str(gates[0])}, gates[0], plot.prints / "hub.out")]
    else:
        gates = [free_port(), free_port()]
        roles = [("admin", admin), ("gateway-1", gates[0]), ("gateway-2", gates[1]), ("worker-1", 0), ("worker-2", 0)]
        nodes = [
            Node(
                name,
                [*COMMAND, "serve", "--roles", name.partition("-")[0]],
                env | ({"LGSP_DATA_PORT": str(port)} if name.startswith("gateway") else {}),
                port,
                plot.prints / f"{name}.out",
            )
            for name, port in roles
        ]
    return Hub(nodes, [f"http://127.0.0.1:{port}" for port in gates], f"http://127.0.0.1:{admin}", password)


def _settings(plot: Plot) -> dict[str, str]:
    metrics = plot.folder / "metrics"
    metrics.mkdir()
    env = outside() | {
        "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "LGSP_ADAPTERS": str(BUNDLE / "adapters"),
        "LGSP_CONTRACTS": str(BUNDLE / "contracts"),
        "LGSP_ENVIRONMENT": "development",
        "LGSP_DATABASE_URL": plot.database,
        "LGSP_LEASE_MARGIN_S": str(LEASE_MARGIN_S),
        "LGSP_LOG_LEVEL": "warning",
        "LGSP_METRICS_DIR": str(metrics),
    }
    env |= {f"LGSP_BIND_{name}_URL".upper(): address for name, address in plot.providers.items()}
    return env | ({"LGSP_BROKER_URL": plot.broker} if plot.broker else {})


def outside() -> dict[str, str]:
    """The environment without settings of another hub."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LGSP_")}


async def commanded(env: Mapping[str, str], *arguments: str) -> str:
    """What a command of lgsp printed; raises ProveError if it failed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, env=dict(env), stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(), COMMAND_S)
    if process.returncode:
        raise ProveError(f"lgsp {' '.join(arguments)} ended with {process.returncode}: {errors.decode()[-1000:]}{output.decode()[-1000:]}")
    return output.decode()


def _token(gateway: str, consumer: Mapping[str, Any]) -> str:
    """An access token by client credentials (RFC 6749, section 4.4)."""
    basic = base64.b64encode(f"{consumer['client_id']}:{consumer['client_secret']}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    request = urllib.request.Request(f"{gateway}/token", form, {"Authorization": f"Basic {basic}"})
    until = time.monotonic() + RIGHT_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=COMMAND_S) as reply:
                granted: str = json.load(reply)["access_token"]
                return granted
        except urllib.error.HTTPError as error:  # a gateway looks each second for new consumers
            if time.monotonic() > until:
                raise ProveError(f"no token: {error}") from error
        time.sleep(0.2)  # in a thread of its own


def _status(url: str, headers: Mapping[str, str]) -> int:
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=COMMAND_S) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
