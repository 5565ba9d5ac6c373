"""Dossiers through the hub to the portal's twin: sessions, duplicates, refusals and faults; each effect exactly once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.e2e.hub import Running, example

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOSSIERS, PROGRESS = "/dossiers/1/dossiers", "/dossiers/1/dossiers/progress"


def dossier(number: int, **changes: Any) -> dict[str, Any]:
    return {**example("national_portal", "new_dossier"), "code": f"H99.129-261123-{number:04d}", **changes}


async def effects(hub: Running) -> Counter[tuple[str, str]]:
    return Counter((row["key"], row["effect"]) for row in await hub.ledger("national_portal"))


async def test_a_dossier_arrives_once_and_its_receipt_tells_the_portals_answer(hub: Running) -> None:
    accepted = await hub.post(DOSSIERS, dossier(1))
    receipt = await hub.settled(accepted)

    assert accepted.status_code == 202
    assert (receipt["state"], receipt["attempts"], receipt["reply"]["result"]) == ("delivered", 1, "created")
    assert sum(n for (key, _), n in (await effects(hub)).items() if key == dossier(1)["code"]) == 1


async def test_a_known_dossier_is_sent_as_an_update(hub: Running) -> None:
    await hub.settled(await hub.post(DOSSIERS, dossier(2)))

    receipt = await hub.settled(await hub.post(DOSSIERS, dossier(2, subject="Bổ sung thông tin")))

    assert (receipt["state"], receipt["reply"]["result"]) == ("delivered", "updated")


async def test_progress_follows_its_dossier_in_order(hub: Running) -> None:
    progress = {**example("national_portal", "progress"), "dossier": dossier(3)["code"]}
    first = await hub.post(DOSSIERS, dossier(3))
    second = await hub.post(PROGRESS, progress)

    receipts = [await hub.settled(first), await hub.settled(second)]

    assert [receipt["state"] for receipt in receipts] == ["delivered", "delivered"], receipts


async def test_a_step_that_is_sent_twice_without_a_key_is_one_and_a_dossier_that_comes_back_to_a_state_is_news(hub: Running) -> None:
    progress = {**example("national_portal", "progress"), "dossier": dossier(5)["code"]}
    states = [dossier(5), dossier(5, subject="Chờ nộp phí"), dossier(5)]
    synced = [await hub.settled(await hub.post(DOSSIERS, each)) for each in states]

    first, again = [await hub.post(PROGRESS, progress) for _ in range(2)]
    later = await hub.post(PROGRESS, {**progress, "note": "Trình ký"})

    assert [receipt["state"] for receipt in synced] == ["delivered"] * 3
    assert len({receipt["id"] for receipt in synced}) == 3
    assert (first.json()["id"], "idempotent-replayed" in first.headers) == (again.json()["id"], False)
    assert (again.headers["idempotent-replayed"], later.json()["id"] == first.json()["id"]) == ("true", False)
    assert [(await hub.settled(each))["state"] for each in (first, later)] == ["delivered", "delivered"]


async def test_a_refusal_is_told_in_the_portals_own_words(hub: Running) -> None:
    progress = {**example("national_portal", "progress"), "dossier": "H99.129-261123-9999"}

    receipt = await hub.settled(await hub.post(PROGRESS, progress))

    assert receipt["state"] == "refused"
    assert receipt["reply"]["providerMessage"]
    assert receipt["problem"]["type"].endswith("/provider-refused")


async def test_a_limit_of_the_portal_is_told_at_once(hub: Running) -> None:
    answer = await hub.post(DOSSIERS, dossier(4, status="received", due_at=None) | {"subject": "x" * 1001})

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_an_ended_session_is_opened_anew_without_losing_or_doubling(hub: Running) -> None:
    await hub.client.put(f"{hub.twins['national_portal']}/_twin/sessions", json={"uses": 1})

    receipts = [await hub.settled(await hub.post(DOSSIERS, dossier(number))) for number in range(10, 15)]

    await hub.client.put(f"{hub.twins['national_portal']}/_twin/sessions", json={"uses": None, "ttl_s": 300})
    assert [receipt["state"] for receipt in receipts] == ["delivered"] * 5
    made = await effects(hub)
    assert all(sum(n for (key, _), n in made.items() if key == dossier(number)["code"]) == 1 for number in range(10, 15))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html502", "count": 2},
        {"kind": "drop", "count": 2},
        {"kind": "empty", "count": 1},
        {"kind": "down", "seconds": 1},
    ],
)
async def test_a_fault_delays_a_dossier_and_loses_nothing(hub: Running, fault: dict[str, Any]) -> None:
    number = {"html502": 20, "drop": 21, "empty": 22, "down": 23}[fault["kind"]]
    await hub.fault("national_portal", **fault)

    receipt = await hub.settled(await hub.post(DOSSIERS, dossier(number)))

    assert receipt["state"] == "delivered", receipt
    assert sum(n for (key, _), n in (await effects(hub)).items() if key == dossier(number)["code"]) == 1


async def test_an_answer_that_is_lost_after_the_effect_does_not_insert_twice(hub: Running) -> None:
    await hub.settled(await hub.post(DOSSIERS, dossier(30)))  # a session is open
    await hub.fault("national_portal", kind="drop", count=2, after_effect=True)

    receipt = await hub.settled(await hub.post(DOSSIERS, dossier(31)))

    assert receipt["state"] == "delivered", receipt
    assert (await effects(hub))[dossier(31)["code"], "created"] <= 1


async def test_the_same_key_gives_the_same_receipt(hub: Running) -> None:
    first = await hub.post(DOSSIERS, dossier(40), Idempotency_Key='"dossier-40"')
    again = await hub.post(DOSSIERS, dossier(40), Idempotency_Key='"dossier-40"')
    other = await hub.post(DOSSIERS, dossier(41), Idempotency_Key='"dossier-40"')

    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422


async def test_a_receipt_belongs_to_its_consumer(hub: Running) -> None:
    answer = await hub.client.get(f"{hub.data}/receipts/00000000-0000-7000-8000-000000000001", headers=hub.headers)

    assert answer.status_code == 404
