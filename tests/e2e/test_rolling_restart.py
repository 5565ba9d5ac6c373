"""Two nodes behind HAProxy, restarted one after the other under load: no request fails, no message is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's

from lgsp.config import HOME
from lgsp.twin.serve import load_twin, serving
from tests.conftest import missing
from tests.e2e.hub import PURPOSE, example
from tests.e2e.nodes import bindings, environment, free_ports, process, token_for_desk, until_listening

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONSUMERS, PAUSE_S, BEFORE_S = 8, 0.06, 0.5
LOOK_UPS = 6
"""One request of so many; the contract's quota is 600 a minute."""
NOTICE_S = 1.0
ACCEPTED = 202
HAPROXY = """
global
  maxconn 500
defaults
  mode http
  timeout connect 2s
  timeout check 3s
  timeout client 30s
  timeout server 75s
  option redispatch
  retry-on conn-failure
frontend hub
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 200ms fastinter 100ms fall 1 rise 1
"""


@contextlib.contextmanager
def haproxy(nodes: list[int], folder: Path) -> Iterator[str]:
    """A real HAProxy before the data plane of these nodes."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin") or missing("no haproxy on this machine")
    (port,) = free_ports(1)
    servers = [f"  server node{place} 127.0.0.1:{node}\n" for place, node in enumerate(nodes)]
    (folder / "haproxy.cfg").write_text(HAPROXY.format(port=port) + "".join(servers), encoding="utf-8")
    with (folder / "haproxy.log").open("wb") as log:
        started = subprocess.Popen([program, "-db", "-f", str(folder / "haproxy.cfg")], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(timeout=10)


@dataclass
class Desk:
    """Consumers that send dossiers and look citizens up, one after the other, until they are told to stop."""

    url: str
    headers: Mapping[str, str]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    statuses: Counter[Any] = field(default_factory=Counter)
    accepted: dict[str, str] = field(default_factory=dict)

    async def send(self, number: int) -> None:
        """Over one connection that is kept open."""
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=1)) as client:
            for turn in range(10_000):
                if self.stop.is_set():
                    return
                await self._ask(client, number, turn)
                await asyncio.sleep(PAUSE_S)

    async def _ask(self, client: httpx.AsyncClient, number: int, turn: int) -> None:
        code = f"H99.129-2611{number:02d}-{turn:04d}"
        path, body = "/dossiers/1/dossiers", {**example("national_portal", "new_dossier"), "code": code}
        if turn % LOOK_UPS == 0:
            path, body = "/citizens/1/lookups", example("population", "found")
        headers = {**self.headers, "Content-Type": "application/json"}
        try:
            answer = await client.post(self.url + path, content=json.dumps(body), headers=headers)
        except httpx.TransportError as error:
            self.statuses[repr(error)] += 1
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code == ACCEPTED:
            self.accepted[code] = answer.headers["location"]


async def test_no_request_fails_while_the_nodes_are_restarted_one_by_one(postgresql_url: str, tmp_path: Path) -> None:
    ports = free_ports(4)
    async with (
        serving(load_twin(HOME / "adapters/population")) as population,
        serving(load_twin(HOME / "adapters/national_portal")) as portal,
    ):
        environ = {
            **environment(database_url=postgresql_url, stop_notice_s=str(NOTICE_S)),
            **bindings("population", population),
            **bindings("national_portal", portal),
        }
        nodes = [environ | {"LGSP_DATA_PORT": str(ports[n]), "LGSP_ADMIN_PORT": str(ports[n + 2])} for n in (0, 1)]
        with contextlib.ExitStack() as stack, haproxy(ports[:2], tmp_path) as proxy:
            client = httpx.AsyncClient(timeout=20)
            roles, admins = "gateway,worker,admin", [f"http://127.0.0.1:{port}" for port in ports[2:]]
            started = [stack.enter_context(process(roles, nodes[n], tmp_path / f"node{n}.log")) for n in (0, 1)]
            await until_listening(client, *[f"{admin}/readyz" for admin in admins], f"{proxy}/readyz")
            token = await token_for_desk(client, admins[0], proxy, environ["LGSP_ADMIN_PASSWORD"])
            desk = Desk(proxy, {"Authorization": f"Bearer {token}", **PURPOSE})
            senders = [asyncio.create_task(desk.send(number)) for number in range(CONSUMERS)]
            await asyncio.sleep(BEFORE_S)
            for n in (0, 1):
                started[n].send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(started[n].wait, 30) == 0
                started[n] = stack.enter_context(process(roles, nodes[n], tmp_path / f"node{n}-again.log"))
                await until_listening(client, f"{admins[n]}/readyz")
                await asyncio.sleep(BEFORE_S)
            desk.stop.set()
            await asyncio.gather(*senders)
            receipts = [await at_rest(client, proxy + place, desk.headers) for place in desk.accepted.values()]
            ledger = (await client.get(f"{portal}/_twin/ledger")).json()["entries"]
            await client.aclose()

    effects = Counter(entry["key"] for entry in ledger)
    assert set(desk.statuses) == {200, 202}, desk.statuses
    assert set(receipts) == {"delivered"}
    assert effects == Counter(dict.fromkeys(desk.accepted, 1))


async def at_rest(client: httpx.AsyncClient, place: str, headers: Mapping[str, str]) -> str:
    for _ in range(100):
        state = str((await client.get(place, headers=headers)).json()["state"])
        if state not in {"accepted", "waiting", "delivering"}:
            break
        await asyncio.sleep(0.1)
    return state
