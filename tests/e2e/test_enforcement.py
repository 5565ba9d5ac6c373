"""Answers that break a contract, over real sockets: tolerated, let pass or blocked by order, quarantined, told in the status."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.acts import people
from lgsp.cli import app
from lgsp.twin.serve import serving
from tests.e2e.hub import Running, running_hub
from tests.e2e.registry import CONSUMER_BODY, Registry, write_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from click.testing import Result

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password long enough"
FOUND = {"HoTen": "Nguyễn Văn An", "LoaiDat": "1"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry() -> AsyncIterator[Registry]:
    registry = Registry()
    async with serving(registry) as registry.address:
        yield registry


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("judged")
    places = write_bundle(folder)
    async with running_hub(folder, more_bindings={"REGISTRY_URL": registry.address}, **places) as running:
        await running.register()
        for name, role in (("chi", "operator"), ("tam", "auditor")):
            await people.add_person(running.hub.office, people.Applicant(name, role, PASSWORD), "test")
        yield running


@pytest.fixture
def lgsp(hub: Running) -> Callable[..., Any]:
    async def run(*words: str, user: str = "chi") -> Result:
        environment = {"LGSP_HUB": hub.admin, "LGSP_USER": user, "LGSP_PASSWORD": PASSWORD}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)

    return run


async def asked(hub: Running) -> tuple[int, Any]:
    answer = await hub.post("/parcels/1/finds", CONSUMER_BODY)
    await hub.hub.conformity.flush(hub.hub.ports.now())
    return answer.status_code, answer.json()


async def test_one_more_element_stops_no_look_up_until_a_person_wants_that(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {**FOUND, "GhiChu": "mới thêm"}

    usual = await asked(hub)
    ordered = await lgsp("enforce", "parcels", "replies", "block", "--for", "8h", "--reason", "nghiệm thu")
    blocked = await asked(hub)
    ended = await lgsp("enforce", "parcels", "--end")
    after = await asked(hub)

    assert (usual, after) == ((200, {"owner": "Nguyễn Văn An", "kind": "lua"}),) * 2
    assert (ordered.exit_code, ended.exit_code) == (0, 0), ordered.output
    assert (blocked[0], blocked[1]["type"].rpartition("/")[2], blocked[1]["blame"]) == (502, "provider-reply-invalid", "provider")


async def test_a_missing_field_is_let_pass_for_a_while_by_order(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {"LoaiDat": "1"}

    usual = await asked(hub)
    await lgsp("enforce", "parcels", "replies", "warn", "--for", "1h", "--reason", "chờ bộ sửa")
    warned = await asked(hub)
    orders = json.loads((await lgsp("enforce", "--json")).stdout)
    await lgsp("enforce", "parcels", "--end")

    assert (usual[0], warned) == (502, (200, {"kind": "lua"}))
    assert [(each["service"], each["mode"], each["author"], each["reason"]) for each in orders] == [
        ("parcels", "warn", "chi", "chờ bộ sửa")
    ]


async def test_quarantine_shows_places_to_all_and_contents_by_act_to_some(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = {"HoTen": 17, "LoaiDat": "1"}
    await asked(hub)

    listed = await lgsp("quarantine", "list", "--provider", "registry", "--json", user="tam")
    newest = next(each for each in json.loads(listed.stdout) if each["form"] == "canonical")
    shown = json.loads((await lgsp("quarantine", "show", newest["id"])).stdout)
    refused = await lgsp("quarantine", "show", newest["id"], user="tam")
    acts = await hub.hub.store.acts(1)

    assert "content" not in newest
    assert [each["pointer"] for each in newest["errors"]] == ["/owner"]
    assert (shown["form"], json.loads(shown["content"])) == ("canonical", {"owner": 17, "kind": "lua"})
    assert refused.exit_code == 1
    assert (acts[0].author, acts[0].verb, acts[0].subject) == ("chi", "read_quarantine", newest["message_id"])


async def test_the_rules_of_requests_are_nobodys_to_loosen(lgsp: Any) -> None:
    done = await lgsp("--lang", "vi", "enforce", "parcels", "requests", "warn", "--for", "1h", "--reason", "thử")

    assert done.exit_code == 1
    assert "Quy tắc này không được nới lỏng" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "replies", "warn", "--for", "1h", "--reason", "x"), "no service nothing is published"),
        (("parcels", "replies", "warn", "--for", "30d", "--reason", "x"), "at most 7 days"),
        (("parcels", "replies", "loud", "--for", "1h", "--reason", "x"), "/mode"),
        (("parcels", "answers", "warn", "--for", "1h", "--reason", "x"), "side"),
        (("parcels", "replies", "warn", "--for", "1h"), "--reason"),
        (("parcels", "replies", "warn", "--reason", "x"), "--until"),
        (("parcels", "replies"), "observe|warn|tolerant|block"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_with_its_place(lgsp: Any, words: tuple[str, ...], said: str) -> None:
    done = await lgsp("enforce", *words)

    assert done.exit_code in {1, 2}
    assert said in done.stderr


async def test_the_status_tells_how_many_answers_keep_their_contract(hub: Running, registry: Registry, lgsp: Any) -> None:
    registry.answer = FOUND
    await asked(hub)

    told = json.loads((await lgsp("status", "--json")).stdout)["providers"]
    printed = await lgsp("status")
    metrics = (await hub.client.get(f"{hub.admin}/metrics")).text

    (found,) = [each for each in told if each["provider"] == "registry"]
    assert found["conformance"] == 1 - found["answers_invalid"] / found["answers"] < 1
    assert f"({found['answers']})" in printed.stdout
    assert f'lgsp_answers_judged_total{{provider="registry",verdict="broken"}} {found["answers_invalid"]}.0' in metrics
