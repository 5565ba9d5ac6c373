"""A code that no table knows yet holds a message, not kills it; a row that two people agree on lets it go on, without publishing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.acts import people
from lgsp.cli import app
from lgsp.drivers.timetable import live_tables
from lgsp.twin.serve import serving
from tests.e2e.hub import Running, running_hub
from tests.e2e.registry import CONSUMER_BODY, Registry, write_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from click.testing import Result

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password long enough"
TABLE = ("table", "parcels", "land_kinds")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry() -> AsyncIterator[Registry]:
    registry = Registry()
    async with serving(registry) as registry.address:
        yield registry


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("tables")
    async with running_hub(folder, more_bindings={"REGISTRY_URL": registry.address}, **write_bundle(folder)) as running:
        await running.register()
        for name in ("an", "chi"):
            await people.add_person(running.hub.office, people.Applicant(name, "integrator", PASSWORD), "test")
        inner = running.hub
        task = asyncio.create_task(live_tables(inner.tables.wake, inner.worker.wake))
        yield running
        task.cancel()


@pytest.fixture
def lgsp(hub: Running) -> Callable[..., Any]:
    async def run(*words: str, user: str = "an") -> Result:
        environment = {"LGSP_HUB": hub.admin, "LGSP_USER": user, "LGSP_PASSWORD": PASSWORD}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)

    return run


async def proposed(lgsp: Any, ours: str, theirs: str, *more: str) -> str:
    done = await lgsp(*TABLE, "propose", "--ours", ours, "--theirs", theirs, "--reason", "Thông tư 12", *more, "--json")
    assert done.exit_code == 0, done.output
    return str(json.loads(done.stdout)["id"])


async def test_a_held_message_goes_on_when_a_second_person_approves_the_row(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {"SoDangKy": "77"}
    accepted = await hub.post("/parcels/1/registrations", {"parcel": "123", "kind": "cao su"})
    held = await hub.settled(accepted)

    row = await proposed(lgsp, "cao su", "7")
    own = await lgsp(*TABLE, "approve", row)
    approved = await lgsp(*TABLE, "approve", row, user="chi")
    async with asyncio.timeout(10):
        while (receipt := await hub.settled(accepted))["state"] == "held":
            await asyncio.sleep(0.1)

    assert (accepted.status_code, held["state"], held["problem"]["type"].rpartition("/")[2]) == (202, "held", "code-unknown")
    assert (own.exit_code, approved.exit_code) == (1, 0)
    assert (receipt["state"], receipt["reply"]) == ("delivered", {"number": "77"})
    assert [each["LoaiDat"] for each in registry.asked if "LoaiDat" in each] == ["7"]


async def test_a_code_of_an_answer_is_known_too_from_then_on(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {"HoTen": "An", "LoaiDat": "9"}
    before = await hub.post("/parcels/1/finds", CONSUMER_BODY)

    await lgsp(*TABLE, "approve", await proposed(lgsp, "chè", "9"), user="chi")
    hub.hub.tables.apply()
    after = await hub.post("/parcels/1/finds", CONSUMER_BODY)

    assert (before.status_code, before.json()["type"].rpartition("/")[2], before.json()["blame"]) == (503, "code-unknown", "platform")
    assert (after.status_code, after.json()) == (200, {"owner": "An", "kind": "chè"})


async def test_a_row_holds_on_its_days_only(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {"HoTen": "An", "LoaiDat": "8"}
    row = await proposed(lgsp, "cà phê", "8", "--to", "2020-12-31")
    await lgsp(*TABLE, "approve", row, user="chi")
    hub.hub.tables.apply()

    assert (await hub.post("/parcels/1/finds", CONSUMER_BODY)).status_code == 503


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*TABLE, "propose", "--ours", "lua", "--theirs", "5", "--reason", "x"), "has a row already"),
        ((*TABLE, "propose", "--ours", "mía", "--theirs", "5"), "--reason"),
        ((*TABLE, "propose", "--ours", "mía", "--theirs", "5", "--reason", "x", "--from", "soon"), "/valid_from"),
        (
            (*TABLE, "propose", "--ours", "mía", "--theirs", "5", "--reason", "x", "--from", "2026-02-01", "--to", "2026-01-01"),
            "ends before",
        ),
        ((*TABLE, "approve", "nothing"), "no row of land_kinds"),
        (("table", "parcels", "colours"), "it has land_kinds"),
        (("table", "nothing", "land_kinds"), "has no code table"),
        ((*TABLE, "burn"), "expected list"),
    ],
)
async def test_a_row_that_cannot_be_is_refused_with_a_reason(lgsp: Any, words: tuple[str, ...], said: str) -> None:
    done = await lgsp(*words)

    assert done.exit_code in {1, 2}
    assert said in done.stderr


async def test_the_table_shows_published_and_added_rows_and_each_step_is_an_act(hub: Running, lgsp: Any) -> None:
    row = await proposed(lgsp, "mía", "6")
    await lgsp(*TABLE, "reject", row)

    shown = json.loads((await lgsp(*TABLE, "--json")).stdout)
    acts = await hub.hub.store.acts(2)

    assert {"ours": "lua", "theirs": "1"} in shown["published"]
    assert (shown["added"][-1]["ours"], shown["added"][-1]["state"], shown["added"][-1]["decided_by"]) == ("mía", "rejected", "an")
    assert [(act.author, act.verb) for act in acts] == [("an", "reject_row"), ("an", "propose_row")]
