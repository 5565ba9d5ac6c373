"""Drains: what each provider is owed and how fast it goes, as every node sees it."""

from __future__ import annotations

import pytest

from lgsp.drivers.cipher import Cipher
from lgsp.drivers.store import open_store
from lgsp.model.happening import Reply, Settlement, State
from lgsp.policy.drain import Drain
from ports.conftest import MASTER_KEY

ACCEPTED = Reply(202, b"{}")


async def settled(store, make, clock, count: int, state: State = State.DELIVERED) -> None:
    for due in await store.claim("portal", count, clock(), 30.0):
        settlement = Settlement(state, clock(), clock() + 60 if state is State.WAITING else None)
        assert await store.settle(due, settlement, make.closed(due.stored.message_id, attempt=1))


async def test_what_waits_is_counted_and_what_is_settled_makes_the_rate(store, make, clock):
    for _ in range(30):
        await store.accept(make.stored(), None, ACCEPTED)
    await store.measure(clock())
    before = store.drain("portal")

    for _ in range(2):
        await settled(store, make, clock, 10)
        clock.at += 2.0
        await store.measure(clock())

    assert before == Drain(30, 0.0)
    assert store.drain("portal") == Drain(10, pytest.approx(5.0))
    assert store.drain("population") == Drain()


async def test_an_attempt_that_will_be_repeated_settles_nothing(store, make, clock):
    for _ in range(5):
        await store.accept(make.stored(), None, ACCEPTED)
    await store.measure(clock())

    await settled(store, make, clock, 5, State.WAITING)
    clock.at += 2.0
    await store.measure(clock())

    assert store.drain("portal") == Drain(5, 0.0)


async def test_a_node_that_delivers_nothing_sees_what_another_does(store, store_url, make, clock):
    if store_url is None:
        return  # the driver in memory has no other node
    gateway = await open_store(store_url, Cipher(MASTER_KEY), clock)
    for _ in range(20):
        await store.accept(make.stored(), None, ACCEPTED)
    await store.measure(clock())
    await gateway.measure(clock())

    for _ in range(2):
        await settled(store, make, clock, 10)
        clock.at += 2.0
        await store.measure(clock())
        await gateway.measure(clock())

    assert gateway.drain("portal") == Drain(0, pytest.approx(5.0))
    await gateway.close()
