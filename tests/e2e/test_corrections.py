"""Corrections at the management door: proposed by one person, approved by another, sent in the place of the message."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.acts import correct
from lgsp.cli import app
from lgsp.errors import BusinessRefusal
from lgsp.model.agreed import Pattern
from lgsp.model.happening import State
from lgsp.ports.office import CorrectionState, Ruled
from tests.e2e.management_door import Hub, listening_hub
from tests.unit.office import PASSWORD
from tests.unit.small_hub import OPERATION, SmallHub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result

ORDERED = replace(OPERATION, pattern=Pattern.ONE_WAY, order_key=("parcel",))
WRONG, RIGHT = {"name": "Nguyễn Văn Sai", "parcel": "17/4"}, {"name": "Nguyễn Văn Đúng", "parcel": "17/4"}


async def strict(_call: Any, native: Any) -> Any:
    if native["name"] == WRONG["name"]:
        raise BusinessRefusal("provider-refused")
    return native


class Desk:
    """A management door and the hub behind it, with one message that the provider refused and one that waits behind it."""

    def __init__(self, door: Hub, hub: SmallHub, refused: str) -> None:
        self.door, self.hub, self.refused = door, hub, refused

    async def propose(self, body: Any = None, author: str = "operator") -> tuple[int, Any]:
        content = {"body": RIGHT if body is None else body, "reason": "sai tên chủ sử dụng đất"}
        return (await self.door.ask("POST", f"/messages/{self.refused}/corrections", author, json=content))[:2]

    async def decide(self, correction: str, decision: str, author: str) -> tuple[int, Any]:
        return (await self.door.ask("POST", f"/corrections/{correction}/decisions", author, json={"decision": decision}))[:2]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    hub = await SmallHub(ORDERED, strict).open()
    await hub.carry(WRONG)
    (due,) = await hub.store.claim("land", 1, hub.now, 30.0)
    hub.store._owed[due.stored.message_id].state = State.WAITING
    await hub.deliver()
    async with listening_hub(hub.ports.catalogue.current(), hub) as door:
        yield Desk(door, hub, due.stored.message_id)


async def test_a_second_person_approves_and_the_corrected_message_takes_the_place(desk: Desk) -> None:
    _, proposed = await desk.propose()
    own, refused = await desk.decide(proposed["id"], "approve", "operator")
    status, approved = await desk.decide(proposed["id"], "approve", "admin")
    await desk.hub.deliver()

    states = {message_id: owed.state for message_id, owed in desk.hub.store._owed.items()}
    assert (own, refused["type"].rpartition("/")[2]) == (403, "second-person-needed")
    assert (status, approved["state"], approved["decided_by"]) == (200, "approved", "admin")
    assert states == {desk.refused: State.SUPERSEDED, approved["successor"]: State.DELIVERED}


@pytest.mark.parametrize("was_accepted", [False, True])
async def test_an_approval_that_broke_off_is_taken_up_and_sent_once(desk: Desk, *, was_accepted: bool) -> None:
    office, store = desk.door.office, desk.hub.store
    _, proposed = await desk.propose()
    await store.decide_correction(proposed["id"], Ruled(CorrectionState.APPROVED, "admin", office.now() - 60))
    if was_accepted:
        await office.successors.accept(desk.refused, json.dumps(RIGHT).encode(), proposed["id"])

    taken_up = [await correct.send_unsent(office) for _ in range(2)]

    states = {message_id: owed.state for message_id, owed in store._owed.items()}
    found = await store.standing(proposed["id"])
    assert (taken_up, found.successor) == ([1, 0], proposed["id"])
    assert states == {desk.refused: State.SUPERSEDED, proposed["id"]: State.WAITING}


async def test_every_step_leaves_an_act_with_its_author(desk: Desk) -> None:
    _, proposed = await desk.propose()
    _, approved = await desk.decide(proposed["id"], "approve", "admin")

    _, acts, _ = await desk.door.ask("GET", "/acts")
    told = [(act["author"], act["verb"]) for act in reversed(acts) if act["subject"] in {desk.refused, approved["successor"]}]
    assert told == [
        ("operator", "propose_correction"),
        ("admin", "read_correction"),
        ("admin", "approve_correction"),
        ("admin", "send_correction"),
    ]


async def test_a_correction_that_breaks_the_contract_or_changes_the_matter_is_refused_when_it_is_proposed(desk: Desk) -> None:
    broken, problem = await desk.propose({"parcel": "17/4"})
    other, told = await desk.propose({**RIGHT, "parcel": "99/1"})

    assert (broken, problem["type"].rpartition("/")[2]) == (422, "body-invalid")
    assert (other, told["type"].rpartition("/")[2]) == (409, "not-supersedable")


async def test_a_correction_that_comes_too_late_stands_until_it_is_rejected(desk: Desk) -> None:
    _, proposed = await desk.propose()
    desk.hub.store._owed[desk.refused].state = State.DELIVERED

    late, problem = await desk.decide(proposed["id"], "approve", "admin")
    rejected = await desk.decide(proposed["id"], "reject", "operator")
    again, _ = await desk.decide(proposed["id"], "approve", "admin")

    assert (late, problem["type"].rpartition("/")[2]) == (409, "not-supersedable")
    assert (rejected[0], rejected[1]["state"], again) == (200, "rejected", 409)


async def test_the_body_is_read_by_those_who_may_decide_only(desk: Desk) -> None:
    _, proposed = await desk.propose()

    auditor, _, _ = await desk.door.ask("GET", f"/corrections/{proposed['id']}", "auditor")
    status, found, headers = await desk.door.ask("GET", f"/corrections/{proposed['id']}", "security-officer")
    _, listed, _ = await desk.door.ask("GET", "/corrections", "auditor")

    assert (auditor, status, found["body"], headers["Cache-Control"]) == (403, 200, RIGHT, "no-store")
    assert ["body" in each for each in listed] == [False]


async def test_all_of_it_goes_by_command(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "corrected.json"
    file.write_text(json.dumps(RIGHT, ensure_ascii=False), encoding="utf-8")

    async def lgsp(user: str, *words: str) -> Result:
        env = {"XDG_CONFIG_HOME": str(tmp_path), "LGSP_HUB": desk.door.url, "LGSP_USER": user, "LGSP_PASSWORD": PASSWORD}
        return await asyncio.to_thread(CliRunner().invoke, app, ["correct", *words], env=env)

    proposed = await lgsp("operator", desk.refused, "--body", str(file), "--reason", "sai tên", "--json")
    correction = json.loads(proposed.stdout)["id"]
    own = await lgsp("operator", "--approve", correction)
    approved = await lgsp("admin", "--approve", correction)
    listed = await lgsp("operator", "--json")

    assert (own.exit_code, "A second person is needed" in own.stderr) == (1, True)
    assert (approved.exit_code, f"{correction} is approved" in approved.stdout) == (0, True)
    assert [each["state"] for each in json.loads(listed.stdout)] == ["approved"]
