"""Outbox and Receipts: messages owed to providers."""

from __future__ import annotations

import asyncio

import pytest

from lgsp.errors import Fault
from lgsp.model.happening import Outcome, Reply, Settlement, State
from lgsp.model.parties import SubsystemId

CONSUMER, HEALTH = SubsystemId("VN/GOV/H99/onestop"), SubsystemId("VN/GOV/H99/health")
ACCEPTED = Reply(202, b'{"state":"accepted"}', (("Content-Type", "application/json"),))


async def settle(store, make, due, state, **changes):
    closed = make.closed(due.stored.message_id, attempt=due.attempt, outcome=Outcome.FAILED, status=502)
    return await store.settle(due, Settlement(state, make.clock(), **changes), closed)


async def claim(store, clock, limit=10, lease_s=60.0):
    return await store.claim("portal", limit, clock(), lease_s)


async def test_an_accepted_message_is_due_at_once_and_whole(store, make, clock):
    stored = make.stored(order_key="H99-1", business_key="H99-1")

    await store.accept(stored, None, ACCEPTED)

    (due,) = await claim(store, clock)
    assert due.stored == stored
    assert (due.attempt, due.began, due.finished) == (1, frozenset(), frozenset())


async def test_a_key_is_finished_with_the_message_and_gives_back_the_receipt(store, make, clock):
    first, second = make.stored(), make.stored()

    answers = [await store.accept(first, make.key(), ACCEPTED), await store.accept(second, make.key(), ACCEPTED)]

    assert answers[0] is None
    assert (answers[1].message_id, answers[1].reply) == (first.message_id, ACCEPTED)
    assert [due.stored.message_id for due in await claim(store, clock)] == [first.message_id]


