"""A mailbox over real sockets: sent by one subsystem, listed, fetched and confirmed by another, told in the sender's receipt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from lgsp.acts import register
from lgsp.model.parties import Right, SubsystemId
from tests.e2e.hub import DESK, Running, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    import pytest

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUNDLE = Path(__file__).parent / "bundle"
LAND = SubsystemId("VN/GOV/H99/land-office")
TASKS = "/land-tasks/1/tasks"


@dataclass
class Party:
    """A subsystem with its token."""

    hub: Running
    headers: dict[str, str]

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.hub.client.request(method, self.hub.data + path, json=body, headers=self.headers)

    async def fetch(self, **wanted: int) -> list[dict[str, Any]]:
        return (await self.ask("POST", "/mailbox/fetches", wanted)).json()["messages"]

    async def confirm(self, message: dict[str, Any], **more: Any) -> httpx.Response:
        return await self.ask("POST", f"/mailbox/{message['id']}/confirmation", {"lease": message["lease"], **more})


async def party(hub: Running, code: str) -> Party:
    credential = await register.add_consumer(hub.hub.office, code, code, "test")
    await hub.hub.store.refresh()
    return Party(hub, {"Authorization": f"Bearer {hub.hub.tokens.issue(credential.client_id, 'default', hub.hub.ports.now())}"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A hub whose only provider is a land office that fetches."""
    places = {"adapters": BUNDLE / "adapters", "contracts": BUNDLE / "contracts"}
    async with running_hub(tmp_path_factory.mktemp("mailbox"), **places) as running:
        await running.register()
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def land(hub: Running) -> Party:
    return await party(hub, LAND)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _empty(land: Party) -> AsyncIterator[None]:
    yield
    for message in (await land.ask("GET", "/mailbox")).json()["messages"]:
        await land.ask("GET", f"/mailbox/{message['id']}")
        await land.ask("POST", f"/mailbox/{message['id']}/confirmation")


async def send(hub: Running, dossier: str = "H99.12-0001", task: str = "Xác nhận tình trạng thửa đất") -> httpx.Response:
    return await hub.post(TASKS, {"dossier": dossier, "task": task})


async def receipt(hub: Running, sent: httpx.Response) -> Any:
    return (await hub.client.get(hub.data + sent.headers["location"], headers=hub.headers)).json()


async def test_a_message_is_listed_fetched_and_confirmed_with_an_answer_for_its_sender(hub: Running, land: Party) -> None:
    sent = await send(hub)
    (listed,) = (await land.ask("GET", "/mailbox")).json()["messages"]
    (fetched,) = await land.fetch()

    confirmed = await land.confirm(fetched, reply={"result": "Đủ điều kiện"})

    assert (sent.status_code, listed["id"], listed["sender"], "request" in listed) == (202, sent.json()["id"], DESK, False)
    assert fetched["request"] == {"dossier": "H99.12-0001", "task": "Xác nhận tình trạng thửa đất"}
    assert fetched["purpose"]["dossier"] == "H99.1-261123-0001"
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "delivered")
    told = await receipt(hub, sent)
    assert (told["state"], told["attempts"], told["reply"]) == ("delivered", 1, {"result": "Đủ điều kiện"})


async def test_a_sender_that_waits_gets_the_addressees_answer(hub: Running, land: Party) -> None:
    async def serve() -> None:
        while not (found := await land.fetch()):
            await asyncio.sleep(0.05)
        await land.confirm(found[0], reply={"result": "Đủ điều kiện"})

    answer, _ = await asyncio.gather(
        hub.post(TASKS, {"dossier": "H99.12-0002", "task": "Xác nhận"}, Prefer="wait=10"),
        serve(),
    )

    assert (answer.status_code, answer.json()) == (200, {"result": "Đủ điều kiện"})


async def test_what_is_not_confirmed_comes_again_and_only_the_newest_fetch_confirms(hub: Running, land: Party) -> None:
    sent = await send(hub)
    (first,) = await land.fetch(leaseSeconds=1)
    hidden = await land.fetch()
    await asyncio.sleep(1.1)
    (second,) = await land.fetch()

    late, good, again = await land.confirm(first), await land.confirm(second), await land.confirm(second)

    assert hidden == []
    assert (first["id"], second["attempt"]) == (second["id"], 2)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "lease-lost")
    assert (good.status_code, again.status_code) == (200, 200)
    assert (await receipt(hub, sent))["state"] == "delivered"


async def test_one_dossiers_messages_come_in_order_and_another_dossier_is_not_held_up(hub: Running, land: Party) -> None:
    sent = [await send(hub, dossier) for dossier in ("H99.12-A", "H99.12-A", "H99.12-B")]
    ids = [each.json()["id"] for each in sent]

    heads = await land.fetch()
    await land.confirm(heads[0])
    following = await land.fetch()

    assert [each["id"] for each in heads] == [ids[0], ids[2]]
    assert [each["id"] for each in following] == [ids[1]]


