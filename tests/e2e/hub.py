"""A whole hub on real sockets for the end-to-end tests: SQLite or PostgreSQL, worker, both doors, and the twins of the adapters."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's
import uvicorn

from lgsp.acts import register
from lgsp.bootstrap import Hub, open_hub
from lgsp.cli.serve import Server
from lgsp.config import HOME, Settings
from lgsp.drivers.timetable import close_publications, expire_mailboxes, tell_callbacks
from lgsp.model.agreed import Quota
from lgsp.model.parties import Right, SubsystemId
from lgsp.twin.serve import load_twin, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

DESK = SubsystemId("VN/GOV/H99/onestop")
PURPOSE = {
    "Lgsp-Purpose": "receive-dossier",
    "Lgsp-Official": "CB001",
    "Lgsp-Public-Service": "1.000001",
    "Lgsp-Dossier": "H99.1-261123-0001",
}
PATIENCE_S = 20.0


def example(adapter: str, name: str) -> Any:
    """A golden request."""
    return json.loads((HOME / "adapters" / adapter / "examples" / f"{name}.request.json").read_text(encoding="utf-8"))


@dataclass
class Running:
    """A hub that serves, and a client that is registered with it."""

    hub: Hub
    data: str
    admin: str
    twins: dict[str, str]
    client: httpx.AsyncClient
    client_id: str = ""
    client_secret: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def register(self, quota: Quota | None = None) -> None:
        """A consumer with a right to everything, and its token."""
        office = self.hub.office
        credential = await register.add_consumer(office, DESK, "Một cửa", "test")
        self.client_id, self.client_secret = credential.client_id, credential.secret
        for operation in office.catalogue.current().operations.values():
            right = Right(DESK, operation.service, operation.name, frozenset({"receive-dossier"}), quota=quota)
            await office.rights.grant(right, "test", office.now())
        await self.hub.store.refresh()
        answer = await self.client.post(
            f"{self.data}/token", data={"grant_type": "client_credentials"}, auth=(self.client_id, self.client_secret)
        )
        self.token = answer.json()["access_token"]
        self.headers = {"Authorization": f"Bearer {self.token}", **PURPOSE}

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Send JSON, or bytes as they are, with token and purpose."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kept = {"Content-Type": "application/json", **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.post(self.data + path, content=content, headers={k: v for k, v in kept.items() if v})

    async def settled(self, answer: httpx.Response) -> Any:
        """The receipt once its message has come to rest."""
        ends = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            receipt = (await self.client.get(self.data + answer.headers["location"], headers=self.headers)).json()
            if receipt["state"] not in {"accepted", "waiting", "delivering"} or asyncio.get_running_loop().time() > ends:
                return receipt
            await asyncio.sleep(0.1)

    async def fault(self, twin: str, **plan: Any) -> None:
        """Tell a twin to misbehave."""
        (await self.client.put(f"{self.twins[twin]}/_twin/faults", json=plan)).raise_for_status()
        if plan["kind"] == "down":
            await asyncio.sleep(0.1)  # the twin answers this request before it closes its door

    async def ledger(self, twin: str) -> list[dict[str, Any]]:
        """What happened at a twin."""
        return (await self.client.get(f"{self.twins[twin]}/_twin/ledger")).json()["entries"]


@asynccontextmanager
async def running_hub(
    folder: Path, database_url: str | None = None, *, more_bindings: Mapping[str, str] | None = None, **changes: Any
) -> AsyncIterator[Running]:
    """Serve a hub with the project's own adapters and twins while the block runs."""
    async with contextlib.AsyncExitStack() as stack:
        twins, bindings = {}, {}
        for path in sorted((HOME / "adapters").glob("*/twin.py")):
            layer = load_twin(path.parent)
            name = path.parent.name
            twins[name] = await stack.enter_async_context(serving(layer))
            bindings |= {f"{name}_{key}".upper(): value.format(address=twins[name]) for key, value in layer.bindings.items()}
        settings = Settings(
            master_key=hashlib.sha256(b"test").digest(),
            environment="test",
            database_url=database_url or f"sqlite:///{folder / 'hub.db'}",
            bindings={**bindings, **(more_bindings or {})},
            **changes,
        )
        hub = await open_hub(settings)
        stack.push_async_callback(hub.close)
        data = await stack.enter_async_context(door(hub.gateway()))
        admin = await stack.enter_async_context(door(hub.management()))
        await stack.enter_async_context(_working(hub))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        yield Running(hub, data, admin, twins, client)


@asynccontextmanager
async def door(app: Any) -> AsyncIterator[str]:
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only where it sees the protocol
    listener.bind(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, http="httptools", ws="none", lifespan="on", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def _working(hub: Hub) -> AsyncIterator[None]:
    listening = asyncio.create_task(hub.agent.hear(partial(hub.bell.listen, on_ring=hub.worker.wake)))
    by_the_clock = [asyncio.create_task(job(hub.ports)) for job in (tell_callbacks, expire_mailboxes, close_publications)]
    by_the_clock.append(asyncio.create_task(hub.agent.run()))
    working = asyncio.create_task(hub.worker.run())
    try:
        yield
    finally:
        hub.worker.stop()
        await working
        listening.cancel()
        for task in by_the_clock:
            task.cancel()


def basic(user: str, secret: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
