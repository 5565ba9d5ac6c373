"""A hub for the bench: started, fed with a consumer and its rights, and asked for a token, all by commands and doors."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgsp.bench.servers import BenchError, Target, free_port, on_core, running, stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BUNDLE = Path(__file__).parent / "bundle"
CONSUMER = "VN/GOV/H00/bench"
PURPOSE = "bench"
ALL_ROLES = "gateway,worker,admin"
SERVICES = ("bench-dossiers", "bench-entries", "bench-registrations")
OPERATIONS = {
    "submitDossier": "/bench-dossiers/1/dossiers",
    "storeDossier": "/bench-dossiers/1/dossiers/stored",
    "storeEntry": "/bench-entries/1/entries",
    "registerDossier": "/bench-registrations/1/dossiers",
}
PURPOSE_HEADERS = {
    "Lgsp-Purpose": PURPOSE,
    "Lgsp-Official": "CB-0042",
    "Lgsp-Public-Service": "1.000656",
    "Lgsp-Dossier": "H00.1.5-000001-0001",
}
COMMAND = (sys.executable, "-m", "lgsp")
COMMAND_S = 60
RIGHT_S = 10
NOT_FOUND = 404
LAG = re.compile(r'^lgsp_event_loop_lag_seconds_bucket\{.*?le="([^"]+)".*?\} (\S+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub: its process, the addresses of its two doors, and the headers of a consumer that may call it."""

    name: str
    pid: int
    gateway: str
    management: str
    headers: Mapping[str, str]

    def target(self, operation: str) -> Target:
        """One operation, to be loaded."""
        return Target(self.name, self.gateway + OPERATIONS[operation], self.pid, self.headers)

    def soap_target(self, operation: str, name: str) -> Target:
        """The same at the SOAP door, under a name of its own."""
        service = OPERATIONS[operation].split("/")[1]
        headers = {**self.headers, "Content-Type": "text/xml; charset=utf-8"}
        return Target(name, f"{self.gateway}/{service}/1/soap", self.pid, headers, f"{{urn:lgsp:{service}:1}}{operation}")

    def loop_lag(self) -> dict[float, int]:
        """How often the event loop ran a timer late, by at most so many seconds (cumulative, as Prometheus has it)."""
        with urllib.request.urlopen(f"{self.management}/metrics", timeout=COMMAND_S) as reply:
            text = reply.read().decode()
        return {float(bound): int(float(count)) for bound, count in LAG.findall(text)}


@contextlib.contextmanager
def hub(name: str, provider: str, core: int | None, folder: Path, settings: Mapping[str, str]) -> Iterator[Hub]:
    """Run a hub in front of one provider; `settings` are LGSP_* variables beyond the common ones."""
    with serving(name, environment(provider, settings), core, folder) as found:
        yield found


def environment(provider: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What every process of one hub is told."""
    common = {
        "LGSP_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "LGSP_ADAPTERS": str(BUNDLE / "adapters"),
        "LGSP_CONTRACTS": str(BUNDLE / "contracts"),
        "LGSP_ENVIRONMENT": "development",
        "LGSP_ADMIN_PASSWORD": secrets.token_urlsafe(24),
        "LGSP_DATA_PORT": str(free_port()),
        "LGSP_ADMIN_PORT": str(free_port()),
        "LGSP_BIND_BENCH_DOSSIER_URL": provider,
        "LGSP_BIND_BENCH_ENTRY_URL": provider,
        "LGSP_BIND_BENCH_REGISTRATION_URL": provider.rstrip("/"),
    }
    return outside() | common | dict(settings)


@contextlib.contextmanager
def serving(name: str, env: Mapping[str, str], core: int | None, folder: Path, roles: str = ALL_ROLES) -> Iterator[Hub]:
    """Run the process that has the doors, with these roles, and admit a consumer."""
    data_port, admin_port = int(env["LGSP_DATA_PORT"]), int(env["LGSP_ADMIN_PORT"])
    gateway, management = f"http://127.0.0.1:{data_port}", f"http://127.0.0.1:{admin_port}"
    with running([*COMMAND, "serve", "--roles", roles], data_port, core, folder / f"{name.replace(' ', '-')}.log", env) as pid:
        steer = outside() | {"LGSP_HUB": management, "LGSP_USER": "admin", "LGSP_PASSWORD": env["LGSP_ADMIN_PASSWORD"]}
        made = json.loads(commanded(steer, "consumer", "add", CONSUMER, "--json"))
        for service in SERVICES:
            commanded(steer, "grant", CONSUMER, service, "--purpose", PURPOSE)
        headers = PURPOSE_HEADERS | {"Authorization": f"Bearer {token(gateway, made)}"}
        found = Hub(name, pid, gateway, management, headers)
        for operation in OPERATIONS:
            await_right(found.target(operation))
        yield found


@contextlib.contextmanager
def worker(name: str, env: Mapping[str, str], core: int | None, folder: Path) -> Iterator[int]:
    """Run one more process of a hub, which only delivers; gives its process id as soon as it is started."""
    with (folder / f"{name}.log").open("wb") as output, on_core(core):
        process = subprocess.Popen(
            [*COMMAND, "serve", "--roles", "worker"], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=dict(env)
        )
    try:
        yield process.pid
    finally:
        stop(process)


def await_right(target: Target) -> None:
    """Wait until the gateway has heard of a new right (it looks each second); an empty dossier is then refused for its content."""
    request = urllib.request.Request(target.url, b"{}", {"Content-Type": "application/json", **target.headers})
    until = time.monotonic() + RIGHT_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(request, timeout=COMMAND_S).close()
        except urllib.error.HTTPError as error:
            if error.code != NOT_FOUND:
                return
        time.sleep(0.1)
    raise BenchError(f"{target.name} has not heard of the right to {target.url} within {RIGHT_S} s")


def outside() -> dict[str, str]:
    """The environment without settings of another hub."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LGSP_")}


def commanded(env: Mapping[str, str], *arguments: str) -> str:
    """What a command printed; raises BenchError if it failed."""
    ended = subprocess.run([*COMMAND, *arguments], env=dict(env), capture_output=True, text=True, check=False, timeout=COMMAND_S)
    if ended.returncode:
        raise BenchError(f"lgsp {' '.join(arguments)} ended with {ended.returncode}: {ended.stderr[-1000:]}{ended.stdout[-1000:]}")
    return ended.stdout


def token(gateway: str, consumer: Mapping[str, Any]) -> str:
    """An access token by client credentials (RFC 6749, section 4.4)."""
    basic = base64.b64encode(f"{consumer['client_id']}:{consumer['client_secret']}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    request = urllib.request.Request(f"{gateway}/token", form, {"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=COMMAND_S) as reply:
        granted: str = json.load(reply)["access_token"]
        return granted
