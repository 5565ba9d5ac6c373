"""Callbacks over real sockets: registered by a person, signed, sent again after a failure, never following a redirect."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from lgsp.acts import people
from tests.e2e.hub import Running, example
from tests.unit.test_callback import readers_check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password long enough"


@dataclass
class Receiver:
    """What a consumer's own address received; `answers` are the statuses of the next requests, 204 after them."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive()).get("body", b"")
        self.received.append(({name.decode().title(): value.decode() for name, value in scope["headers"]}, body))
        status = self.answers.pop(0) if self.answers else 204
        await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"http://127.0.0.1:1/elsewhere")]})
        await send({"type": "http.response.body", "body": b""})

    async def heard(self, count: int) -> list[Any]:
        """The events, once there are so many."""
        async with asyncio.timeout(20):
            while len(self.received) < count:
                await asyncio.sleep(0.05)
        return [json.loads(body) for _, body in self.received]


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(receiver, lifespan="off", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}/lgsp"
    yield receiver
    server.should_exit = server.force_exit = True
    await task


async def author(hub: Running) -> dict[str, str]:
    person = {"name": "chi", "role": "admin", "password": PASSWORD}
    token = hub.hub.office.sessions.issue("chi", hub.hub.ports.now())[0]
    if await hub.hub.office.people.person("chi") is None:
        await people.add_person(hub.hub.office, people.Applicant(**person), "test")
    return {"Authorization": f"Bearer {token}"}


async def registered(hub: Running, url: str) -> Any:
    path = f"{hub.admin}/consumers/{hub.client_id}/callback"
    return await hub.client.put(path, json={"url": url, "language": "en"}, headers=await author(hub))


def dossier(number: int) -> dict[str, Any]:
    return {**example("national_portal", "new_dossier"), "code": f"H99.132-261126-{number:04d}"}


async def test_a_receipt_is_called_back_signed_and_again_after_the_receiver_failed(hub: Running) -> None:
    async with receiving(Receiver(answers=[500, 302])) as receiver:
        answer = await registered(hub, receiver.url)
        accepted = await hub.post("/dossiers/1/dossiers", dossier(1))
        first, second = await receiver.heard(2)

        assert answer.status_code == 201
        assert first == second
        assert (first["type"], first["subject"], first["data"]["state"]) == ("lgsp.receipt.delivered", accepted.json()["id"], "delivered")
        assert first["data"]["reply"]["result"] == "created"
        for headers, body in receiver.received:
            assert headers["Content-Type"].startswith("application/cloudevents+json")
            assert headers["Webhook-Id"] == first["id"]
            assert readers_check()(answer.json()["secret"], headers, body, hub.hub.ports.now()) is True


async def test_a_dead_address_holds_up_neither_messages_nor_other_addresses(hub: Running) -> None:
    await registered(hub, "http://127.0.0.1:1/nobody")

    receipt = await hub.settled(await hub.post("/dossiers/1/dossiers", dossier(2)))

    assert receipt["state"] == "delivered"


async def test_a_person_sees_the_addresses_without_their_secrets_and_a_removed_one_is_called_no_more(hub: Running) -> None:
    async with receiving(Receiver()) as receiver:
        await registered(hub, receiver.url)
        listed = (await hub.client.get(f"{hub.admin}/callbacks", headers=await author(hub))).json()
        await hub.client.delete(f"{hub.admin}/consumers/{hub.client_id}/callback", headers=await author(hub))
        last = await hub.post("/dossiers/1/dossiers", dossier(3))
        await hub.settled(last)
        await asyncio.sleep(1.2)

        assert [entry.keys() for entry in listed] == [{"consumer", "url", "language"}]
        assert last.json()["id"] not in {json.loads(body)["subject"] for _, body in receiver.received}


async def test_an_address_that_may_not_be_called_is_refused_by_its_place(hub: Running) -> None:
    answer = await registered(hub, "ftp://motcua.h99.example/")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/url"