async def test_a_simple_system_reads_one_and_confirms_it_without_a_lease(hub: Running, land: Party) -> None:
    sent = (await send(hub)).json()["id"]

    early = await land.ask("POST", f"/mailbox/{sent}/confirmation")
    shown = [(await land.ask("GET", f"/mailbox/{sent}")).json()["request"]["dossier"] for _ in range(2)]
    confirmed = await land.ask("POST", f"/mailbox/{sent}/confirmation")

    assert (early.status_code, early.json()["type"].rpartition("/")[2]) == (409, "not-fetched")
    assert shown == ["H99.12-0001"] * 2
    assert confirmed.status_code == 200
    assert (await land.ask("GET", f"/mailbox/{sent}")).status_code == 404


async def test_reading_one_takes_it_from_nobody_and_keeps_the_order(hub: Running, land: Party) -> None:
    sent = [(await send(hub)).json()["id"] for _ in range(2)]
    (fetched,) = await land.fetch()

    read = (await land.ask("GET", f"/mailbox/{sent[0]}")).json()
    behind = await land.ask("GET", f"/mailbox/{sent[1]}")
    confirmed = await land.confirm(fetched)

    assert (read["lease"], read["request"]) == (fetched["lease"], fetched["request"])
    assert (behind.status_code, behind.json()["type"].rpartition("/")[2]) == (409, "not-its-turn")
    assert (confirmed.status_code, (await land.ask("GET", f"/mailbox/{sent[1]}")).status_code) == (200, 200)


async def test_a_refusal_is_told_to_the_sender_in_the_addressees_words(hub: Running, land: Party) -> None:
    sent = await send(hub)
    (fetched,) = await land.fetch()

    await land.ask("POST", f"/mailbox/{fetched['id']}/refusal", {"lease": fetched["lease"], "reason": "Thửa đất không thuộc địa bàn"})

    told = await receipt(hub, sent)
    assert (told["state"], told["reply"]) == ("refused", {"providerMessage": "Thửa đất không thuộc địa bàn"})
    assert told["problem"]["title"] == "Bên nhận từ chối thông điệp"


async def test_an_answer_that_breaks_the_contract_is_refused_and_the_message_stays(hub: Running, land: Party) -> None:
    await send(hub)
    (fetched,) = await land.fetch()

    wrong = await land.confirm(fetched, reply={"ket_qua": "Đủ"})

    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"].startswith("/reply")
    assert (await land.confirm(fetched)).status_code == 200


async def test_what_nobody_confirms_in_time_expires_and_its_sender_is_told(hub: Running, land: Party) -> None:
    sent = await hub.post("/land-tasks/1/urgent", {"dossier": "H99.12-0009", "task": "Xác nhận trong ngày"})

    told = await hub.settled(sent)

    assert (told["state"], told["problem"]["type"].rpartition("/")[2]) == ("expired", "mailbox-expired")
    assert (await land.ask("GET", "/mailbox")).json()["messages"] == []
    feed = (await hub.client.get(f"{hub.data}/receipts?limit=100", headers=hub.headers)).json()
    assert feed["receipts"][-1]["id"] == sent.json()["id"]


async def test_anothers_mailbox_is_not_there(hub: Running) -> None:
    sent = (await send(hub)).json()["id"]
    stranger = await party(hub, "VN/GOV/H99/tax")

    seen = [(await stranger.ask("GET", path)).json() for path in ("/mailbox", f"/mailbox/{sent}")]
    fetched = await stranger.fetch()
    confirmed = await stranger.ask("POST", f"/mailbox/{sent}/confirmation")
    unknown = await hub.client.get(f"{hub.data}/mailbox")

    assert (seen[0], seen[1]["status"], fetched) == ({"messages": [], "more": False}, 404, [])
    assert (confirmed.status_code, unknown.status_code) == (404, 401)


async def test_a_message_whose_senders_right_was_withdrawn_is_not_given_out(hub: Running, land: Party) -> None:
    sent = await send(hub)
    right = hub.hub.store.right(DESK, "land-tasks", "sendTask")
    await hub.hub.store.withdraw(right, "test", 1.0)

    fetched = await land.fetch()

    await hub.hub.store.grant(Right(DESK, "land-tasks", "sendTask", right.purposes), "test", 2.0)
    assert fetched == []
    assert (await receipt(hub, sent))["problem"]["type"].endswith("/right-withdrawn")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/mailbox/fetches", {"limit": 0}, 422),
        ("/mailbox/fetches", {"leaseSeconds": 99_999}, 422),
        ("/mailbox/fetches", {"limit": True}, 422),
        ("/mailbox/fetches", {"max": 3}, 422),
        ("/mailbox/fetches", [1], 422),
        ("/mailbox/a/b/c", {}, 404),
        ("/mailbox/nothing/confirmation", {}, 404),
    ],
)
async def test_what_cannot_be_meant_is_refused(land: Party, path: str, body: Any, status: int) -> None:
    assert (await land.ask("POST", path, body)).status_code == status
