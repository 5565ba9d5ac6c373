"""The acts over memory drivers: what they refuse, what they leave, and the way of a message in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lgsp.acts import explain, grant, people, register, replay, status
from lgsp.drivers.memory import MemoryStore
from lgsp.errors import Fault
from lgsp.model.agreed import Service
from lgsp.model.catalogue import Catalogue
from lgsp.model.happening import Closed, Outcome, Reply, Settlement, State, Stored
from lgsp.model.parties import Purpose, Right, SubsystemId
from lgsp.ports.office import TimelineEntry
from tests.unit.office import NOW, PASSWORD, make_office
from tests.unit.small_hub import DESK, OPERATION, PROVIDER

ID = "0190f3c2-7a10-7c3e-9d4b-5a1f00000001"
PURPOSES = frozenset({"residence"})
SERVICE = Service("parcels", 1, "1.0.0", {"vi": "Thửa đất"}, (OPERATION,), {}, "digest")


@pytest.fixture
def store():
    return MemoryStore(lambda: NOW)


@pytest.fixture
def office(store):
    return make_office(store, Catalogue([SERVICE], [PROVIDER], "digest"))


def stored() -> Stored:
    facts = {"deadline_at": NOW + 60, "digest": "d", "order_key": None, "business_key": None, "trace_id": "0" * 31 + "1"}
    return Stored(
        message_id=ID,
        consumer=DESK,
        service="parcels",
        major=1,
        operation="register",
        provider="land",
        purpose=Purpose(),
        parameters={},
        request=b"{}",
        accepted_at=NOW,
        **facts,
    )


def closed(outcome: Outcome, cause: str, attempt: int) -> Closed:
    return Closed(
        message_id=ID,
        attempt=attempt,
        at=NOW + 1,
        consumer=DESK,
        service="parcels",
        operation="register",
        outcome=outcome,
        status=502,
        blame="provider" if cause else "",
        cause=cause,
        reply_digest=b"",
        duration_us=812_345,
        stages=(("deliver", 800_000), ("settle", 12_345)),
        trace_id="0" * 31 + "1",
    )


async def settled_as(store: MemoryStore, state: State, cause: str = "") -> None:
    await store.accept(stored(), None, Reply(202, b"{}"))
    (due,) = await store.claim("land", 1, NOW, 30)
    outcome = Outcome.DELIVERED if state is State.DELIVERED else Outcome.FAILED
    settlement = Settlement(state, NOW + 1, blame="provider" if cause else "", cause=cause)
    assert await store.settle(due, settlement, closed(outcome, cause, due.attempt))


async def test_a_consumer_gets_a_secret_that_the_hub_keeps_as_a_digest_only(office, store):
    credential = await register.add_consumer(office, DESK, "Một cửa", "lan")

    assert await store.secret_macs(credential.client_id) == (office.mac(credential.secret.encode()),)
    assert credential.secret not in repr(credential)


async def test_a_second_secret_stands_beside_the_first(office, store):
    first = await register.add_consumer(office, DESK, "", "lan")

    second = await register.add_secret(office, first.client_id, "lan")

    assert set(await store.secret_macs(first.client_id)) == {office.mac(each.secret.encode()) for each in (first, second)}


async def test_the_same_subsystem_is_not_registered_twice(office):
    await register.add_consumer(office, DESK, "", "lan")

    with pytest.raises(Fault, match="already-exists"):
        await register.add_consumer(office, DESK, "", "lan")


async def test_a_suspended_consumer_comes_back_by_the_same_act(office, store):
    credential = await register.add_consumer(office, DESK, "", "lan")

    await register.set_active(office, credential.client_id, "an", active=False)
    suspended = store.consumer(credential.client_id)
    await register.set_active(office, credential.client_id, "an", active=True)

    assert (suspended.active, store.consumer(credential.client_id).active) == (False, True)


async def test_a_right_to_what_is_not_published_tells_all_its_faults_together(office):
    right = Right(SubsystemId("VN/GOV/H99/nobody"), "parcels", "nothing", PURPOSES, not_before=NOW, not_after=NOW - 1)

    with pytest.raises(Fault) as refused:
        await grant.grant(office, right, "an")

    assert [violation.pointer for violation in refused.value.errors] == ["/consumer", "/operation", "/not_after"]


async def test_a_right_to_personal_data_needs_a_purpose(office):
    await register.add_consumer(office, DESK, "", "lan")

    with pytest.raises(Fault) as refused:
        await grant.grant(office, Right(DESK, "parcels", "find", frozenset()), "an")

    assert [violation.pointer for violation in refused.value.errors] == ["/purposes"]


async def test_a_withdrawn_right_is_gone(office):
    await register.add_consumer(office, DESK, "", "lan")
    await grant.grant(office, Right(DESK, "parcels", "find", PURPOSES), "an")
    granted = await grant.rights(office)

    await grant.withdraw(office, DESK, "parcels", "find", "an")

    assert (len(granted), await grant.rights(office)) == (1, [])


async def test_a_dead_message_is_replayed_with_its_author_and_rings(office, store):
    await settled_as(store, State.DEAD, "provider-cut")

    provider = await replay.replay(office, ID, "binh")

    assert (provider, office.bell.rings) == ("land", [("land", (ID,))])
    assert [(act.author, act.verb, act.subject) for act in await store.acts(1)] == [("binh", "replay", ID)]


@pytest.mark.parametrize(("state", "slug"), [(State.DELIVERED, "not-replayable"), (None, "not-found")])
async def test_a_message_that_is_not_at_rest_is_not_replayed(office, store, state, slug):
    if state:
        await settled_as(store, state)

    with pytest.raises(Fault, match=slug):
        await replay.replay(office, ID, "binh")

    assert office.bell.rings == []


async def test_status_counts_dead_letters_by_cause(office, store):
    await settled_as(store, State.DEAD, "provider-cut")

    found = await status.status(office)

    assert (found.dead, found.catalogue, found.uptime_s) == ({"provider-cut": 1}, "digest", 60.0)


async def test_a_person_signs_in_and_the_role_is_read_anew(office, store):
    await people.add_person(office, people.Applicant("binh", "operator", PASSWORD), "admin")

    session = await people.sign_in(office, "binh", PASSWORD, "127.0.0.1")
    store._people["binh"] = replace(store._people["binh"], role="auditor")

    assert session.role == "operator"
    assert (await people.who(office, session.token)).role == "auditor"
    assert session.token not in repr(session)


async def test_a_password_is_kept_as_an_argon2_digest(office, store):
    await people.add_person(office, people.Applicant("binh", "operator", PASSWORD), "admin")

    assert (await store.person("binh")).password.startswith("$argon2id$")


async def test_failures_lock_one_name_at_one_source_and_end(office):
    await people.add_person(office, people.Applicant("binh", "operator", PASSWORD), "admin")
    for _ in range(5):
        with pytest.raises(Fault, match="sign-in-failed"):
            await people.sign_in(office, "binh", "wrong", "10.0.0.1")

    with pytest.raises(Fault, match="sign-in-locked"):
        await people.sign_in(office, "binh", PASSWORD, "10.0.0.1")

    assert (await people.sign_in(office, "binh", PASSWORD, "10.0.0.2")).role == "operator"
    assert (await people.sign_in(replace(office, now=lambda: NOW + 61), "binh", PASSWORD, "10.0.0.1")).role == "operator"


async def test_a_flood_of_sign_ins_is_told_to_come_back(office):
    answers = await asyncio.gather(*(people.sign_in(office, f"n{n}", "wrong", "x") for n in range(40)), return_exceptions=True)

    assert {fault.slug for fault in answers} == {"sign-in-failed", "overloaded"}


async def test_explain_tells_attempt_outcome_fault_and_what_to_do(office, store):
    await settled_as(store, State.DEAD, "provider-cut")

    text = await explain.explain(office, ID, "en")

    assert f"Consumer: {DESK}" in text
    assert "Attempt 1: failed, status 502, took 812.3 ms" in text
    assert "stages: deliver 800.0 ms, settle 12.3 ms" in text
    assert text.splitlines()[-4:] == [
        "Now: at rest, needs a person",
        "cause: The connection to the provider was cut (provider-cut)",
        "whose fault: the provider",
        "To do: Send again later.",
    ]


async def test_explain_speaks_vietnamese_in_vietnamese_time(office, store):
    await settled_as(store, State.DELIVERED)

    text = await explain.explain(office, ID, "vi")

    assert "2026-09-21 21:13:20.000  Đã nhận và lưu bền vững; hạn gửi 2026-09-21 21:14:20.000" in text
    assert "Lần 1: thành công, mã 502, mất 812,3 ms" in text
    assert text.endswith("Hiện tại: đã giao\nCần làm: Không cần làm gì.")


def test_explain_says_when_the_next_attempt_is():
    facts = {"state": State.WAITING, "due_at": NOW + 4.5, "cause": "provider-unreachable", "blame": "network"}

    text = explain.tell(ID, [TimelineEntry(NOW, "settled", 1, facts)], "en")

    assert "State: waiting to be sent; again at 2026-09-21 21:13:24.500" in text
    assert text.endswith("To do: Nothing; the hub sends it by itself.")


def test_an_exchange_whose_caller_waits_has_no_attempt_number():
    text = explain.tell(ID, [TimelineEntry(NOW, "opened", 0, {"provider": "land"})], "vi")

    assert "2026-09-21 21:13:20.000  Bắt đầu gọi land" in text


@pytest.mark.parametrize(
    ("event", "facts", "ending"),
    [
        ("opened", {"provider": "land"}, "To do: Wait; if the exchange broke off, the hub finds out the outcome by itself."),
        ("accepted", {}, "To do: Nothing; the hub sends it by itself."),
        ("act", {"verb": "replay", "author": "binh"}, "Now: waiting to be sent\nTo do: Nothing; the hub sends it by itself."),
        ("closed", {"outcome": "failed", "cause": "a-cause-of-later"}, "To do: Read the details above and decide whether to replay."),
        ("something-new", {}, "Now: no result yet\nTo do: Wait; if the exchange broke off, the hub finds out the outcome by itself."),
    ],
)
def test_explain_ends_with_where_the_message_stands(event, facts, ending):
    assert explain.tell(ID, [TimelineEntry(NOW, event, 1, facts)], "en").endswith(ending)


@pytest.mark.parametrize(
    ("facts", "ending"),
    [
        ({"outcome": "unknown", "cause": "attempt-lost"}, "Now: delivered\nTo do: Nothing."),
        ({"outcome": "handed_over"}, "To do: Nothing; the addressee is to confirm it, or it is handed out again."),
    ],
)
def test_an_attempt_that_was_lost_does_not_say_where_the_message_stands(facts, ending):
    settled = TimelineEntry(NOW, "settled", 2, {"state": State.DELIVERED})

    text = explain.tell(ID, [settled, TimelineEntry(NOW + 60, "closed", 1, facts)], "en")

    assert text.endswith(ending)


@pytest.mark.parametrize(
    ("verb", "standing"),
    [("read_correction", "delivered"), ("decide_dead", "at rest, needs a person"), ("replay_in_run", "waiting to be sent")],
)
def test_an_act_says_where_the_message_stands_only_where_it_moved_it(verb, standing):
    settled = TimelineEntry(NOW, "settled", 2, {"state": State.DELIVERED})
    act = TimelineEntry(NOW + 1, "act", 0, {"verb": verb, "author": "lan", "reason": "theo công văn"})

    text = explain.tell(ID, [settled, act], "en")

    assert f"Lan did: {verb} (theo công văn)" in text
    assert f"Now: {standing}\n" in text


@pytest.mark.parametrize("language", explain.LANGUAGES)
def test_every_state_and_outcome_has_words(language):
    assert set(explain.STATES[language]) == set(State)
    assert set(explain.OUTCOMES[language]) == set(Outcome)


async def test_the_way_of_an_unknown_message_is_not_found(office):
    with pytest.raises(Fault, match="not-found"):
        await explain.explain(office, ID, "vi")
