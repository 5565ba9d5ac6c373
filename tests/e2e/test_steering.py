"""Circuits and holds through the management door: ordered, seen, ended, with their author; nonsense is refused at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from lgsp.model.catalogue import Catalogue
from tests.e2e.management_door import Hub, listening_hub
from tests.unit.small_hub import PROVIDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON, LATER = "2026-09-21T15:00:00Z", "2026-09-21T18:00:00Z"  # the office's clock stands at 2026-09-21T14:13:20Z


@pytest_asyncio.fixture(loop_scope="module")
async def hub() -> AsyncIterator[Hub]:
    async with listening_hub(Catalogue([], [PROVIDER], "d1")) as listening:
        yield listening


async def test_a_circuit_is_forced_open_and_given_back(hub: Hub) -> None:
    order = {"state": "open", "until": SOON, "reason": "quá tải"}

    status, forced, _ = await hub.ask("PUT", "/circuits/land", "operator", json=order)
    await hub.ask("PUT", "/circuits/land", "operator", json={"state": "auto"})
    _, (freed,), _ = await hub.ask("GET", "/circuits")

    assert (status, forced["state"], forced["next_probe_at"]) == (200, "open", "2026-09-21T15:00:00.000Z")
    assert (forced["ruling"]["author"], forced["ruling"]["reason"]) == ("operator", "quá tải")
    assert "ruling" not in freed


async def test_a_hold_stands_in_the_calendar_until_it_is_released(hub: Hub) -> None:
    hold = {"provider": "land", "until": LATER, "reason": "bảo trì"}

    status, added, _ = await hub.ask("POST", "/holds", "operator", json=hold)
    _, calendar, _ = await hub.ask("GET", "/holds", "auditor")
    released = [(await hub.ask("POST", "/holds/releases", "operator", json={"provider": "land"}))[0] for _ in range(2)]
    _, acts, _ = await hub.ask("GET", "/acts?limit=2")

    assert (status, calendar) == (201, [added])
    assert released == [200, 404]
    assert [(act["author"], act["verb"], act["subject"]) for act in acts] == [("operator", "release", "land"), ("operator", "hold", "land")]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"state": "open", "until": "2020-01-01T00:00:00Z", "reason": "x"}, "/until"),
        ({"state": "open", "until": "2099-01-01T00:00:00Z", "reason": "x"}, "/until"),
        ({"state": "closed", "until": SOON}, "/reason"),
        ({"state": "closed", "until": "soon", "reason": "x"}, "/until"),
    ],
)
async def test_an_order_without_end_or_reason_is_refused_at_its_place(hub: Hub, body: dict[str, str], pointer: str) -> None:
    status, problem, _ = await hub.ask("PUT", "/circuits/land", json=body)

    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, [pointer])


async def test_a_provider_that_nothing_names_is_not_found(hub: Hub) -> None:
    order = {"state": "open", "until": SOON, "reason": "x"}

    assert (await hub.ask("PUT", "/circuits/nobody", json=order))[0] == 404
