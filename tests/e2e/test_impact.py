"""Whom a change of a contract breaks, by what consumers really used, over real sockets and by the command."""

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
from tests.e2e.hub import DESK, Running, running_hub
from tests.e2e.registry import CONSUMER_BODY, CONTRACT, Registry, write_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password long enough"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder, registry = tmp_path_factory.mktemp("impact"), Registry()
    registry.answer = {"HoTen": "Nguyễn Văn An"}
    async with (
        serving(registry) as address,
        running_hub(folder, more_bindings={"REGISTRY_URL": address}, **write_bundle(folder)) as running,
    ):
        await running.register()
        await people.add_person(running.hub.office, people.Applicant("chi", "integrator", PASSWORD), "test")
        for _ in range(3):
            (await running.post("/parcels/1/finds", CONSUMER_BODY)).raise_for_status()
        await running.hub.usage.flush(running.hub.ports.now(), at_once=True)
        yield running


@pytest.fixture
def lgsp(hub: Running) -> Callable[..., Any]:
    async def run(*words: str) -> Result:
        environment = {"LGSP_HUB": hub.admin, "LGSP_USER": "chi", "LGSP_PASSWORD": PASSWORD}
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)

    return run


def versions(folder: Path, *changed: tuple[str, str]) -> tuple[str, str]:
    """The published contract, and another one."""
    text = CONTRACT
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    (folder / "base.yaml").write_text(CONTRACT, encoding="utf-8")
    (folder / "revision.yaml").write_text(text, encoding="utf-8")
    return str(folder / "base.yaml"), str(folder / "revision.yaml")


async def test_uses_are_told_by_consumer_and_operation_without_values(lgsp: Any) -> None:
    (found,) = json.loads((await lgsp("uses", "parcels/1", "--json")).stdout)

    assert (found["consumer"], found["operation"], found["count"]) == (DESK, "findParcel", 3)
    assert (found["sent"], found["got"]) == (["/parcel"], ["/owner"])


async def test_a_change_of_what_is_used_names_the_consumer_its_fields_and_its_contact(lgsp: Any, tmp_path: Path) -> None:
    renamed = versions(tmp_path, ("required: [owner], properties: {owner:", "required: [holder], properties: {holder:"))
    await lgsp("consumer", "contact", DESK, "Tổ một cửa, máy lẻ 12")

    done = await lgsp("diff", *renamed, "--used", "parcels/1")
    found = json.loads((await lgsp("diff", *renamed, "--used", "parcels/1", "--json")).stdout)["impact"]

    (met,) = found["affected"]
    assert done.exit_code == 1
    assert "Breaks 1 of 1 consumers" in done.stdout
    assert (met["consumer"], met["contact"], met["fields"]) == (DESK, "Tổ một cửa, máy lẻ 12", ["/owner"])
    assert met["changes"] == ["findParcel answer /owner: 200: is no longer in the contract [field-removed]"]


async def test_a_change_of_what_nobody_uses_breaks_nobody(lgsp: Any, tmp_path: Path) -> None:
    gone = versions(tmp_path, ("kind: {type: string}}}\n  /registrations", "sort: {type: string}}}\n  /registrations"))

    done = await lgsp("diff", *gone, "--used", "parcels/1")

    assert done.exit_code == 1
    assert "Breaks 0 of 1 consumers" in done.stdout


@pytest.mark.parametrize(("service", "said"), [("nothing/1", "no service nothing"), ("/", "citizens/1"), ("parcels/x", "citizens/1")])
async def test_a_service_that_cannot_be_is_refused(lgsp: Any, tmp_path: Path, service: str, said: str) -> None:
    done = await lgsp("diff", *versions(tmp_path), "--used", service)

    assert done.exit_code in {1, 2}
    assert said in done.stderr
