"""Messages that are kept for their addressees, in memory."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from lgsp.model.happening import Kept, State
from lgsp.policy.lifecycle import lets_pass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.memory.exchanges import Owed
    from lgsp.model.happening import Due

GRACE_S = 60.0


class MemoryMailboxes:
    """The port Mailboxes."""

    _owed: dict[str, Owed]

    async def kept(self, providers: Sequence[str], limit: int) -> Sequence[Kept]:
        """Mailboxes."""
        return [_kept(owed) for owed in self._owed.values() if owed.is_moving and owed.stored.provider in providers][:limit]

    async def find(self, message_id: str) -> Kept | None:
        """Mailboxes."""
        owed = self._owed.get(message_id)
        return None if owed is None else _kept(owed)

    async def take(self, message_id: str, until: float) -> Due | None:
        """Mailboxes."""
        owed = self._owed.get(message_id)
        if owed is None or not owed.is_moving or self._stands_behind(owed):
            return None
        owed.lend(until)
        return owed.due()

    def _stands_behind(self, owed: Owed) -> bool:
        line = (owed.stored.provider, owed.stored.order_key)
        before = takewhile(lambda each: each is not owed, self._owed.values())
        ahead = [each for each in before if (each.stored.provider, each.stored.order_key) == line]
        return line[1] is not None and not all(lets_pass(each.state, skips_dead=each.stored.skips_dead) for each in ahead)

    async def holding(self, message_id: str, lease: int) -> Due | None:
        """Mailboxes."""
        owed = self._owed.get(message_id)
        return owed.due() if owed is not None and owed.state is State.DELIVERING and owed.lease == lease else None

    async def claim_overdue(self, providers: Sequence[str], limit: int, now: float) -> Sequence[Due]:
        """Mailboxes."""
        found: list[Due] = []
        for code in providers:
            over = [owed for owed in self._owed.values() if owed.stored.provider == code and owed.is_due(now) and owed.deadline_at <= now]
            for owed in over[:limit]:
                owed.lend(now + GRACE_S)
                found.append(owed.due())
        return found


def _kept(owed: Owed) -> Kept:
    stored = owed.stored
    facts = (stored.message_id, stored.consumer, stored.service, stored.major, stored.operation, stored.provider, owed.state)
    return Kept(*facts, owed.attempts, owed.lease, stored.accepted_at, owed.deadline_at, owed.due_at)
