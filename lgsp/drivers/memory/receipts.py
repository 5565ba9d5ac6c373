"""Receipts in memory: of one message, the feed of those that came to rest, and which are at rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.model.happening import Closed, Opened, Receipt, Settlement, State
from lgsp.policy.lifecycle import EXCHANGE_ENDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.memory.exchanges import Owed
    from lgsp.model.parties import SubsystemId


class MemoryReceipts:
    """The port Receipts."""

    rows: list[tuple[Opened | Closed, Settlement | None]]
    _owed: dict[str, Owed]

    def __init__(self) -> None:
        self._numbers: Counter[SubsystemId] = Counter()

    async def receipt(self, message_id: str, consumer: SubsystemId) -> Receipt | None:
        """Receipts."""
        owed = self._owed.get(message_id)
        if owed is None:
            return self._exchange_receipt(message_id, consumer)
        return _of(owed) if owed.stored.consumer == consumer else None

    async def feed(self, consumer: SubsystemId, since: int, limit: int) -> Sequence[Receipt]:
        """Receipts."""
        wholes = [owed for owed in self._owed.values() if owed.stored.consumer == consumer and owed.stored.part_of is None]
        resting = [owed for owed in wholes if not owed.is_moving]
        for owed in sorted((owed for owed in resting if owed.feed_no is None), key=_settled_at):
            self._numbers[consumer] += 1
            owed.feed_no = self._numbers[consumer]
        found = sorted((owed.feed_no or 0, owed.stored.message_id) for owed in resting if (owed.feed_no or 0) > since)
        return [replace(_of(self._owed[message_id]), number=number) for number, message_id in found[:limit]]

    async def parts(self, message_id: str) -> Sequence[Receipt]:
        """Receipts."""
        return [_of(owed) for owed in self._owed.values() if owed.stored.part_of == message_id]

    async def about(self, business_key: str, consumer: SubsystemId, limit: int) -> Sequence[Receipt]:
        """Receipts."""
        whole = (owed for owed in self._owed.values() if owed.stored.part_of is None)
        mine = [owed for owed in whole if (owed.stored.business_key, owed.stored.consumer) == (business_key, consumer)]
        return [_of(owed) for owed in reversed(mine)][:limit]

    async def at_rest(self, message_ids: Sequence[str]) -> Sequence[str]:
        """Receipts."""
        return [each for each in message_ids if each in self._owed and not self._owed[each].is_moving]

    def _exchange_receipt(self, message_id: str, consumer: SubsystemId) -> Receipt | None:
        rows = [row for row, _ in self.rows if row.message_id == message_id and row.consumer == consumer and row.attempt == 0]
        opened = next((row for row in rows if isinstance(row, Opened)), None)
        if opened is None:
            return None
        closed = next((row for row in reversed(rows) if isinstance(row, Closed)), None)
        state = State.DELIVERING if closed is None else EXCHANGE_ENDS.get(closed.outcome, State.REFUSED)
        settled_at = None if closed is None else closed.at
        blame, cause = ("", "") if closed is None else (str(closed.blame), closed.cause)
        facts = (opened.service, opened.operation, state, 1, opened.at)
        return Receipt(message_id, *facts, settled_at=settled_at, due_at=None, blame=blame, cause=cause, detail="", reply=None)


def _settled_at(owed: Owed) -> float:
    return owed.last.at if owed.last else 0.0


def _of(owed: Owed) -> Receipt:
    last = owed.last or Settlement(State.WAITING, 0.0)
    return Receipt(
        owed.stored.message_id,
        owed.stored.service,
        owed.stored.operation,
        owed.state,
        owed.attempts,
        owed.stored.accepted_at,
        None if owed.is_moving else last.at,
        owed.due_at if owed.state is State.WAITING else None,
        last.blame,
        last.cause,
        last.detail,
        last.reply,
        owed.stored.major,
    )
