"""Mailboxes: messages that are kept until their addressee has fetched and confirmed them."""

from __future__ import annotations

from lgsp.model.happening import Outcome, Reply, Settlement, State

ACCEPTED = Reply(202, b"{}", ())
BOX = "land_office"


async def keep(store, make, **changes):
    stored = make.stored(provider=BOX, **changes)
    await store.accept(stored, None, ACCEPTED)
    return stored


async def settle(store, make, due, state=State.DELIVERED):
    closed = make.closed(due.stored.message_id, attempt=due.attempt, outcome=Outcome.DELIVERED)
    return await store.settle(due, Settlement(state, make.clock()), closed)


async def test_what_is_kept_is_listed_in_the_order_of_arrival_without_content(store, make):
    stored = [await keep(store, make) for _ in range(3)]
    await make_other(store, make)

    kept = await store.kept([BOX], 10)

    assert [each.message_id for each in kept] == [each.message_id for each in stored]
    assert {(each.state, each.attempts, each.provider, each.consumer) for each in kept} == {(State.WAITING, 0, BOX, stored[0].consumer)}
    assert len(await store.kept([BOX], 2)) == 2
    assert await store.kept([], 10) == []


async def make_other(store, make):
    await store.accept(make.stored(provider="portal"), None, ACCEPTED)


async def test_one_that_is_taken_has_its_content_and_may_be_taken_again(store, make, clock):
    stored = await keep(store, make)

    first, again = [await store.take(stored.message_id, clock()) for _ in range(2)]

    assert first.stored == stored
    assert (first.attempt, again.attempt, again.lease > first.lease) == (1, 2, True)
    assert (await store.find(stored.message_id)).state is State.DELIVERING
    assert await store.take(make.new_id(), clock()) is None
    assert await store.find("nonsense") is None


async def test_one_that_stands_behind_another_of_its_order_key_is_not_taken(store, make, clock):
    first, second = [await keep(store, make, order_key="H99-1") for _ in range(2)]

    early = await store.take(second.message_id, clock() + 60)
    due = await store.take(first.message_id, clock() + 60)
    await settle(store, make, due)

    assert (early, (await store.take(second.message_id, clock() + 60)).stored.message_id) == (None, second.message_id)


async def test_the_newest_fetch_confirms_and_an_older_one_does_not(store, make, clock):
    stored = await keep(store, make)
    (leased,) = await store.claim(BOX, 5, clock(), 60.0)
    newer = await store.take(stored.message_id, clock())

    late = await store.holding(stored.message_id, leased.lease)
    holding = await store.holding(stored.message_id, newer.lease)

    assert late is None
    assert (holding.stored, holding.lease) == (stored, newer.lease)
    assert [await settle(store, make, each) for each in (leased, holding)] == [False, True]
    assert [await store.kept([BOX], 5), await store.take(stored.message_id, clock())] == [[], None]
    assert await store.holding(stored.message_id, newer.lease) is None


async def test_what_was_fetched_and_not_confirmed_is_fetched_again_when_its_lease_is_over(store, make, clock):
    stored = await keep(store, make)
    await store.claim(BOX, 5, clock(), 60.0)

    at_once = await store.claim(BOX, 5, clock(), 60.0)
    clock.at += 61
    (later,) = await store.claim(BOX, 5, clock(), 60.0)

    assert at_once == []
    assert (later.stored.message_id, later.attempt) == (stored.message_id, 2)


async def test_only_what_is_over_its_deadline_and_in_nobodys_hands_is_overdue(store, make, clock):
    over = await keep(store, make, deadline_at=clock() + 10)
    held = await keep(store, make, deadline_at=clock() + 10)
    await keep(store, make)
    await store.accept(make.stored(provider="portal", deadline_at=clock() + 10), None, ACCEPTED)
    early = await store.claim_overdue([BOX], 10, clock())
    await store.take(held.message_id, clock() + 600)
    clock.at += 11

    late = await store.claim_overdue([BOX], 10, clock())

    assert early == []
    assert [due.stored.message_id for due in late] == [over.message_id]
    assert await settle(store, make, late[0], State.EXPIRED) is True
    assert await store.claim_overdue([BOX], 10, clock()) == []