async def test_a_claimed_message_is_not_claimed_again_before_its_lease_ends(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (first,) = await claim(store, clock)

    at_once = await claim(store, clock)
    clock.at += 61
    (later,) = await claim(store, clock)

    assert at_once == []
    assert (later.attempt, later.lease > first.lease) == (2, True)


async def test_workers_that_claim_at_once_never_get_the_same_message(store, make, clock):
    stored = [make.stored() for _ in range(60)]
    await asyncio.gather(*[store.accept(each, None, ACCEPTED) for each in stored])

    batches = await asyncio.gather(*[claim(store, clock) for _ in range(8)])

    got = [due.stored.message_id for batch in batches for due in batch]
    assert sorted(got) == sorted(each.message_id for each in stored)


async def test_a_claim_takes_no_more_than_its_limit_and_only_its_provider(store, make, clock):
    for provider in ("portal", "portal", "portal", "land"):
        await store.accept(make.stored(provider=provider), None, ACCEPTED)

    found = await claim(store, clock, limit=2)

    assert [due.stored.provider for due in found] == ["portal", "portal"]
    assert await store.due_providers(clock()) == ["land", "portal"]


async def test_only_the_head_of_an_order_key_is_due(store, make, clock):
    first, second, other = make.stored(order_key="A"), make.stored(order_key="A"), make.stored(order_key="B")
    for each in (first, second, other):
        await store.accept(each, None, ACCEPTED)

    heads = await claim(store, clock)
    nothing = await claim(store, clock)
    await settle(store, make, heads[0], State.DELIVERED)
    after = await claim(store, clock)

    assert [due.stored.message_id for due in heads] == [first.message_id, other.message_id]
    assert nothing == []
    assert [due.stored.message_id for due in after] == [second.message_id]


@pytest.mark.parametrize(
    ("state", "passes"),
    [
        (State.REFUSED, True),
        (State.EXPIRED, True),
        (State.DEAD, False),
        (State.UNKNOWN, False),
        (State.HELD, False),
        (State.WAITING, False),
    ],
)
async def test_a_message_at_rest_holds_back_its_order_key(store, make, clock, state, passes):
    for _ in range(2):
        await store.accept(make.stored(order_key="A"), None, ACCEPTED)
    (head,) = await claim(store, clock)

    await settle(store, make, head, state, due_at=clock() + 500 if state is State.WAITING else None)

    assert bool(await claim(store, clock)) is passes


@pytest.mark.parametrize(
    ("state", "passes"),
    [(State.DEAD, True), (State.REFUSED, True), (State.UNKNOWN, False), (State.HELD, False), (State.WAITING, False)],
)
async def test_a_message_that_skips_lets_its_order_key_go_on_once_dead_and_not_otherwise(store, make, clock, state, passes):
    first, second = (make.stored(order_key="A", skips_dead=True) for _ in range(2))
    for each in (first, second):
        await store.accept(each, None, ACCEPTED)
    (head,) = await claim(store, clock)

    await settle(store, make, head, state, due_at=clock() + 500 if state is State.WAITING else None)

    expected = [second.message_id] if passes else []
    assert [due.stored.message_id for due in await claim(store, clock)] == expected
    assert head.stored == await store.stored(first.message_id) == first


async def test_each_dead_message_holds_or_lets_pass_by_its_own_choice(store, make, clock):
    choices = [True, False, True]
    stored = [make.stored(order_key="A", skips_dead=choice) for choice in choices]
    for each in stored:
        await store.accept(each, None, ACCEPTED)

    taken = []
    for _ in choices:
        for due in await claim(store, clock):
            taken.append(due.stored.message_id)
            await settle(store, make, due, State.DEAD)

    assert taken == [each.message_id for each in stored[:2]]


async def test_a_skipped_message_that_is_replayed_goes_out_of_order_and_holds_the_next_meanwhile(store, make, clock):
    dead, younger, youngest = (make.stored(order_key="A", skips_dead=True) for _ in range(3))
    for each in (dead, younger):
        await store.accept(each, None, ACCEPTED)
    await settle(store, make, (await claim(store, clock))[0], State.DEAD)
    await settle(store, make, (await claim(store, clock))[0], State.DELIVERED)
    await store.accept(youngest, None, ACCEPTED)
    await store.replay(dead.message_id, "an", clock())

    again = await claim(store, clock)
    await settle(store, make, again[0], State.DELIVERED)
    last = await claim(store, clock)

    assert [due.stored.message_id for due in again] == [dead.message_id]
    assert [due.stored.message_id for due in last] == [youngest.message_id]


async def test_a_message_that_waits_for_its_next_attempt_is_due_when_its_time_has_come(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (due,) = await claim(store, clock)
    await settle(store, make, due, State.WAITING, due_at=clock() + 30)

    early = await claim(store, clock), await store.due_providers(clock())
    clock.at += 31
    late = await store.due_providers(clock()), await claim(store, clock)

    assert early == ([], [])
    assert late[0] == ["portal"]
    assert late[1][0].attempt == 2


async def test_a_worker_whose_lease_was_taken_over_writes_nothing(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (zombie,) = await claim(store, clock)
    clock.at += 61
    (heir,) = await claim(store, clock)
    before = await store.timeline(zombie.stored.message_id)

    written = await settle(store, make, zombie, State.DELIVERED, reply=b"{}")
    with pytest.raises(Fault):
        await store.begin_call(zombie, "sync", finished=False)

    assert written is False
    assert await store.timeline(zombie.stored.message_id) == before
    assert await settle(store, make, heir, State.DELIVERED) is True
    assert await settle(store, make, heir, State.DELIVERED) is False


async def test_a_zombie_and_its_heir_in_one_batch_are_told_apart(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (zombie,) = await claim(store, clock)
    clock.at += 61
    (heir,) = await claim(store, clock)

    written = await asyncio.gather(settle(store, make, zombie, State.DEAD), settle(store, make, heir, State.DELIVERED))

    assert written == [False, True]


async def test_unsafe_calls_that_were_begun_and_finished_are_remembered_for_the_next_attempt(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (due,) = await claim(store, clock)
    await store.begin_call(due, "insert", finished=False)
    await store.begin_call(due, "insert", finished=True)
    await store.begin_call(due, "update", finished=False)
    clock.at += 61

    (again,) = await claim(store, clock)

    assert (again.began, again.finished) == ({"insert", "update"}, {"insert"})
    calls = [entry.facts for entry in await store.timeline(due.stored.message_id) if entry.event == "call"]
    assert calls[:2] == [{"name": "insert", "finished": False}, {"name": "insert", "finished": True}]


@pytest.mark.parametrize("state", [State.WAITING, State.DEAD])
async def test_a_call_that_surely_came_to_nothing_may_be_begun_again(store, make, clock, state):
    await store.accept(make.stored(), None, ACCEPTED)
    (due,) = await claim(store, clock)
    await store.begin_call(due, "insert", finished=False)
    await store.begin_call(due, "insert", finished=True)
    await store.begin_call(due, "update", finished=False)

    await settle(store, make, due, state, due_at=clock() if state is State.WAITING else None)

    await store.replay(due.stored.message_id, "test", clock())
    (again,) = await claim(store, clock)
    assert (again.began, again.finished) == ({"insert"}, {"insert"})


async def test_only_what_failed_on_record_is_said_to_have_failed(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    await claim(store, clock)
    clock.at += 61

    (after_a_crash,) = await claim(store, clock)
    await settle(store, make, after_a_crash, State.WAITING, due_at=clock(), cause="provider-failed")
    (after_a_failure,) = await claim(store, clock)

    assert (after_a_crash.has_failed, after_a_failure.has_failed) == (False, True)


async def test_an_attempt_cannot_end_in_a_state_that_no_attempt_leads_to(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    (due,) = await claim(store, clock)

    with pytest.raises(ValueError, match="cancelled"):
        await settle(store, make, due, State.CANCELLED)


async def test_the_receipt_follows_the_message(store, make, clock):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)

    waiting = await store.receipt(stored.message_id, stored.consumer)
    (due,) = await claim(store, clock)
    delivering = await store.receipt(stored.message_id, stored.consumer)
    clock.at += 5
    await settle(store, make, due, State.DELIVERED, reply='{"số":"1"}'.encode(), status=200)
    delivered = await store.receipt(stored.message_id, stored.consumer)

    assert (waiting.state, waiting.attempts, waiting.due_at, waiting.settled_at) == (State.WAITING, 0, stored.accepted_at, None)
    assert (delivering.state, delivering.attempts, delivering.due_at) == (State.DELIVERING, 1, None)
    assert (delivered.state, delivered.settled_at, delivered.reply) == (State.DELIVERED, clock(), '{"số":"1"}'.encode())


async def test_a_receipt_is_for_its_consumer_only_and_any_other_text_is_no_message(store, make):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)

    found = [
        await store.receipt(stored.message_id, SubsystemId("VN/GOV/H99/other")),
        await store.receipt("no such id", stored.consumer),
        await store.receipt(make.new_id(), stored.consumer),
    ]

    assert found == [None] * 3


async def test_dead_letters_are_grouped_by_cause_and_replayed_with_their_author(store, make, clock):
    stored = [make.stored(provider="portal") for _ in range(3)]
    for each in stored:
        await store.accept(each, None, ACCEPTED)
    for due in await claim(store, clock):
        await settle(store, make, due, State.DEAD, cause="provider-failed", blame="provider", detail="x")

    (group,) = await store.dead(10)
    provider = await store.replay(stored[0].message_id, "an", clock() + 1)
    twice = await store.replay(stored[0].message_id, "an", clock() + 1)

    assert (group.count, group.cause, group.blame) == (3, "provider-failed", "provider")
    assert set(group.message_ids) == {each.message_id for each in stored}
    assert (provider, twice) == ("portal", None)
    assert (await store.dead(10))[0].count == 2
    (act,) = await store.acts(5)
    assert (act.author, act.verb, act.subject) == ("an", "replay", stored[0].message_id)
    assert [entry.event for entry in await store.timeline(stored[0].message_id)] == ["accepted", "closed", "settled", "act"]


async def test_a_replayed_message_has_its_attempts_and_its_time_anew(store, make, clock):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)
    (due,) = await claim(store, clock)
    await settle(store, make, due, State.DEAD)
    clock.at += 100_000

    await store.replay(stored.message_id, "an", clock())

    (again,) = await claim(store, clock)
    assert (again.attempt, again.stored.deadline_at) == (1, clock() + 3600)
    assert again.lease > due.lease


async def test_what_cannot_be_replayed_stays_as_it_is(store, make, clock):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)

    answers = [await store.replay(each, "an", clock()) for each in (stored.message_id, make.new_id(), "nonsense")]

    assert answers == [None] * 3
    assert await store.acts(5) == []


async def test_the_backlog_counts_what_is_owed_by_provider_and_state(store, make, clock):
    oldest = clock()
    for _ in range(3):
        await store.accept(make.stored(), None, ACCEPTED)
        clock.at += 1
    await store.accept(make.stored(provider="land"), None, ACCEPTED)
    dues = await claim(store, clock, limit=2)
    await settle(store, make, dues[1], State.DEAD)

    land, portal = await store.backlog()

    assert (land.provider, dict(land.states)) == ("land", {"waiting": 1})
    assert (portal.provider, dict(portal.states), portal.oldest_at) == ("portal", {"delivering": 1, "waiting": 1, "dead": 1}, oldest)


async def test_consumers_take_turns_however_much_one_of_them_sends(store, make, clock):
    flood = [make.stored() for _ in range(20)]
    other = make.stored(consumer=SubsystemId("VN/GOV/H99/health"))
    for each in (*flood, other):
        await store.accept(each, None, ACCEPTED)

    first = await claim(store, clock, limit=4)

    assert {due.stored.message_id for due in first} == {other.message_id, *[each.message_id for each in flood[:3]]}


async def test_consumers_take_turns_from_one_claim_to_the_next(store, make, clock):
    for consumer in [CONSUMER] * 4 + [HEALTH] * 2:
        await store.accept(make.stored(consumer=consumer), None, ACCEPTED)

    served = [due.stored.consumer for _ in range(6) for due in await claim(store, clock, limit=1)]

    assert served == [HEALTH, CONSUMER, HEALTH, CONSUMER, CONSUMER, CONSUMER]


async def test_neither_one_consumer_s_flood_nor_what_is_due_later_stands_before_the_next_claim(store, make, clock):
    for matter in range(8):
        flood = [make.stored(order_key=f"dossier {matter}" if number % 2 else None) for number in range(20)]
        await asyncio.gather(*[store.accept(each, None, ACCEPTED) for each in flood])
    other, urgent = make.stored(consumer=HEALTH), make.stored(deadline_at=clock() + 60)
    for each in (other, urgent):
        await store.accept(each, None, ACCEPTED)

    first = await claim(store, clock, limit=2)

    assert {due.stored.message_id for due in first} == {other.message_id, urgent.message_id}


async def test_retries_that_wait_stand_in_nobody_s_way_and_come_in_their_turn(store, make, clock):
    retried = [make.stored(deadline_at=clock() + 100) for _ in range(20)]
    for each in retried:
        await store.accept(each, None, ACCEPTED)
    for due in await claim(store, clock, limit=20):
        await settle(store, make, due, State.WAITING, due_at=clock() + 50)
    fresh = make.stored()
    await store.accept(fresh, None, ACCEPTED)

    now = await claim(store, clock)
    clock.at += 50
    later = await claim(store, clock, limit=20)

    assert [due.stored.message_id for due in now] == [fresh.message_id]
    assert {due.stored.message_id for due in later} == {each.message_id for each in retried}


@pytest.mark.parametrize("wait_s", [0, 40])
async def test_who_waited_behind_another_is_due_as_soon_as_that_one_is_settled(store, make, clock, wait_s):
    ahead, behind = make.stored(order_key="H99-1"), make.stored(order_key="H99-1")
    for each in (ahead, behind):
        await store.accept(each, None, ACCEPTED)
    (due,) = await claim(store, clock, lease_s=600)
    clock.at += wait_s
    blocked = await claim(store, clock)

    await settle(store, make, due, State.DELIVERED)

    assert (list(blocked), [each.stored.message_id for each in await claim(store, clock)]) == ([], [behind.message_id])


async def test_what_is_due_by_law_earlier_goes_first_and_then_what_came_first(store, make, clock):
    stored = [make.stored(deadline_at=clock() + days * 86_400) for days in (3, 1, 2, 1)]
    for each in stored:
        await store.accept(each, None, ACCEPTED)

    order = [due.stored.message_id for _ in stored for due in await claim(store, clock, limit=1)]

    assert order == [stored[place].message_id for place in (1, 3, 2, 0)]
