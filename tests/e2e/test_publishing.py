"""Publishing over real sockets: on every node or on none, while consumers call; back again; with its history and its authors."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx  # the tests' client, not the hub's
import pytest
import pytest_asyncio

from lgsp.acts import people
from lgsp.bootstrap import open_hub
from lgsp.contract.adapter.bundle import bundle_adapter
from lgsp.drivers.doors.management.answers import moment
from lgsp.model.edition import Node
from lgsp.model.parties import Right
from tests.e2e.hub import DESK, Running, door, running_hub
from tests.e2e.press import bundled, stamping, write_adapter
from tests.e2e.soap import Heard, envelope, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "a password long enough"


@dataclass
class Press:
    """A hub of one or more nodes, people who publish at it, and a consumer."""

    folder: Path
    nodes: list[Running]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def hub(self) -> Running:
        return self.nodes[0]

    async def sign_in(self, **roles: str) -> None:
        for name, role in roles.items():
            await people.add_person(self.hub.hub.office, people.Applicant(name, role, PASSWORD), "test")
            answer = await self.hub.client.post(f"{self.hub.admin}/session", json={"name": name, "password": PASSWORD})
            self.tokens[name] = answer.json()["token"]

    async def ask(self, method: str, path: str, body: Any = None, who: str = "an") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return await self.hub.client.request(method, self.hub.admin + path, json=body, headers=headers)

    async def upload(self, content: bytes, who: str = "an") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/x-tar"}
        return await self.hub.client.post(f"{self.hub.admin}/bundles", content=content, headers=headers)

    async def publish(self, letter: str, *, said: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        kept = await self.upload(bundled(self.folder, letter, **more))
        assert kept.status_code == 201, kept.text
        return await self.ask("POST", "/editions", {"digest": kept.json()["digest"], **(said or {})})

    async def grant(self, *operations: str) -> None:
        for operation in operations or ("askStamp", "keepStamp"):
            await self.hub.hub.office.rights.grant(Right(DESK, "stamps", operation, frozenset({"receive-dossier"})), "test", 0.0)
        for node in self.nodes:
            await node.hub.store.refresh()

    async def stamp(self, number: int = 1, node: int = 0, path: str = "/stamps/1/stamps") -> httpx.Response:
        headers = {"Content-Type": "application/json", **self.hub.headers}
        return await self.hub.client.post(self.nodes[node].data + path, json={"number": number}, headers=headers)

    async def letter(self, node: int = 0) -> str:
        return str((await self.stamp(node=node)).json()["made"])


@asynccontextmanager
async def press_of(folder: Path, nodes: int = 1, database_url: str | None = None, **settings: Any) -> AsyncIterator[Press]:
    """Nodes of one hub with the adapter of edition A in its release."""
    write_adapter(folder / "release", "A")
    place = {"adapters": folder / "release" / "adapters", "contracts": folder / "release" / "contracts"}
    async with contextlib.AsyncExitStack() as stack:
        provider = await stack.enter_async_context(door(stamping()))
        bound = {"STAMPS_URL": provider}
        running = [
            await stack.enter_async_context(running_hub(folder, database_url, more_bindings=bound, **place, **settings))
            for _ in range(nodes)
        ]
        press = Press(folder / "work", running)
        await running[0].register()
        await press.sign_in(an="integrator", binh="integrator", chi="auditor")
        await press.grant()
        while len(await running[0].hub.store.nodes(running[0].hub.ports.now())) < nodes:
            await asyncio.sleep(0.02)
        yield press


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def press(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Press]:
    async with press_of(tmp_path_factory.mktemp("press")) as made:
        yield made


async def test_what_is_published_is_served_over_what_the_release_has_and_can_be_taken_back(press: Press) -> None:
    before = await press.letter()

    answer = await press.publish("B", said={"reason": "dấu mới"})
    after, again = await press.letter(), await press.publish("B")
    back = await press.ask("POST", "/editions/rollbacks", {"service": "stamps"})

    told = answer.json()
    assert (answer.status_code, told["nodes"], told["changed"]) == (200, {"live": 1, "of": 1}, True)
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert (before, after, await press.letter()) == ("A", "B", "A")
    history = (await press.ask("GET", "/editions?service=stamps&limit=3", who="chi")).json()
    assert [(each["verb"], each["state"], each["author"]) for each in history] == [
        ("rollback", "live", "an"),
        ("publish", "superseded", "an"),
        ("publish", "superseded", "release"),
    ]
    assert (history[0]["digest"], history[1]["reason"]) == (history[2]["digest"], "dấu mới")
    assert back.json()["edition"]["digest"] == history[2]["digest"]


async def test_first_calls_by_soap_are_answered_by_one_edition_each_while_another_goes_live(press: Press) -> None:
    content = envelope('<s1:askStamp xmlns:s1="urn:lgsp:stamps:1"><s1:number>1</s1:number></s1:askStamp>')
    ended = asyncio.Event()

    async def call() -> list[Heard]:
        heard = []
        while not ended.is_set():
            heard.append(await say(press.hub, content, path="/stamps/1/soap"))
        return [*heard, await say(press.hub, content, path="/stamps/1/soap")]

    calling = [asyncio.create_task(call()) for _ in range(4)]
    published = await press.publish("S")
    ended.set()
    answers = await asyncio.gather(*calling)
    back = await press.ask("POST", "/editions/rollbacks", {"service": "stamps"})

    assert (published.status_code, back.status_code) == (200, 200)
    told = {(each.status, each.text("asked"), each.text("made")) for heard in answers for each in heard}
    assert told <= {(200, "A", "A"), (200, "S", "S")}
    assert {heard[-1].text("made") for heard in answers} == {"S"}


async def test_a_change_that_breaks_needs_a_reason_or_a_new_major_version(press: Press) -> None:
    refused = await press.publish("D", needs="colour")
    served = await press.letter()
    approved = await press.publish("D", needs="colour", said={"approve_breaking": "agreed with all consumers"})

    problem = refused.json()
    assert (refused.status_code, problem["type"].rpartition("/")[2]) == (409, "change-breaks")
    assert any("colour" in error["pointer"] + error["detail"] for error in problem["errors"])
    assert served != "D"
    assert approved.status_code == 200
    assert any(change.startswith("breaking: ") for change in approved.json()["edition"]["changes"])
    assert (await press.ask("POST", "/editions/rollbacks", {"service": "stamps"})).status_code == 200


async def test_a_bundle_with_faults_is_refused_with_their_places_and_what_is_live_stays(press: Press) -> None:
    before = await press.letter()
    folder = write_adapter(press.folder, "F")
    (folder / "mapping.yaml").write_text("stamp:\n  request:\n    So: nothing_of_the_kind\n  reply:\n    number: So\n", "utf-8")
    kept = await press.upload(bundle_adapter(folder, press.folder / "contracts"))

    answer = await press.ask("POST", "/editions", {"digest": kept.json()["digest"]})

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "bundle-invalid")
    assert any(error["pointer"].startswith("stamps/mapping.yaml:") for error in answer.json()["errors"])
    assert await press.letter() == before


@pytest.mark.parametrize("content", [b"no archive", b"\0" * 10_240, b"x" * (9 << 20)])
async def test_what_is_no_bundle_is_not_kept(press: Press, content: bytes) -> None:
    answer = await press.upload(content)

    assert answer.status_code in {413, 422}


async def test_only_integrators_publish_and_everybody_may_look(press: Press) -> None:
    assert (await press.upload(bundled(press.folder, "A"), who="chi")).status_code == 403
    assert (await press.ask("POST", "/editions", {"digest": f"sha256:{'0' * 64}"}, who="chi")).status_code == 403
    assert (await press.ask("POST", "/editions", {"digest": f"sha256:{'0' * 64}"})).status_code == 404
    (node,) = (await press.ask("GET", "/nodes", who="chi")).json()
    assert node["current"] is True


async def test_a_binding_that_this_hub_lacks_is_told_before_anything_changes(press: Press) -> None:
    before = await press.letter()

    answer = await press.publish("G", uses="uses: {secret: $env.stamps.secret}\n")

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "publish-refused")
    assert "LGSP_BIND_STAMPS_SECRET" in answer.text
    assert await press.letter() == before


async def test_a_node_that_cannot_take_it_keeps_all_as_they_are(press: Press) -> None:
    before, store, now = await press.letter(), press.hub.hub.store, press.hub.hub.ports.now()
    refuses = Node("other-node", "worker", until=now + 600)

    async def refusing() -> None:
        while True:
            staged = (await store.published()).staged
            await store.beat(replace(refuses, staged=staged.id if staged else "", verdict="no room"))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(refusing())
    answer = await press.publish("H")
    task.cancel()
    await store.leave("other-node")

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "publish-refused")
    assert "no room" in answer.text
    assert await press.letter() == before
    assert (await press.ask("GET", "/editions?limit=1")).json()[0]["refusals"] == ["other-node (worker): no room"]


async def test_a_node_that_dies_while_it_is_asked_is_waited_for_no_longer_than_its_lease(press: Press) -> None:
    store, now = press.hub.hub.store, press.hub.hub.ports.now()
    await store.beat(Node("dying-node", "worker", until=now + 0.7))

    answer = await press.publish("I")

    assert (answer.status_code, await press.letter()) == (200, "I")


async def test_a_version_that_ends_says_so_and_then_takes_nothing(press: Press) -> None:
    both = await press.publish("J", majors=(1, 2))
    await press.grant("askStamp2")
    await press.ask("PUT", "/services/stamps/1/lifespan", {"stage": "deprecated", "sunset": "2027-06-30T00:00:00+07:00", "successor": 2})
    deprecated = await _until(press, "deprecation")
    new = await press.stamp(path="/stamps/2/stamps")
    await press.ask("PUT", "/services/stamps/1/lifespan", {"stage": "retired"})
    retired = await _until(press, "deprecation", status=410)
    await press.ask("PUT", "/services/stamps/1/lifespan", {"stage": "published"})

    assert both.status_code == 200, both.text
    assert deprecated.headers["sunset"] == "Tue, 29 Jun 2027 17:00:00 GMT"
    assert deprecated.headers["link"] == '</stamps/2/openapi.json>; rel="successor-version"'
    assert deprecated.headers["deprecation"].startswith("@")
    assert "deprecation" not in new.headers
    assert retired.json()["type"].endswith("/service-retired")
    assert retired.headers["link"] == deprecated.headers["link"]
    assert (await _until(press, "deprecation", there=False)).status_code == 200


async def _until(press: Press, header: str, *, there: bool = True, status: int = 200) -> httpx.Response:
    for _ in range(100):
        answer = await press.stamp()
        if (header in answer.headers) is there and answer.status_code == status:
            return answer
        await asyncio.sleep(0.05)
    return answer


async def test_a_message_is_delivered_though_its_operation_is_offered_no_more(press: Press) -> None:
    await press.sign_in(dung="operator")
    hold = {"provider": "stamps", "until": moment(press.hub.hub.ports.now() + 3600), "reason": "maintenance"}
    await press.ask("POST", "/holds", hold, who="dung")
    accepted = await press.stamp(path="/stamps/1/stamps/kept")
    without = await press.publish("L", keeps=False, said={"approve_breaking": "nobody sends them any more"})
    refused = await press.stamp(path="/stamps/1/stamps/kept")
    await press.ask("POST", "/holds/releases", {"provider": "stamps"}, who="dung")

    receipt = await press.hub.settled(accepted)

    assert (accepted.status_code, without.status_code, refused.status_code) == (202, 200, 404)
    assert receipt["state"] == "delivered"


async def test_an_address_is_bound_and_changed_without_publishing(press: Press) -> None:
    async with door(stamping(mark="elsewhere")) as other:
        bound = await press.ask("PUT", "/bindings/STAMPS_URL", {"value": other})
        for _ in range(100):
            moved = await press.stamp()
            if moved.json().get("asked") == "elsewhere":
                break
            await asyncio.sleep(0.02)
        listed = (await press.ask("GET", "/bindings", who="chi")).json()
        await press.ask("DELETE", "/bindings/STAMPS_URL")
        await asyncio.sleep(0.5)

    assert bound.json() == {"name": "STAMPS_URL", "adapters": ["stamps"], "source": "hub"}
    assert moved.json()["asked"] == "elsewhere"
    assert listed == [bound.json()]
    assert (await press.stamp()).json()["asked"] != "elsewhere"


async def test_with_two_persons_nobody_publishes_alone_and_a_node_that_starts_serves_what_was_approved(tmp_path: Path) -> None:
    async with press_of(tmp_path, publish_approval=True) as press:
        first = (await press.publish("B")).json()["edition"]
        rejected = await press.ask("POST", f"/editions/{first['id']}/decisions", {"decision": "reject"})
        other = f"/editions/{(await press.publish('C')).json()['edition']['id']}/decisions"
        proposed = await press.publish("B")
        place = f"/editions/{proposed.json()['edition']['id']}/decisions"
        alone, before = await press.ask("POST", place, {"decision": "approve"}), await press.letter()
        approved = await press.ask("POST", place, {"decision": "approve"}, who="binh")
        again = await press.ask("POST", place, {"decision": "approve"}, who="binh")
        outdated = await press.ask("POST", other, {"decision": "approve"}, who="binh")
        after, settings = await press.letter(), press.hub.hub.settings
        digests = {service.digest for service in press.hub.hub.ports.catalogue.current().services.values()}
    started = {"adapters": settings.adapters, "contracts": settings.contracts, "more_bindings": settings.bindings}
    async with running_hub(tmp_path, **started) as later:
        served = {service.digest for service in later.hub.ports.catalogue.current().services.values()}

    edition = approved.json()["edition"]
    assert (outdated.status_code, outdated.json()["type"].rpartition("/")[2]) == (409, "edition-outdated")
    assert (rejected.json()["edition"]["state"], proposed.status_code, before, after) == ("rejected", 202, "A", "B")
    assert (alone.status_code, alone.json()["type"].rpartition("/")[2]) == (403, "second-person-needed")
    assert (approved.status_code, again.status_code, edition["author"], edition["decided_by"]) == (200, 409, "an", "binh")
    assert served == digests


async def test_two_nodes_turn_together_under_load_and_a_node_that_was_away_catches_up(postgresql_url: str, tmp_path: Path) -> None:
    async with press_of(tmp_path, 2, postgresql_url) as press:
        away = await open_hub(press.hub.hub.settings)
        stop, seen = asyncio.Event(), []

        async def call(node: int) -> None:
            while not stop.is_set():
                answer = await press.stamp(len(seen), node)
                told = answer.json()
                seen.append((answer.status_code, told.get("asked") == told.get("made"), told.get("made")))

        callers = [asyncio.create_task(call(at % 2)) for at in range(6)]
        outcomes = [(await press.publish(letter)).json()["nodes"] for letter in "BC"]
        outcomes.append((await press.ask("POST", "/editions/rollbacks", {"service": "stamps"})).json()["nodes"])
        stop.set()
        await asyncio.gather(*callers)
        behind = (await away.ready())["catalogue"]
        await away.agent.look()

        assert outcomes == [{"live": 2, "of": 2}] * 3
        assert {(status, whole) for status, whole, _ in seen} == {(200, True)}
        assert {letter for _, _, letter in seen} == set("ABC")
        assert [await press.letter(0), await press.letter(1)] == ["B", "B"]
        assert (behind, (await away.ready())["catalogue"]) == (False, True)
        await away.close()
