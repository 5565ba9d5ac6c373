"""What consumers may ask about their stored messages: one receipt, the feed of those that came to rest, and which are at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select, text, update

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import Unreadable
from lgsp.drivers.store.log import ended_exchange
from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Receipt
    from lgsp.model.parties import SubsystemId

_TAKE_NUMBERS = text(
    "INSERT INTO feed (consumer, number) VALUES (:consumer, :places) "
    "ON CONFLICT (consumer) DO UPDATE SET number = feed.number + :places RETURNING number"
)
"""Its row's lock makes those who number one feed follow one another: numbers become visible in their own order."""

_HAS_NEWS = text(f"SELECT EXISTS (SELECT 1 FROM message WHERE consumer = :consumer AND {tables.UNFED})")  # noqa: S608 -- constants


class Receipts:
    """The port Receipts."""

    core: Core

    async def receipt(self, message_id: str, consumer: SubsystemId) -> Receipt | None:
        """Receipts."""
        if not rows.is_id(message_id):
            return None
        table = tables.message
        async with self.core.transaction() as connection:
            query = _messages().where(table.c.message_id == message_id, table.c.consumer == consumer)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return await ended_exchange(connection, message_id, consumer)
        return await self._receipt(row)

    async def feed(self, consumer: SubsystemId, since: int, limit: int) -> Sequence[Receipt]:
        """Receipts; what came to rest since the last reading is numbered by who reads, so that no exchange waits for it.

        Numbered first, then read: the other way round, what somebody else numbers in between would be seen by neither look.
        """
        await number(self.core, consumer, limit)
        return [await self._receipt(row) for row in await self._numbered(consumer, since, limit)]

    async def parts(self, message_id: str) -> Sequence[Receipt]:
        """Receipts."""
        query = _messages().where(tables.message.c.part_of == message_id).order_by(tables.message.c.seq)
        async with self.core.transaction() as connection:
            found = (await connection.execute(query)).all()
        return [await self._receipt(row) for row in found]

    async def about(self, business_key: str, consumer: SubsystemId, limit: int) -> Sequence[Receipt]:
        """Receipts; by the index of its mark: the key itself stands nowhere."""
        table = tables.message
        mine = (table.c.business_mark == self.core.cipher.mark(business_key), table.c.consumer == consumer, table.c.part_of.is_(None))
        query = _messages().where(*mine).order_by(table.c.seq.desc()).limit(limit)
        async with self.core.transaction() as connection:
            found = (await connection.execute(query)).all()
        return [await self._receipt(row) for row in found]

    async def at_rest(self, message_ids: Sequence[str]) -> Sequence[str]:
        """Receipts."""
        table = tables.message
        query = select(table.c.message_id).where(table.c.message_id.in_(message_ids), table.c.settled_at.is_not(None))
        async with self.core.transaction() as connection:
            return list((await connection.execute(query)).scalars())

    async def _numbered(self, consumer: SubsystemId, since: int, limit: int) -> Sequence[Any]:
        table = tables.message
        query = _messages().where(table.c.consumer == consumer, text(f"message.{tables.FED}"), table.c.feed_no > since)
        async with self.core.transaction() as connection:
            return (await connection.execute(query.order_by(table.c.feed_no).limit(limit))).all()

    async def _receipt(self, row: Any) -> Receipt:
        """An answer that does not open is missing from it, with the reason, and takes no other receipt with it."""
        try:
            return rows.receipt(row, None if row.reply is None else await self.core.open(row.reply, rows.reply_aad(row.message_id)))
        except Unreadable as fault:
            problem = Fault("payload-unreadable").problem
            return replace(rows.receipt(row, None), cause=problem.slug, blame=str(problem.blame), detail=fault.detail)


async def number(core: Core, consumer: SubsystemId, places: int) -> bool:
    """Give the next numbers of a consumer's feed to what has none, at most `places`; False if there is nothing."""
    async with core.transaction() as connection:
        if not await connection.scalar(_HAS_NEWS, {"consumer": consumer}):
            return False
    async with core.transaction() as connection:
        last = await connection.scalar(_TAKE_NUMBERS, {"consumer": consumer, "places": places}) or places
        table, unfed = tables.message, text(tables.UNFED)
        query = select(table.c.seq).where(table.c.consumer == consumer, unfed).order_by(table.c.settled_at, table.c.seq).limit(places)
        turns = {seq: last - places + turn for turn, seq in enumerate((await connection.execute(query)).scalars(), 1)}
        if turns:  # by their primary keys: as a join, PostgreSQL may plan it the long way round while it knows little of the table
            numbered = update(table).where(table.c.seq.in_(turns), unfed).values(feed_no=case(turns, value=table.c.seq))
            await connection.execute(numbered)
    return True


def _messages() -> Any:
    message, payload = tables.message, tables.payload
    return select(message, payload.c.reply).outerjoin(payload, payload.c.message_id == message.c.message_id)
