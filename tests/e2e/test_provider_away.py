"""The portal is away: its twin sees few calls, the other provider's callers notice nothing, and the backlog arrives once and in time."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from lgsp.acts import steer
from lgsp.model.parties import RulingKind
from tests.e2e.hub import Running, example, running_hub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOSSIERS = "/dossiers/1/dossiers"
LOOKUP = {"citizen_id": "099090000001", "full_name": "Nguyễn Văn An", "birth_date": "1990-05-17"}
ROUNDS = int(os.environ.get("LGSP_TEST_ROUNDS", "200"))


@pytest_asyncio.fixture(loop_scope="module")
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_hub(tmp_path) as running:
        await running.register()
        yield running


def dossier(number: int) -> dict[str, Any]:
    return {**example("national_portal", "new_dossier"), "code": f"H99.129-261123-{number:04d}"}


async def lookups(hub: Running) -> float:
    """The 99th percentile of looking citizens up, in seconds."""
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        assert (await hub.post("/citizens/1/lookups", LOOKUP)).status_code == 200
        spent.append(time.perf_counter() - began)
    return sorted(spent)[int(len(spent) * 0.99) - 1]


def attempts(hub: Running) -> int:
    """How many attempts at the portal failed so far."""
    return int(hub.hub.ports.telemetry.attempts.labels("national_portal", "waiting")._value.get())


async def states(hub: Running) -> dict[str, int]:
    rows = await hub.hub.office.inspection.backlog()
    return dict(rows[0].states) if rows else {}


async def until_empty(hub: Running, seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while await states(hub):
            await asyncio.sleep(0.05)


async def test_a_provider_that_is_down_is_left_alone_and_the_others_notice_nothing(hub: Running) -> None:
    await lookups(hub)
    alone = await lookups(hub)
    await hub.fault("national_portal", kind="refuse")
    accepted = [await hub.post(DOSSIERS, dossier(number)) for number in range(1, 61)]
    await asyncio.sleep(1)
    beside = await lookups(hub)
    await asyncio.sleep(3)

    seen = attempts(hub)
    (view,) = [view for view in hub.hub.guard.views() if view.provider == "national_portal"]
    during = await states(hub)
    await hub.client.delete(f"{hub.twins['national_portal']}/_twin/faults")
    await until_empty(hub)

    assert {answer.status_code for answer in accepted} == {202}
    assert seen <= 8 + 2 * 8  # what was under way when the circuit opened, and the probes of a few seconds
    assert (sum(during.values()), "dead" in during) == (60, False)
    assert view.mode in {"open", "half_open"}
    assert beside < 3 * alone + 0.005, f"p99 {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside it"
    assert sorted(row["key"] for row in await hub.ledger("national_portal")) == [dossier(number)["code"] for number in range(1, 61)]


async def test_what_waits_for_a_held_provider_is_delivered_after_the_release_with_a_ramp(hub: Running) -> None:
    until = hub.hub.office.now() + 600
    await steer.order(hub.hub.office, steer.Order("national_portal", RulingKind.HOLD, until, "bảo trì theo thông báo"), "an")
    for number in range(1, 61):
        await hub.post(DOSSIERS, dossier(number))
    await asyncio.sleep(1.2)
    held, entries = await states(hub), await hub.ledger("national_portal")

    await steer.release(hub.hub.office, "national_portal", "binh")
    limits = []
    while await states(hub):
        limits.append(next(view.limit for view in hub.hub.guard.views() if view.provider == "national_portal"))
        await asyncio.sleep(0.01)

    assert (held, entries) == ({"waiting": 60}, [])
    assert (limits[0] <= 4, limits == sorted(limits), limits[-1]) == (True, True, 8)
    assert len(await hub.ledger("national_portal")) == 60
