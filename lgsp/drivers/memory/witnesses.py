"""Heads that leave and heads that come, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.model.evidence import Confirmed, Head

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemoryWitnesses:
    """The ports Sending and HeadKeeper."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[Confirmed, float]] = {}
        self._witnessed: dict[tuple[str, int], Head] = {}

    async def take_sending(self, recipient: str, now: float, lease_s: float) -> Confirmed | None:
        """Sending."""
        before, until = self._sent.get(recipient, (Confirmed(0, now), 0.0))
        if until > now:
            return None
        self._sent[recipient] = before, now + lease_s
        return before

    async def confirm(self, recipient: str, batch: int, at: float) -> None:
        """Sending."""
        before, until = self._sent[recipient]
        if before.confirmed < batch:
            self._sent[recipient] = replace(before, confirmed=batch, confirmed_at=at), until

    async def witness(self, hub: str, head: Head) -> bool:
        """HeadKeeper."""
        kept = self._witnessed.setdefault((hub, head.size), head)
        return kept.root == head.root

    async def witnessed(self, hub: str, after: int, limit: int) -> Sequence[Head]:
        """HeadKeeper."""
        found = sorted((head.batch, head.size) for (own, _), head in self._witnessed.items() if own == hub and head.batch > after)
        return [self._witnessed[hub, size] for _, size in found[:limit]]
