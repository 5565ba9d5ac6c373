"""Messages that are kept for their addressees: which there are, one with its content, and those whose time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.plan import Work
from lgsp.model.happening import Kept, State
from lgsp.model.parties import SubsystemId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Due

_LISTED = ("message_id", "consumer", "service", "major", "operation", "provider", "state", "attempts", "lease")


class Mailboxes:
    """The port Mailboxes."""

    core: Core

    async def claimed(self, work: Work) -> Sequence[Due]:
        """The outbox's."""
        raise NotImplementedError

    async def kept(self, providers: Sequence[str], limit: int) -> Sequence[Kept]:
        """Mailboxes."""
        table = tables.message
        query = select(table).where(table.c.provider.in_(providers), text(f"message.{tables.DUE}")).order_by(table.c.seq).limit(limit)
        async with self.core.transaction() as connection:
            return [_kept(row) for row in await connection.execute(query)]

    async def find(self, message_id: str) -> Kept | None:
        """Mailboxes."""
        if not rows.is_id(message_id):
            return None
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(tables.message).where(tables.message.c.message_id == message_id))).one_or_none()
        return None if row is None else _kept(row)

    async def take(self, message_id: str, until: float) -> Due | None:
        """Mailboxes."""
        found = await self.claimed(Work(take=(rows.id_in(message_id), until)))
        return found[0] if found else None

    async def holding(self, message_id: str, lease: int) -> Due | None:
        """Mailboxes."""
        found = await self.claimed(Work(holding=(rows.id_in(message_id), lease)))
        return found[0] if found else None

    async def claim_overdue(self, providers: Sequence[str], limit: int, now: float) -> Sequence[Due]:
        """Mailboxes."""
        return [due for code in providers for due in await self.claimed(Work(claim_overdue=(code, now, limit)))]


def _kept(row: Any) -> Kept:
    facts = {name: getattr(row, name) for name in _LISTED}
    facts |= {"consumer": SubsystemId(facts["consumer"]), "state": State(facts["state"])}
    times: dict[str, Any] = {name: rows.time_of(getattr(row, name)) or 0.0 for name in ("accepted_at", "deadline_at")}
    return Kept(**facts, **times, due_at=rows.time_of(row.due_at))
