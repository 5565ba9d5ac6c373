"""A candidate mapping is tried on messages that were really sent: masked, field by field, and the unexpected is told by the exit code."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from lgsp.acts import people
from lgsp.acts.translate import changes_by
from lgsp.cli import app
from lgsp.contract.adapter.folder import read_adapter
from lgsp.twin.serve import serving
from tests.e2e.hub import Running, running_hub
from tests.e2e.registry import MAPPING, Registry, write_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password long enough"
LAND = ("lua", "rung", "lua")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(folder: Path) -> AsyncIterator[Running]:
    registry = Registry()
    registry.answer = {"SoDangKy": "1"}
    async with (
        serving(registry) as address,
        running_hub(folder, more_bindings={"REGISTRY_URL": address}, **write_bundle(folder)) as running,
    ):
        await running.register()
        await people.add_person(running.hub.office, people.Applicant("an", "integrator", PASSWORD), "test")
        for number, kind in enumerate(LAND):
            await running.settled(await running.post("/parcels/1/registrations", {"parcel": f"Thửa 12{number}", "kind": kind}))
        yield running


@pytest.fixture
def lgsp(hub: Running, folder: Path) -> Callable[..., Any]:
    places = ("--adapters", str(folder / "adapters"), "--contracts", str(folder / "contracts"))

    async def run(*words: str) -> Result:
        environment = {"LGSP_HUB": hub.admin, "LGSP_USER": "an", "LGSP_PASSWORD": PASSWORD}
        return await asyncio.to_thread(CliRunner().invoke, app, ["translate", *words, *places], env=environment)

    return run


def candidate(path: Path, *changed: tuple[str, str]) -> str:
    text = MAPPING
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return str(path)


UPPER = ("MaYeuCau: $message.id\n    SoThua: parcel", "MaYeuCau: $message.id\n    SoThua: {from: parcel, do: [upper]}")


async def test_the_same_mapping_changes_nothing(lgsp: Any, tmp_path: Path) -> None:
    done = await lgsp("parcels/1", "--replay", "10", "--mapping", candidate(tmp_path / "m.yaml"), "--json")

    assert (done.exit_code, json.loads(done.stdout)) == (0, {"messages": 3, "base_is_published": True, "changes": []})


async def test_a_change_is_told_field_by_field_with_a_masked_example(hub: Running, lgsp: Any, tmp_path: Path) -> None:
    done = await lgsp("parcels/1", "--mapping", candidate(tmp_path / "m.yaml", UPPER), "--json")

    (change,) = json.loads(done.stdout)["changes"]
    act = (await hub.hub.store.acts(1))[0]
    assert (done.exit_code, change["operation"], change["call"], change["pointer"], change["kind"]) == (
        1,
        "registerParcel",
        "DangKy",
        "/SoThua",
        "changed",
    )
    assert (change["messages"], change["after"], change["before"][:4] != "Thửa") == (3, change["before"].upper(), True)
    assert (act.author, act.verb, act.subject, act.facts) == ("an", "read_samples", "parcels/1", {"count": 3})


async def test_an_accepted_change_is_expected(lgsp: Any, tmp_path: Path) -> None:
    (tmp_path / "expected").write_text("# chữ hoa\nregisterParcel DangKy /So*\n", encoding="utf-8")

    done = await lgsp("parcels/1", "--mapping", candidate(tmp_path / "m.yaml", UPPER), "--expect", str(tmp_path / "expected"))

    assert done.exit_code == 0
    assert "3 messages: 1 changes, 0 unexpected." in done.stdout


async def test_what_would_no_longer_translate_is_told_with_its_place(lgsp: Any, tmp_path: Path) -> None:
    gone = candidate(tmp_path / "m.yaml", (", {ours: rung, theirs: '2'}", ""))

    (change,) = json.loads((await lgsp("parcels/1", "--mapping", gone, "--json")).stdout)["changes"]

    assert (change["pointer"], change["kind"], change["messages"]) == ("/kind", "fails", 1)
    assert "no row in the code table" in change["after"]


async def test_publishing_can_ask_the_same_of_real_messages_and_is_told_no_value(hub: Running, folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "registry"
    adapter.mkdir()
    (adapter / "adapter.yaml").write_bytes((folder / "adapters" / "registry" / "adapter.yaml").read_bytes())
    candidate(adapter / "mapping.yaml", UPPER)
    new = {each.name: each for each in read_adapter(adapter, folder / "contracts").services[0].operations}
    old = {each.name: each for each in hub.hub.ports.catalogue.current().services["parcels", 1].operations}

    (change,) = await changes_by(hub.hub.office, old, new, 100)

    assert (change.place, change.count, change.before, change.after) == ("registerParcel DangKy /SoThua", 3, None, None)


@pytest.mark.parametrize(
    ("words", "code", "said"), [(("nothing/1",), 2, "no adapter"), (("parcels/7",), 2, "no adapter"), (("/",), 2, "citizens/1")]
)
async def test_a_service_that_cannot_be_is_refused(lgsp: Any, words: tuple[str, ...], code: int, said: str) -> None:
    done = await lgsp(*words)

    assert (done.exit_code, said in done.stderr) == (code, True)


async def test_a_candidate_that_is_no_mapping_is_told_with_its_places(lgsp: Any, tmp_path: Path) -> None:
    broken = candidate(tmp_path / "m.yaml", ("SoThua: parcel\n    LoaiDat", "SoThua: {form: parcel}\n    LoaiDat"))

    done = await lgsp("parcels/1", "--mapping", broken)

    assert done.exit_code == 2
    assert "mapping.yaml:" in done.stdout
