"""Quotas spent locally from blocks that are leased from a counter all nodes share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lgsp.policy.quota import block, window_start

if TYPE_CHECKING:
    from lgsp.model.agreed import Quota
    from lgsp.model.parties import SubsystemId
    from lgsp.ports.engine import QuotaLeases


class LeasedQuotas:
    """The Quotas port: a block in hand is spent without waiting; an empty hand asks the shared counter for the next."""

    def __init__(self, leases: QuotaLeases) -> None:
        self._leases = leases
        self._hands: dict[tuple[SubsystemId, str], _Hand] = {}

    async def spend(self, consumer: SubsystemId, service: str, quota: Quota, now: float) -> int:
        """Calls left in this window as far as this process knows; -1 when the window is used up."""
        window = window_start(quota, now)
        hand = self._hands.get((consumer, service))
        if hand is None or hand.window != window or hand.quota != quota:
            hand = self._hands[consumer, service] = _Hand(window, quota)
        while hand.spare == 0 and not hand.ended:
            if hand.filling is None:  # one asks for all: many who find the hand empty would take the whole window from the other nodes
                hand.filling = asyncio.ensure_future(self._fill(hand, consumer, service))
            await asyncio.shield(hand.filling)
        if hand.spare == 0:
            return -1
        hand.spare -= 1
        return quota.q - hand.leased + hand.spare

    async def _fill(self, hand: _Hand, consumer: SubsystemId, service: str) -> None:
        try:
            granted = await self._leases.lease(consumer, service, hand.window, hand.quota, block(hand.quota))
        finally:
            hand.filling = None
        hand.spare += granted
        hand.leased += granted
        hand.ended = granted == 0


class _Hand:
    """What this process holds of one window."""

    __slots__ = ("ended", "filling", "leased", "quota", "spare", "window")

    def __init__(self, window: int, quota: Quota) -> None:
        self.window = window
        self.quota = quota
        self.leased = self.spare = 0
        self.ended = False
        self.filling: asyncio.Future[None] | None = None
