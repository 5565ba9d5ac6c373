"""ProviderStates and Patience: what people ordered about providers, and messages that wait for one to come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import open_store
from lgsp.model.happening import Reply, Settlement, State
from lgsp.model.parties import Ruling, RulingKind
from ports.conftest import MASTER_KEY

ACCEPTED = Reply(202, b"{}")
HOLD = Ruling("r-1", "portal", RulingKind.HOLD, 10.0, 90.0, "bảo trì", "an")
FORCED = Ruling("r-2", "portal", RulingKind.OPEN, 5.0, 60.0, "quá tải", "binh")
HOLDS, CIRCUIT = frozenset({RulingKind.HOLD}), frozenset({RulingKind.OPEN, RulingKind.CLOSED})


async def test_an_order_stands_in_the_snapshot_at_once_and_leaves_an_act(store):
    await store.rule(HOLD, 1.0)

    assert list(store.rulings("portal")) == list(store.rulings()) == [HOLD]
    assert list(store.rulings("population")) == []
    act = (await store.acts(1))[0]
    assert (act.author, act.verb, act.subject, act.facts["reason"]) == ("an", "hold", "portal", "bảo trì")


async def test_another_node_sees_it_at_its_next_look(store, store_url, clock):
    if store_url is None:
        return  # the driver in memory has no other node
    other = await open_store(store_url, Cipher(MASTER_KEY), clock)
    await store.rule(HOLD, 1.0)

    await other.refresh()

    assert list(other.rulings("portal")) == [HOLD]
    await other.close()


async def test_a_forced_circuit_takes_the_place_of_the_one_before_and_leaves_holds_alone(store):
    await store.rule(HOLD, 1.0)
    await store.rule(FORCED, 6.0)
    closed = replace(FORCED, id="r-3", kind=RulingKind.CLOSED, from_at=7.0)

    await store.rule(closed, 7.0)

    assert list(store.rulings("portal")) == [closed, HOLD]


async def test_lifting_ends_what_is_in_force_and_leaves_what_is_announced(store):
    announced = replace(HOLD, id="r-9", from_at=200.0, until_at=300.0)
    await store.rule(HOLD, 1.0)
    await store.rule(announced, 1.0)

    lifted = [
        await store.lift("portal", CIRCUIT, "chi", 20.0),
        await store.lift("portal", HOLDS, "chi", 20.0),
        await store.lift("portal", HOLDS, "chi", 20.0),
    ]

    assert lifted == [0, 1, 0]
    assert list(store.rulings("portal")) == [announced]
    assert [(act.author, act.verb) for act in await store.acts(1)] == [("chi", "release")]


async def test_an_announced_hold_is_lifted_by_its_id(store):
    await store.rule(replace(HOLD, from_at=200.0, until_at=300.0), 1.0)

    lifted = await store.lift("portal", HOLDS, "chi", 20.0, "r-1"), await store.lift("portal", HOLDS, "chi", 20.0, "r-1")

    assert lifted == (1, 0)
    assert list(store.rulings()) == []


async def test_what_is_postponed_waits_and_its_attempt_is_not_counted(store, make, clock):
    stored = make.stored()
    await store.accept(stored, None, ACCEPTED)
    due = (await store.claim("portal", 1, clock(), 30.0))[0]

    postponed = await store.postpone([(due, clock() + 7)]), await store.postpone([(due, clock() + 8)])
    early, again = await store.claim("portal", 1, clock() + 6, 30.0), await store.claim("portal", 1, clock() + 7, 30.0)

    assert postponed == (1, 0)
    assert (list(early), again[0].attempt, again[0].lease > due.lease) == ([], 1, True)


async def test_a_worker_whose_lease_was_taken_over_postpones_nothing(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    late = (await store.claim("portal", 1, clock(), 30.0))[0]
    await store.claim("portal", 1, clock() + 31, 30.0)

    assert await store.postpone([(late, clock() + 40)]) == 0


async def test_many_are_postponed_at_once_each_until_its_time_and_without_what_others_hold(store, make, clock):
    for _ in range(3):
        await store.accept(make.stored(), None, ACCEPTED)
    first, second, third = await store.claim("portal", 3, clock(), 30.0)

    postponed = await store.postpone([(first, clock() + 7), (replace(second, lease=second.lease - 1), clock() + 7), (third, clock() + 9)])
    at_seven, at_nine = [await store.claim("portal", 3, clock() + later, 30.0) for later in (7, 9)]

    assert postponed == 2
    assert [[(due.stored.message_id, due.attempt) for due in claimed] for claimed in (at_seven, at_nine)] == [
        [(first.stored.message_id, 1)],
        [(third.stored.message_id, 1)],
    ]


async def test_what_is_handed_back_is_claimed_at_once_with_a_new_lease_and_its_attempt_is_not_counted(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    due = (await store.claim("portal", 1, clock(), 30.0))[0]

    handed_back = await store.hand_back(due, clock())
    again = (await store.claim("portal", 1, clock(), 30.0))[0]

    assert (handed_back, again.attempt, again.lease > due.lease) == (True, 1, True)
    assert await store.hand_back(due, clock()) is False


async def test_hastening_wakes_in_the_order_of_arrival_what_waits_for_the_provider(store, make, clock):
    ids = [make.new_id() for _ in range(4)]
    for place, message_id in enumerate(ids):
        await store.accept(make.stored(message_id=message_id, accepted_at=clock() + place), None, ACCEPTED)
    now = clock() + 10
    blames = dict(zip(ids, ("network", "platform", "national", "provider"), strict=True))
    for place, due in enumerate(reversed(await store.claim("portal", 4, now, 30.0))):
        settlement = Settlement(State.WAITING, now, now + 100 + place, blames[due.stored.message_id], "provider-failed")
        await store.settle(due, settlement, make.closed(due.stored.message_id, attempt=1))

    hastened = await store.hasten("portal", now), await store.hasten("population", now)
    first = [due.stored.message_id for due in await store.claim("portal", 1, now, 30.0)]
    others = [due.stored.message_id for due in await store.claim("portal", 4, now, 30.0)]

    assert hastened == (3, 0)
    assert first + others == [ids[0], ids[2], ids[3]]


@pytest.mark.parametrize(("cause", "counted"), [("circuit-open", 1), ("provider-held", 1), ("provider-unreachable", 2)])
async def test_a_call_that_the_provider_was_spared_is_not_counted(store, make, clock, cause, counted):
    await store.accept(make.stored(), None, ACCEPTED)
    due = (await store.claim("portal", 1, clock(), 30.0))[0]

    await store.settle(due, Settlement(State.WAITING, clock(), clock(), cause=cause), make.closed(due.stored.message_id))

    assert (await store.claim("portal", 1, clock(), 30.0))[0].attempt == counted


async def test_an_attempt_that_the_provider_never_had_is_not_counted(store, make, clock):
    await store.accept(make.stored(), None, ACCEPTED)
    due = (await store.claim("portal", 1, clock(), 30.0))[0]
    await store.settle(due, Settlement(State.UNKNOWN, clock(), clock()), make.closed(due.stored.message_id))
    asked = (await store.claim_unknown(1, clock(), 30.0))[0]

    await store.resolve(asked, Settlement(State.WAITING, clock(), clock(), cause="confirmed-absent"), make.closed(due.stored.message_id))

    assert (asked.attempt, (await store.claim("portal", 1, clock(), 30.0))[0].attempt) == (1, 1)
