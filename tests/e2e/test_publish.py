"""One to many over real sockets: each subscriber by its own channel, a dead one holding up nobody, all told in one receipt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from lgsp.acts import people
from tests.e2e.hub import Running, running_hub
from tests.e2e.test_callbacks import Receiver, receiving
from tests.e2e.test_mailbox import BUNDLE, Party, party

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAND, TAX, HEALTH = "VN/GOV/H99/land-office", "VN/GOV/H99/tax", "VN/GOV/H99/health"
CHANGE = {"dossier": "H99.13-0001", "status": "completed"}


class Desk:
    """A person at the management API."""

    def __init__(self, hub: Running) -> None:
        self._hub = hub
        self._token = hub.hub.office.sessions.issue("chi", hub.hub.ports.now())[0]

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._hub.client.request(method, self._hub.admin + path, json=body, headers=headers)

    async def subscribe(self, subscriber: str, channel: str) -> httpx.Response:
        body = {"subscriber": subscriber, "service": "dossier-changes", "operation": "publishChange", "channel": channel}
        return await self.ask("POST", "/subscriptions", body)

    async def unsubscribe(self, subscriber: str) -> httpx.Response:
        body = {"subscriber": subscriber, "service": "dossier-changes", "operation": "publishChange"}
        return await self.ask("POST", "/subscriptions/removals", body)

    async def callback(self, code: str, url: str) -> None:
        listed = (await self.ask("GET", "/consumers")).json()
        (client_id,) = [each["client_id"] for each in listed if each["code"] == code]
        (await self.ask("PUT", f"/consumers/{client_id}/callback", {"url": url, "language": "en"})).raise_for_status()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    places = {"adapters": BUNDLE / "adapters", "contracts": BUNDLE / "contracts"}
    async with running_hub(tmp_path_factory.mktemp("publish"), **places) as running:
        await running.register()
        await people.add_person(running.hub.office, people.Applicant("chi", "admin", "a password long enough"), "test")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(hub: Running) -> Desk:
    return Desk(hub)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def land(hub: Running) -> Party:
    return await party(hub, LAND)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def _others(hub: Running) -> None:
    for code in (TAX, HEALTH):
        await party(hub, code)


async def receipt(hub: Running, sent: httpx.Response) -> Any:
    return (await hub.client.get(hub.data + sent.headers["location"], headers=hub.headers)).json()


async def until(hub: Running, sent: httpx.Response, states: dict[str, str]) -> Any:
    async with asyncio.timeout(20):
        while True:
            found = await receipt(hub, sent)
            if {each["subscriber"]: each["state"] for each in found.get("deliveries", ())} == states:
                return found
            await asyncio.sleep(0.1)


async def test_each_subscriber_gets_it_by_its_channel_and_a_dead_one_holds_up_nobody(hub: Running, desk: Desk, land: Party) -> None:
    async with receiving(Receiver()) as receiver:
        await desk.callback(TAX, receiver.url)
        await desk.callback(HEALTH, "http://127.0.0.1:1/nobody")
        added = [
            (await desk.subscribe(code, kind)).status_code for code, kind in ((LAND, "mailbox"), (TAX, "callback"), (HEALTH, "callback"))
        ]

        sent = await hub.post("/dossier-changes/1/changes", CHANGE)
        (event,) = await receiver.heard(1)
        (fetched,) = await land.fetch()
        await land.confirm(fetched)
        found = await until(hub, sent, {LAND: "delivered", TAX: "delivered", HEALTH: "waiting"})

    assert (added, sent.status_code) == ([201] * 3, 202)
    assert (event["type"], event["data"]) == ("dossier-changes.publishChange", CHANGE)
    assert (fetched["request"], fetched["operation"]) == (CHANGE, "publishChange")
    assert found["state"] == "delivering"
    (away,) = [each for each in found["deliveries"] if each["subscriber"] == HEALTH]
    assert (away["problem"]["type"].rpartition("/")[2], "nextTryAt" in away) == ("provider-unreachable", True)
    await desk.unsubscribe(HEALTH)


async def test_when_all_have_taken_it_the_publisher_is_told_once(hub: Running, desk: Desk, land: Party) -> None:
    await desk.unsubscribe(TAX)
    await desk.subscribe(LAND, "mailbox")
    sent = await hub.post("/dossier-changes/1/changes", {**CHANGE, "dossier": "H99.13-0002"})
    (fetched,) = await land.fetch()

    await land.confirm(fetched)
    told = await hub.settled(sent)

    assert (told["state"], [each["state"] for each in told["deliveries"]]) == ("delivered", ["delivered"])
    feed = (await hub.client.get(f"{hub.data}/receipts?limit=100", headers=hub.headers)).json()["receipts"]
    assert [each["id"] for each in feed].count(sent.json()["id"]) == 1
    assert fetched["id"] not in {each["id"] for each in feed}


async def test_a_subscriber_that_refuses_is_told_to_the_publisher(hub: Running, desk: Desk, land: Party) -> None:
    await desk.subscribe(LAND, "mailbox")
    sent = await hub.post("/dossier-changes/1/changes", {**CHANGE, "dossier": "H99.13-0003"})
    (fetched,) = await land.fetch()

    await land.ask("POST", f"/mailbox/{fetched['id']}/refusal", {"reason": "Không thuộc thẩm quyền"})
    told = await hub.settled(sent)

    assert (told["state"], told["problem"]["type"].rpartition("/")[2]) == ("refused", "partly-delivered")
    assert told["deliveries"][0]["reply"] == {"providerMessage": "Không thuộc thẩm quyền"}


async def test_without_subscribers_a_publication_is_simply_over(hub: Running, desk: Desk) -> None:
    await desk.unsubscribe(LAND)

    told = await hub.settled(await hub.post("/dossier-changes/1/changes", {**CHANGE, "dossier": "H99.13-0004"}))

    assert (told["state"], "deliveries" in told) == ("delivered", False)


async def test_what_is_owed_to_who_is_no_longer_subscribed_comes_to_rest(hub: Running, desk: Desk) -> None:
    await desk.subscribe(HEALTH, "mailbox")
    sent = await hub.post("/dossier-changes/1/changes", {**CHANGE, "dossier": "H99.13-0005"})

    await desk.unsubscribe(HEALTH)

    found = await until(hub, sent, {HEALTH: "dead"})
    assert found["deliveries"][0]["problem"]["type"].endswith("/operation-withdrawn")


async def test_a_subscription_that_cannot_work_is_refused_by_its_places(desk: Desk) -> None:
    wrong = {"subscriber": "VN/GOV/H99/nobody", "service": "land-tasks", "operation": "sendTask", "channel": "callback"}

    answer = await desk.ask("POST", "/subscriptions", wrong)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/subscriber", "/operation", "/channel"]
    assert (await desk.unsubscribe(LAND)).status_code == 404
    assert isinstance((await desk.ask("GET", "/subscriptions")).json(), list)
