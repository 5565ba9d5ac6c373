"""Receipts over real sockets: the feed, waiting for the final answer, both languages, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lgsp.acts import register
from tests.e2e.hub import Running, example

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOSSIERS, PROGRESS = "/dossiers/1/dossiers", "/dossiers/1/dossiers/progress"


def dossier(number: int) -> dict[str, Any]:
    return {**example("national_portal", "new_dossier"), "code": f"H99.131-261126-{number:04d}"}


async def receipts(hub: Running, query: str = "", **headers: str) -> Any:
    answer = await hub.client.get(f"{hub.data}/receipts{query}", headers={**hub.headers, **headers})
    return answer.json() if answer.status_code == 200 else answer


async def test_who_waits_gets_the_portals_answer_instead_of_a_receipt(hub: Running) -> None:
    answer = await hub.post(DOSSIERS, dossier(1), Prefer="wait=10")

    assert (answer.status_code, answer.json()["result"]) == (200, "created")
    assert answer.headers["preference-applied"] == "wait=10"
    receipt = (await hub.client.get(hub.data + answer.headers["location"], headers=hub.headers)).json()
    assert (receipt["state"], receipt["reply"]) == ("delivered", answer.json())


async def test_who_waits_hears_a_refusal_as_a_problem_in_their_language(hub: Running) -> None:
    progress = {**example("national_portal", "progress"), "dossier": "H99.131-261126-9999"}

    answer = await hub.post(PROGRESS, progress, Prefer="wait=10", Accept_Language="en")

    assert (answer.status_code, answer.headers["preference-applied"]) == (422, "wait=10")
    problem = answer.json()
    assert problem["type"].endswith("/provider-refused")
    assert problem["providerMessage"].startswith("Hồ sơ")
    assert problem["instance"] == f"urn:uuid:{answer.headers['location'].rpartition('/')[2]}"


async def test_who_waits_too_short_gets_the_receipt(hub: Running) -> None:
    await hub.fault("national_portal", kind="slow", seconds=2, count=1)

    answer = await hub.post(DOSSIERS, dossier(2), Prefer="wait=1")

    assert (answer.status_code, answer.headers["preference-applied"], answer.json()["state"]) == (202, "wait=1", "accepted")
    assert answer.headers["retry-after"]
    assert (await hub.settled(answer))["state"] == "delivered"


async def test_the_same_key_again_brings_the_final_answer_to_who_waits(hub: Running) -> None:
    first = await hub.post(DOSSIERS, dossier(3), Idempotency_Key="dossier-3")
    again = await hub.post(DOSSIERS, dossier(3), Idempotency_Key="dossier-3", Prefer="wait=10")

    assert (first.status_code, again.status_code) == (202, 200)
    assert (again.json()["result"], again.headers["idempotent-replayed"]) == ("created", "true")
    assert again.headers["location"] == first.headers["location"]


async def test_a_feed_is_read_on_from_its_last_cursor_and_nothing_comes_twice(hub: Running) -> None:
    begin = (await receipts(hub, "?limit=100"))["next"]
    sent = [await hub.post(DOSSIERS, dossier(number)) for number in range(10, 16)]
    await asyncio.gather(*[hub.settled(each) for each in sent])
    seen: list[str] = []

    page: dict[str, Any] = {"next": begin, "more": True}
    while page["more"]:
        page = await receipts(hub, f"?since={page['next']}&limit=4")
        seen += [receipt["id"] for receipt in page["receipts"]]

    assert sorted(seen) == sorted(each.json()["id"] for each in sent)
    assert (await receipts(hub, f"?since={page['next']}"))["receipts"] == []


async def test_the_texts_of_a_receipt_follow_the_readers_language(hub: Running) -> None:
    progress = {**example("national_portal", "progress"), "dossier": "H99.131-261126-8888"}
    refused = await hub.settled(await hub.post(PROGRESS, progress))

    titles = {language: await receipts(hub, f"/{refused['id']}", **{"Accept-Language": language}) for language in ("vi", "en")}

    assert titles["vi"]["problem"]["title"] == "Hệ thống cung cấp từ chối nghiệp vụ"
    assert titles["en"]["problem"]["title"] == "The provider refused"
    assert titles["en"]["problem"]["blame"] == "consumer"


async def test_a_feed_is_its_consumers_own(hub: Running) -> None:
    await hub.settled(await hub.post(DOSSIERS, dossier(30)))
    credential = await register.add_consumer(hub.hub.office, "VN/GOV/H99/health", "Y tế", "test")
    await hub.hub.store.refresh()
    token = hub.hub.tokens.issue(credential.client_id, "default", hub.hub.ports.now())

    assert (await receipts(hub, Authorization=f"Bearer {token}"))["receipts"] == []
    assert (await receipts(hub))["receipts"]


@pytest.mark.parametrize("query", ["?since=-1", "?since=abc", "?since=99999999999999999999", "?limit=0", "?limit=101", "?from=1"])
async def test_a_cursor_that_cannot_be_is_told(hub: Running, query: str) -> None:
    answer = await receipts(hub, query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("/query/")


async def test_the_feed_takes_no_writing_and_no_stranger(hub: Running) -> None:
    written = await hub.client.post(f"{hub.data}/receipts", headers=hub.headers)
    stranger = await hub.client.get(f"{hub.data}/receipts")

    assert (written.status_code, written.headers["allow"], stranger.status_code) == (405, "GET", 401)


async def test_receipts_are_asked_for_by_the_dossiers_code(hub: Running) -> None:
    answer = await hub.post(DOSSIERS, {**dossier(77), "code": "H99.131-261126-0077"})
    await hub.settled(answer)

    found = await receipts(hub, **{"Lgsp-Business-Key": "H99.131-261126-0077"})
    nothing = await receipts(hub, **{"Lgsp-Business-Key": "H99.131-261126-0078"})

    assert [receipt["id"] for receipt in found["receipts"]] == [answer.headers["location"].rpartition("/")[2]]
    assert nothing == {"receipts": []}
