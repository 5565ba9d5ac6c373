"""Quotas over leased blocks: one window is never spent twice, however many processes spend it."""

from __future__ import annotations

import asyncio

from lgsp.drivers.memory import MemoryStore
from lgsp.drivers.quotas import LeasedQuotas
from lgsp.model.agreed import Quota
from lgsp.model.parties import SubsystemId

DESK = SubsystemId("VN/GOV/H99/onestop")


async def test_two_processes_together_spend_exactly_the_quota() -> None:
    shared = MemoryStore(lambda: 0.0)
    nodes = [LeasedQuotas(shared), LeasedQuotas(shared)]

    spent = [await nodes[turn % 2].spend(DESK, "parcels", Quota(100, 60), 1.0) for turn in range(150)]

    assert sum(left >= 0 for left in spent) == 100


async def test_a_new_window_starts_afresh() -> None:
    quotas = LeasedQuotas(MemoryStore(lambda: 0.0))
    quota = Quota(1, 60)

    assert [await quotas.spend(DESK, "parcels", quota, at) for at in (1.0, 2.0, 61.0)] == [0, -1, 0]


async def test_what_is_left_counts_down() -> None:
    quotas = LeasedQuotas(MemoryStore(lambda: 0.0))

    assert [await quotas.spend(DESK, "parcels", Quota(3, 60), 1.0) for _ in range(4)] == [2, 1, 0, -1]


async def test_many_calls_at_the_start_of_a_window_leave_the_other_nodes_their_share() -> None:
    shared = MemoryStore(lambda: 0.0)
    busy, other = LeasedQuotas(shared), LeasedQuotas(shared)

    await asyncio.gather(*(busy.spend(DESK, "parcels", Quota(1000, 60), 1.0) for _ in range(40)))

    assert await other.spend(DESK, "parcels", Quota(1000, 60), 1.0) >= 0


async def test_calls_at_one_moment_get_what_the_quota_allows_and_no_less() -> None:
    quotas = LeasedQuotas(MemoryStore(lambda: 0.0))

    spent = await asyncio.gather(*(quotas.spend(DESK, "parcels", Quota(20, 60), 1.0) for _ in range(25)))

    assert sum(left >= 0 for left in spent) == 20
