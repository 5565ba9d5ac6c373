"""A management door over memory drivers that listens on a real socket, with a session for each role."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import uvicorn

from lgsp.acts import people
from lgsp.drivers.doors.management.door import management_app
from lgsp.drivers.memory import MemoryStore
from tests.unit.office import NOTHING, NOW, PASSWORD, make_office
from tests.unit.small_hub import SmallHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from lgsp.model.catalogue import Catalogue
    from lgsp.ports.office import Office

ROLES = ("operator", "auditor", "integrator", "security-officer", "admin")


@dataclass
class Hub:
    """A management door that listens, its office, and a token for each role."""

    url: str
    office: Office
    store: MemoryStore
    http: aiohttp.ClientSession
    tokens: dict[str, str]

    async def ask(self, method: str, path: str, role: str | None = "admin", **more: Any) -> tuple[int, Any, Mapping[str, str]]:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        headers.update(more.pop("headers", {}))
        async with self.http.request(method, self.url + path, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text, answer.headers


@asynccontextmanager
async def listening(office: Office) -> AsyncIterator[str]:
    async def ready() -> Mapping[str, bool]:
        return {"store": True}

    app = management_app(office, lambda: b"# TYPE lgsp_build_info gauge\nlgsp_build_info 1.0\n", ready, "https://hub.example")
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=1))
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # asyncio turns Nagle off only where the protocol is named
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@asynccontextmanager
async def listening_hub(catalogue: Catalogue = NOTHING, engine: SmallHub | None = None) -> AsyncIterator[Hub]:
    store = engine.store if engine else MemoryStore(lambda: NOW)
    office = make_office(store, catalogue, engine.ports if engine else None)
    for role in ROLES:
        await people.add_person(office, people.Applicant(role, role, PASSWORD), "test")
    tokens = {role: office.sessions.issue(role, NOW)[0] for role in ROLES}
    async with listening(office) as url, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        yield Hub(url, office, store, http, tokens)
