"""The scene of one row: provider, nodes, load, and the hands that strike; what was struck and when is kept for the reckoning."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lgsp.prove import record
from lgsp.prove.nodes import Hub, Node, commanded, free_port, outside
from lgsp.prove.oracle import Effect, Strike
from lgsp.prove.provider import Plan

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from lgsp.prove.cluster import Cluster
    from lgsp.prove.proxy import Proxy
    from lgsp.prove.rabbit import Rabbit
    from lgsp.prove.sender import Desk, Load

T = TypeVar("T")
CONTROL_S = 10.0
OK = 200
TRACED_S = 15.0


class Absent(Exception):
    """A row asks for what it did not say that it needs."""


@dataclass(slots=True)
class Around:
    """What surrounds the hub, as far as the row needs it: servers of its own, lines to cut, a small volume, a second provider."""

    cluster: Cluster | None = None
    rabbit: Rabbit | None = None
    database_line: Proxy | None = None
    broker_line: Proxy | None = None
    volume: Path | None = None
    neighbour: Node | None = None


@dataclass(slots=True)
class Scene:
    """Everything that a row may touch."""

    folder: Path
    provider: Node
    hub: Hub
    desk: Desk
    load: Load
    database: str
    dice: random.Random
    kills: int = 5
    around: Around = field(default_factory=Around)
    strikes: list[Strike] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)

    @property
    def on_sqlite(self) -> bool:
        """One process on a file."""
        return self.database.startswith("sqlite")

    @property
    def cluster(self) -> Cluster:
        """The row's own PostgreSQL."""
        return _there(self.around.cluster)

    @property
    def rabbit(self) -> Rabbit:
        """The row's own RabbitMQ."""
        return _there(self.around.rabbit)

    @property
    def database_line(self) -> Proxy:
        """What stands between the hub and its database."""
        return _there(self.around.database_line)

    @property
    def broker_line(self) -> Proxy:
        """What stands between the hub and its broker."""
        return _there(self.around.broker_line)

    @property
    def volume(self) -> Path:
        """A small file system."""
        return _there(self.around.volume)

    def must(self, holds: bool, otherwise: str) -> None:  # a statement
        """A figure of the row; what does not hold is a violation."""
        if not holds:
            self.complaints.append(otherwise)

    async def steer(self, *arguments: str) -> Any:
        """A command of an operator, with --json; its answer."""
        return json.loads(await commanded(self.hub.operator, *arguments, "--json") or "null")

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over all processes of the hub, dead ones too, and all label sets that contain `labels`."""
        _, text = await self.look("/metrics")
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} ")) and all(each in line for each in wanted)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async def ready(self) -> bool:
        """Whether the hub calls itself ready."""
        return (await self.look("/readyz"))[0] == OK

    async def look(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the management door; status 0 if nothing came."""
        return await asyncio.to_thread(_get, f"{self.hub.management}{path}")

    @contextlib.contextmanager
    def strike(self, name: str) -> Iterator[None]:
        """A fault for as long as the block runs."""
        began = _clock()
        try:
            yield
        finally:
            self.strikes.append(Strike(name, began, _clock()))

    async def calm(self, seconds: float) -> None:
        """Let the load run undisturbed."""
        await asyncio.sleep(seconds)

    async def misbehave(self, mode: str = "ok", share: float = 1.0, wait_s: float = 3.0, **more: int) -> None:
        """Tell the provider (see its Plan); one that is away never hears of it."""
        await self.told(self.provider, Plan(mode, share, wait_s, **more))

    async def told(self, provider: Node, plan: Plan) -> None:
        """Tell one of the providers."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_put, f"http://127.0.0.1:{provider.port}/_plan", asdict(plan))

    async def busiest(self) -> int:
        """How many connections the provider had at one time since it was told something last."""
        _, text = await asyncio.to_thread(_get, f"http://127.0.0.1:{self.provider.port}/_busiest")
        return int(json.loads(text)["connections"])

    async def kill(self, *nodes: Node) -> None:
        """SIGKILL at this moment, started again at once, as a supervisor would."""
        with self.strike("kill " + " ".join(node.name for node in nodes)):
            for node in nodes:
                node.signal(signal.SIGKILL)
            for node in nodes:
                node.kill()
                node.start()
        await asyncio.gather(*(node.listening() for node in nodes))

    async def died(self, node: Node, patience_s: float = TRACED_S) -> bool:
        """Wait until a node has ended; False if it lives on."""
        until = time.monotonic() + patience_s
        while node.alive and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return not node.alive

    async def revive(self, node: Node) -> None:
        """Start a node that died, and wait until it serves."""
        with self.strike(f"death of {node.name}"):
            node.kill()
            node.start()
        await node.listening()

    async def traced(self, node: Node, calls: str, inject: str, seconds: float) -> bool:
        """Attach strace to a node for some seconds or until it dies (FAULTS fact 4); True if it died."""
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(node.pid), "-e", f"trace={calls}", "-e", f"inject={calls}:{inject}"]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            return await self.died(node, seconds)
        finally:
            tracer.terminate()
            await asyncio.to_thread(tracer.wait)

    def ledger(self) -> list[Effect]:
        """What the providers did; a line that was cut off by their death was never answered and does not count."""
        return [Effect(**line) for line in self._lines("ledger")]

    def calls(self) -> list[Called]:
        """What the providers were asked; the end may be missing where one was killed."""
        return [Called(**line) for line in self._lines("calls")]

    async def calls_after_delivery(self) -> int:
        """How many calls were made of messages that were delivered by then; by the wall clock, which hub and provider share."""
        delivered_at = await record.delivered_at(self.database)
        return sum(call.clock > delivered_at.get(call.message_id, float("inf")) for call in self.calls())

    def _lines(self, suffix: str) -> Iterator[dict[str, Any]]:
        for file in sorted(self.folder.glob(f"*.{suffix}")):
            for line in file.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    yield json.loads(line)


@dataclass(frozen=True, slots=True)
class Called:
    """A line of a provider's file of calls: `at` on the sender's clock, `clock` the wall's."""

    number: int
    message_id: str
    at: float
    clock: float


def make_provider(folder: Path, name: str = "provider") -> Node:
    """A provider's process, not started."""
    port = free_port()
    command = [sys.executable, "-m", "lgsp.prove.provider", str(port), str(folder / f"{name}.ledger")]
    return Node(name, command, outside(), port, folder / f"{name}.log")


def _there(thing: T | None) -> T:
    if thing is None:
        raise Absent
    return thing


@functools.cache
def can_trace() -> bool:
    """Whether strace is there and may attach to our own processes."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "5"]) as target:  # noqa: S607  # coreutils
        command = ["strace", "-qq", "-o", "/dev/null", "-p", str(target.pid)]  # found by the path, as shutil.which did
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
            try:
                tracer.wait(0.5)
            except subprocess.TimeoutExpired:
                tracer.terminate()
                return True
            finally:
                target.kill()
    return False


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=CONTROL_S) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _put(url: str, value: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(value).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=CONTROL_S).close()


def _clock() -> float:
    """The clock of the sender's book."""
    return asyncio.get_running_loop().time()
