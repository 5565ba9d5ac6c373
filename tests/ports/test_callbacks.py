"""Channels and Notices: registered callback addresses, and each receipt owed to them once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from lgsp.errors import Fault
from lgsp.model.happening import Outcome, Reply, Settlement, State
from lgsp.model.parties import HUB, Callback, Consumer, SubsystemId

ONESTOP = Consumer(SubsystemId("VN/GOV/H99/onestop"), "c-1", "Một cửa")
FOREVER = float("inf")
CALLBACK = Callback(ONESTOP.id, "https://motcua.h99.example/lgsp", "vi", ((b"s" * 32, FOREVER),))
ACCEPTED = Reply(202, b"{}", ())


@pytest.fixture
async def known(store):
    await store.add_consumer(ONESTOP, b"m" * 32, "an", 1.0)
    return store


async def settle_one(store, make):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)
    (due,) = await store.claim("portal", 1, make.clock(), 60.0)
    await store.settle(due, Settlement(State.DELIVERED, make.clock()), make.closed(stored.message_id, attempt=1, outcome=Outcome.DELIVERED))
    return stored


def event(make, **changes):
    return make.stored(consumer=HUB, service="callbacks", operation="VN:GOV:H99:onestop", provider="callback:VN:GOV:H99:onestop", **changes)


async def test_a_registered_address_stands_in_the_directory_with_its_secret(known):
    is_new = await known.set_callback(CALLBACK, "an", 2.0)
    await known.refresh()

    assert (is_new, list(known.callbacks())) == (True, [CALLBACK])
    assert "ssss" not in repr(CALLBACK)
    (act, *_) = await known.acts(1)
    assert (act.author, act.verb, act.subject, act.facts) == (
        "an",
        "set_callback",
        ONESTOP.id,
        {"url": "https://motcua.h99.example/lgsp", "language": "vi"},
    )


async def test_a_changed_address_keeps_its_secret(known):
    await known.set_callback(CALLBACK, "an", 2.0)

    is_new = await known.set_callback(replace(CALLBACK, url="https://moi.h99.example/", secrets=((b"x" * 32, FOREVER),)), "an", 3.0)

    assert (is_new, list(known.callbacks())) == (False, [replace(CALLBACK, url="https://moi.h99.example/")])


async def test_a_new_secret_stands_before_the_former_one(known):
    await known.set_callback(CALLBACK, "an", 2.0)

    renewed = await known.renew_secret(ONESTOP.id, b"n" * 32, 99.0, "an", 3.0)

    assert renewed is True
    assert known.callbacks()[0].secrets == ((b"n" * 32, FOREVER), (b"s" * 32, 99.0))
    assert await known.renew_secret(SubsystemId("VN/GOV/H99/none"), b"n" * 32, 99.0, "an", 3.0) is False


async def test_a_removed_address_is_owed_nothing(known, make):
    await known.set_callback(CALLBACK, "an", 2.0)
    await settle_one(known, make)

    removed = await known.remove_callback(ONESTOP.id, "an", 3.0), await known.remove_callback(ONESTOP.id, "an", 3.0)

    assert removed == (True, False)
    assert (list(known.callbacks()), list(await known.behind())) == ([], [])
    assert await known.owe(ONESTOP.id, (0, 1), [event(make)]) is False
    assert await known.due_providers(make.clock()) == []


async def test_an_address_for_nobody_is_refused(store):
    with pytest.raises(Fault, match="not-found"):
        await store.set_callback(CALLBACK, "an", 2.0)


async def test_only_what_comes_to_rest_after_the_registration_is_told(known, make):
    await settle_one(known, make)
    await known.set_callback(CALLBACK, "an", 2.0)
    before = list(await known.behind())

    stored = await settle_one(known, make)

    ((consumer, since),) = await known.behind()
    assert before == []
    assert [receipt.message_id for receipt in await known.feed(consumer, since, 10)] == [stored.message_id]


async def test_what_is_told_once_is_owed_once_however_many_nodes_try(known, make, clock):
    await known.set_callback(CALLBACK, "an", 2.0)
    await settle_one(known, make)
    ((consumer, since),) = await known.behind()
    (receipt,) = await known.feed(consumer, since, 10)
    events = [event(make) for _ in range(4)]

    owed = await asyncio.gather(*[known.owe(consumer, (since, receipt.number), [each]) for each in events])

    assert sorted(owed) == [False, False, False, True]
    assert list(await known.behind()) == []
    (due,) = await known.claim("callback:VN:GOV:H99:onestop", 10, clock(), 60.0)
    assert due.stored == events[owed.index(True)]
    assert await known.feed(HUB, 0, 10) == []  # it is under way, and never in its consumer's own feed
    assert [r.message_id for r in await known.feed(ONESTOP.id, 0, 10)] == [receipt.message_id]


async def test_a_suspended_consumer_is_told_when_it_is_back(known, make):
    await known.set_callback(CALLBACK, "an", 2.0)
    await known.set_active("c-1", "binh", 3.0, active=False)
    await settle_one(known, make)
    suspended = list(await known.behind())

    await known.set_active("c-1", "binh", 4.0, active=True)

    assert (suspended, list(await known.behind())) == ([], [(ONESTOP.id, 0)])
