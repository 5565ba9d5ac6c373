"""Subscriptions, and publications: written whole, each part with a state of its own, finished when every part has an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.errors import Fault
from lgsp.model.happening import Outcome, Reply, Settlement, State
from lgsp.model.parties import ChannelKind, Consumer, Subscription, SubsystemId

ACCEPTED = Reply(202, b"{}", ())
LAND, TAX = SubsystemId("VN/GOV/H99/land"), SubsystemId("VN/GOV/H99/tax")
SUBSCRIPTION = Subscription("dossier-changes", "publishChange", LAND, ChannelKind.MAILBOX)


@pytest.fixture
async def known(store):
    for number, code in enumerate((LAND, TAX)):
        await store.add_consumer(Consumer(code, f"c-{number}", code), b"m" * 32, "an", 1.0)
    return store


async def publish(store, make, *providers, claim=None):
    whole = make.stored(provider="changes", state=State.DELIVERING)
    parts = [make.stored(provider=code, operation=f"publishChange@{code}", part_of=whole.message_id) for code in providers]
    holder = await store.accept(whole, claim, ACCEPTED, parts)
    return whole, parts, holder


async def settle(store, make, code, state):
    for due in await store.claim(code, 10, make.clock(), 60.0):
        closed = make.closed(due.stored.message_id, attempt=1, outcome=Outcome.DELIVERED)
        await store.settle(due, Settlement(state, make.clock()), closed)


async def test_a_subscription_stands_in_the_directory_until_it_is_ended(known):
    await known.subscribe(SUBSCRIPTION, "an", 2.0)
    await known.subscribe(replace(SUBSCRIPTION, subscriber=TAX), "an", 3.0)
    await known.subscribe(replace(SUBSCRIPTION, channel=ChannelKind.CALLBACK), "an", 4.0)
    await known.refresh()
    standing = list(known.subscriptions())

    ended = [await known.unsubscribe(SUBSCRIPTION, "binh", 5.0) for _ in range(2)]

    assert standing == [replace(SUBSCRIPTION, channel=ChannelKind.CALLBACK), replace(SUBSCRIPTION, subscriber=TAX)]
    assert ended == [True, False]
    assert [each.subscriber for each in known.subscriptions()] == [TAX]
    assert [act.verb for act in await known.acts(2)] == ["unsubscribe", "subscribe"]


async def test_a_subscription_of_nobody_is_refused(store):
    with pytest.raises(Fault, match="not-found"):
        await store.subscribe(SUBSCRIPTION, "an", 2.0)


async def test_a_publication_that_died_and_is_replayed_comes_to_its_end_again(store, make, clock):
    whole, _, _ = await publish(store, make, "mailbox:A")
    await settle(store, make, "mailbox:A", State.DELIVERED)
    (due,) = await store.claim_finished("changes", 5, clock())
    closed = make.closed(whole.message_id, attempt=due.attempt, outcome=Outcome.FAILED)
    await store.settle(due, Settlement(State.DEAD, clock(), cause="right-withdrawn"), closed)

    await store.replay(whole.message_id, "an", clock())
    (again,) = await store.claim_finished("changes", 5, clock())

    assert (again.stored.message_id, again.attempt) == (whole.message_id, 1)
    assert list(await store.claim_finished("changes", 5, clock())) == []


async def test_each_part_is_owed_to_its_own_channel_and_the_whole_to_nobody(store, make, clock):
    whole, parts, _ = await publish(store, make, "mailbox:A", "callback:B")

    owed = {code: await store.claim(code, 10, clock(), 60.0) for code in ("mailbox:A", "callback:B", "changes")}

    ids = {code: [due.stored.message_id for due in dues] for code, dues in owed.items()}
    assert ids == {"mailbox:A": [parts[0].message_id], "callback:B": [parts[1].message_id], "changes": []}
    assert owed["mailbox:A"][0].stored.request == whole.request
    assert [part.state for part in await store.parts(whole.message_id)] == [State.DELIVERING] * 2
    assert (await store.receipt(whole.message_id, whole.consumer)).state is State.DELIVERING


async def test_a_publication_under_a_key_that_is_held_writes_none_of_its_parts(store, make, clock):
    first, *_ = await publish(store, make, "mailbox:A", claim=make.key())

    again, _, holder = await publish(store, make, "mailbox:A", claim=make.key())

    assert holder.message_id == first.message_id
    assert (await store.parts(again.message_id), len(await store.claim("mailbox:A", 10, clock(), 60.0))) == ([], 1)


async def test_a_publication_is_finished_when_every_part_has_an_end_and_only_once(store, make, clock):
    whole, *_ = await publish(store, make, "mailbox:A", "callback:B")
    await settle(store, make, "mailbox:A", State.DELIVERED)
    await settle(store, make, "callback:B", State.DEAD)
    half = await store.claim_finished("changes", 10, clock())
    (dead,) = [part for part in await store.parts(whole.message_id) if part.state is State.DEAD]
    await store.replay(dead.message_id, "an", clock())
    await settle(store, make, "callback:B", State.REFUSED)

    (due,), twice = await store.claim_finished("changes", 10, clock()), await store.claim_finished("changes", 10, clock())

    assert (half, twice) == ([], [])
    assert due.stored.message_id == whole.message_id
    assert await store.settle(due, Settlement(State.REFUSED, clock()), make.closed(whole.message_id, attempt=1)) is True
    assert await store.claim_finished("changes", 10, clock()) == []


async def test_a_publication_without_subscribers_is_finished_at_once(store, make, clock):
    whole, *_ = await publish(store, make)

    assert [due.stored.message_id for due in await store.claim_finished("changes", 10, clock())] == [whole.message_id]


async def test_the_publishers_feed_has_the_whole_and_not_its_parts(store, make, clock):
    whole, *_ = await publish(store, make, "mailbox:A")
    await settle(store, make, "mailbox:A", State.DELIVERED)
    early = await store.feed(whole.consumer, 0, 10)
    (due,) = await store.claim_finished("changes", 10, clock())
    await store.settle(due, Settlement(State.DELIVERED, clock()), make.closed(whole.message_id, attempt=1))

    assert early == []
    assert [receipt.message_id for receipt in await store.feed(whole.consumer, 0, 10)] == [whole.message_id]
