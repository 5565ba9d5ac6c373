"""The feed of receipts: each settlement once, in an order that who reads never has to look back over."""

from __future__ import annotations

import asyncio

import pytest

from lgsp.model.happening import Outcome, Reply, Settlement, State
from lgsp.model.parties import SubsystemId
from lgsp.ports.office import Decision

ACCEPTED = Reply(202, b"{}", ())
OTHER = SubsystemId("VN/GOV/H99/health")


async def accept(store, make, **changes):
    stored = make.stored(**changes)
    await store.accept(stored, None, ACCEPTED)
    return stored


async def settle(store, make, state=State.DELIVERED, limit=100, **changes):
    """Everything that is due; the ids in the order of settling."""
    dues = await store.claim("portal", limit, make.clock(), 60.0)
    for due in dues:
        closed = make.closed(due.stored.message_id, attempt=due.attempt, outcome=Outcome.DELIVERED)
        await store.settle(due, Settlement(state, make.clock(), **changes), closed)
    return [due.stored.message_id for due in dues]


async def read(store, since=0, limit=100, consumer=None):
    found = await store.feed(consumer or SubsystemId("VN/GOV/H99/onestop"), since, limit)
    return [(receipt.number, receipt.message_id, receipt.state) for receipt in found]


async def test_what_came_to_rest_is_in_the_feed_once_in_the_order_of_settling(store, make, clock):
    for _ in range(3):
        await accept(store, make)
        clock.at += 1
    first = await settle(store, make, limit=2, reply='{"số":1}'.encode())
    clock.at += 1
    early = await store.feed(SubsystemId("VN/GOV/H99/onestop"), 0, 10)
    second = await settle(store, make, State.REFUSED, cause="provider-refused")

    page = await read(store)

    assert [receipt.message_id for receipt in early] == first
    assert [receipt.reply for receipt in early] == ['{"số":1}'.encode()] * 2
    assert [message_id for _, message_id, _ in page] == [*first, *second]
    assert [state for *_, state in page] == [State.DELIVERED, State.DELIVERED, State.REFUSED]
    assert page == sorted(page)


async def test_who_goes_on_from_the_last_number_sees_each_receipt_once(store, make):
    expected = {(await accept(store, make)).message_id for _ in range(7)}
    await settle(store, make)
    seen, since = [], 0

    while page := await read(store, since, 3):
        since = page[-1][0]
        seen += [message_id for _, message_id, _ in page]

    assert (set(seen), len(seen)) == (expected, 7)
    assert await read(store, since) == []


async def test_what_is_under_way_is_not_in_the_feed(store, make):
    await accept(store, make)
    await accept(store, make)
    await store.claim("portal", 1, make.clock(), 60.0)

    assert await read(store) == []


async def test_the_feed_is_its_consumers_own(store, make):
    mine = await accept(store, make)
    theirs = await accept(store, make, consumer=OTHER)
    await settle(store, make)

    assert [message_id for _, message_id, _ in await read(store)] == [mine.message_id]
    assert [message_id for _, message_id, _ in await read(store, consumer=OTHER)] == [theirs.message_id]


async def test_a_dead_letter_that_is_replayed_leaves_the_feed_and_comes_back_with_its_new_end(store, make, clock):
    stored = await accept(store, make)
    await settle(store, make, State.DEAD, cause="provider-failed")
    ((number, _, dead),) = await read(store)

    await store.replay(stored.message_id, "an", clock())
    between = await read(store)
    await settle(store, make)
    ((later, _, delivered),) = await read(store, number)

    assert (dead, delivered, between) == (State.DEAD, State.DELIVERED, [])
    assert later > number


async def test_a_number_is_never_given_twice(store, make, clock):
    stored = await accept(store, make)
    await settle(store, make, State.DEAD)
    ((number, *_),) = await read(store)
    await store.replay(stored.message_id, "an", clock())
    other = await accept(store, make)
    await store.claim("portal", 1, clock(), 60.0)  # the replayed one is under way again

    (settled,) = await settle(store, make)

    assert settled == other.message_id
    assert [(message_id, n > number) for n, message_id, _ in await read(store, number)] == [(other.message_id, True)]


@pytest.mark.parametrize(("decided", "is_back"), [(State.DELIVERED, True), (State.DEAD, True), (State.WAITING, False)])
async def test_a_persons_decision_is_news_too(store, make, clock, decided, is_back):
    stored = await accept(store, make)
    await settle(store, make, State.UNKNOWN, cause="outcome-unknown")
    ((number, _, state),) = await read(store)

    await store.decide(stored.message_id, Decision(decided, "in their ledger", "an"), clock() + 1, 1)

    assert state is State.UNKNOWN
    assert [(message_id, state) for _, message_id, state in await read(store, number)] == [(stored.message_id, decided)] * is_back


async def test_asking_again_about_an_unknown_outcome_is_no_news_and_its_answer_is(store, make, clock):
    stored = await accept(store, make)
    await settle(store, make, State.UNKNOWN, due_at=clock())
    ((number, *_),) = await read(store)

    for state in (State.UNKNOWN, State.DELIVERED):
        (due,) = await store.claim_unknown(1, clock(), 60.0)
        closed = make.closed(stored.message_id, attempt=1, outcome=Outcome.DELIVERED)
        await store.resolve(due, Settlement(state, clock(), due_at=clock() if state is State.UNKNOWN else None), closed)
        if state is State.UNKNOWN:
            clock.at += 61
            assert await read(store, number) == []

    assert [state for *_, state in await read(store, number)] == [State.DELIVERED]


async def test_a_superseded_message_is_news(store, make):
    old = await accept(store, make)

    await accept(store, make, supersedes=old.message_id)

    assert [(message_id, state) for _, message_id, state in await read(store)] == [(old.message_id, State.SUPERSEDED)]


async def test_a_poller_misses_and_doubles_nothing_while_others_settle_and_read(store, make):
    """Three readers of one feed, each from its own place, while messages settle in small batches at the same time."""
    expected = {(await accept(store, make)).message_id for _ in range(120)}
    done = asyncio.Event()

    async def settle_some():
        while await settle(store, make, limit=7):
            await asyncio.sleep(0)

    async def settle_all():
        await asyncio.gather(settle_some(), settle_some())
        done.set()

    async def poll(limit):
        seen, since = [], 0
        while True:
            is_last = done.is_set()
            page = await read(store, since, limit)
            seen += [message_id for _, message_id, _ in page]
            since = page[-1][0] if page else since
            if is_last and not page:
                return seen
            await asyncio.sleep(0)

    _, first, second, third = await asyncio.gather(settle_all(), poll(5), poll(11), poll(100))

    assert [sorted(seen) == sorted(expected) for seen in (first, second, third)] == [True] * 3
    assert first == second == third


async def test_which_of_many_messages_are_at_rest_is_one_question(store, make):
    resting, moving = await accept(store, make), await accept(store, make)
    await settle(store, make, limit=1)

    assert await store.at_rest([resting.message_id, moving.message_id, make.new_id()]) == [resting.message_id]


async def test_receipts_are_found_by_business_key_the_newest_first_and_for_their_consumer_only(store, make):
    mine = [await accept(store, make, business_key="Hồ sơ 17/4") for _ in range(3)]
    await accept(store, make, business_key="Hồ sơ 18/4")
    await accept(store, make, business_key="Hồ sơ 17/4", consumer=OTHER)

    found = await store.about("Hồ sơ 17/4", mine[0].consumer, 2)

    assert [receipt.message_id for receipt in found] == [mine[2].message_id, mine[1].message_id]
    assert [receipt.state for receipt in found] == [State.WAITING] * 2
