"""Heads that leave and heads that come: what recipients have confirmed, and what other hubs gave us to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from lgsp.drivers.store import evidence_tables
from lgsp.model.evidence import Confirmed, Head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core


class Witnesses:
    """The ports Sending and HeadKeeper."""

    core: Core

    async def take_sending(self, recipient: str, now: float, lease_s: float) -> Confirmed | None:
        """Sending."""
        table = evidence_tables.sending
        fresh = {"recipient": recipient, "confirmed": 0, "confirmed_at": now, "until": now + lease_s}
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(table).where(table.c.recipient == recipient))).one_or_none()
        if row is not None and row.until > now:
            return None
        try:
            async with self.core.transaction() as connection:
                if row is None:
                    await connection.execute(insert(table).values(fresh))
                    return Confirmed(0, now)
                mine = update(table).where(table.c.recipient == recipient, table.c.until == row.until)
                taken = (await connection.execute(mine.values(until=now + lease_s))).rowcount
        except IntegrityError:
            return None
        return Confirmed(row.confirmed, row.confirmed_at) if taken else None

    async def confirm(self, recipient: str, batch: int, at: float) -> None:
        """Sending."""
        table = evidence_tables.sending
        async with self.core.transaction() as connection:
            change = update(table).where(table.c.recipient == recipient, table.c.confirmed < batch)
            await connection.execute(change.values(confirmed=batch, confirmed_at=at))

    async def witness(self, hub: str, head: Head) -> bool:
        """HeadKeeper."""
        table = evidence_tables.witnessed
        values = {"hub": hub, "batch": head.batch, "size": head.size, "root": head.root, "at": head.at, "key": head.key}
        try:
            async with self.core.transaction() as connection:
                await connection.execute(insert(table).values(**values, signature=head.signature))
        except IntegrityError:
            async with self.core.transaction() as connection:
                kept = await connection.scalar(select(table.c.root).where(table.c.hub == hub, table.c.size == head.size))
            return kept is not None and bytes(kept) == head.root
        return True

    async def witnessed(self, hub: str, after: int, limit: int) -> Sequence[Head]:
        """HeadKeeper."""
        table = evidence_tables.witnessed
        columns = [table.c[name] for name in ("batch", "size", "root", "at", "key", "signature")]
        query = select(*columns).where(table.c.hub == hub, table.c.batch > after).order_by(table.c.batch).limit(limit)
        async with self.core.transaction() as connection:
            return [Head(*row) for row in await connection.execute(query)]
