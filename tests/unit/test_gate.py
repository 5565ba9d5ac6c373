"""The gate: refuses at once what is too much, says whether the node is ready, and ends connections while the hub stops."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from lgsp.drivers.doors.gate import REFUSAL, Front, Gate, Places, Refusals
from lgsp.errors import Fault
from tests.unit.small_hub import SmallHub

OK = [{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}, {"type": "http.response.body", "body": b""}]


class Node:
    """A gate before an application that answers when it is told to."""

    def __init__(self, hub: SmallHub, most: int) -> None:
        self.ready, self.stopping, self.answers = {"store": True}, False, asyncio.Event()
        self.answers.set()
        self.refused: list[Fault] = []
        refusals = Refusals("https://lgsp.example", hub.ports.new_id)
        front = Front(Places(most, hub.ports.telemetry), self._ready, lambda: self.stopping, refusals)
        self.gate = Gate(self._app, hub.ports.identity, front)

    async def _ready(self) -> dict[str, bool]:
        return self.ready

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        if REFUSAL in scope:
            self.refused.append(scope[REFUSAL])
        else:
            await self.answers.wait()
        for event in OK:
            await send(event)

    async def get(self, path: str, **headers: str) -> tuple[int, dict[bytes, bytes], Any]:
        """Status, headers and JSON of one request."""
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self.gate({"type": "http", "path": path, "headers": raw}, receive, send)
        body = b"".join(event.get("body", b"") for event in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), json.loads(body) if body else None


async def node(most: int = 1) -> Node:
    return Node(await SmallHub().open(), most)


async def test_what_is_too_much_is_refused_at_once_with_the_time_to_come_back():
    here = await node()
    here.answers.clear()
    first = asyncio.create_task(here.get("/a"))
    await asyncio.sleep(0)

    refused = [await here.get("/b", accept_language="en") for _ in range(2)]
    here.answers.set()

    (status, headers, problem), (_, _, other) = refused
    assert (status, headers[b"Retry-After"]) == (503, b"2")
    assert (problem["type"], problem["title"]) == ("https://lgsp.example/problems/overloaded", "The platform is overloaded")
    assert problem["instance"].removeprefix("urn:uuid:") == headers[b"lgsp-message-id"].decode() != other["instance"]
    assert (await first)[0] == (await here.get("/c"))[0] == 200


async def test_a_refused_soap_request_is_told_by_its_own_door():
    here = await node()
    here.answers.clear()
    first = asyncio.create_task(here.get("/a"))
    await asyncio.sleep(0)

    await here.get("/parcels/1/soap")
    here.answers.set()
    await first

    assert [(fault.slug, fault.retry_after_s) for fault in here.refused] == [("overloaded", 2.0)]


async def test_health_is_told_however_full_the_hub_is():
    here = await node()
    here.answers.clear()
    first = asyncio.create_task(here.get("/a"))
    await asyncio.sleep(0)

    found = [(await here.get(path))[0] for path in ("/livez", "/readyz")]
    here.answers.set()
    await first

    assert found == [200, 200]


async def test_a_node_that_lacks_something_is_alive_but_not_ready():
    here = await node()
    here.ready["store"] = False

    assert [(await here.get(path))[0] for path in ("/livez", "/readyz")] == [200, 503]


async def test_while_the_hub_stops_each_answer_ends_its_connection():
    here = await node()

    before = (await here.get("/a"))[1]
    here.stopping = True
    after = (await here.get("/a"))[1]

    assert (before.get(b"connection"), after.get(b"connection")) == (None, b"close")
