"""Quotas spent locally from blocks that are leased from a counter all nodes share."""

from __future__ import annotations

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
        if hand.spare == 0 and not hand.ended:
            granted = await self._leases.lease(consumer, service, window, quota, block(quota))
            hand.spare += granted
            hand.leased += granted
            hand.ended = granted == 0
        if hand.spare == 0:
            return -1
        hand.spare -= 1
        return quota.q - hand.leased + hand.spare


class _Hand:
    """What this process holds of one window."""

    __slots__ = ("ended", "leased", "quota", "spare", "window")

    def __init__(self, window: int, quota: Quota) -> None:
        self.window = window
        self.quota = quota
        self.leased = self.spare = 0
        self.ended = False
