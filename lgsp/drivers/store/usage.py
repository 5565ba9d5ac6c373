"""The port Uses: counts by day, fields by the day on which they were last seen, and whom to tell of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, text

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import write_act
from lgsp.drivers.store.usage_tables import consumer_contact, usage_count, usage_field
from lgsp.model.parties import SubsystemId
from lgsp.model.usage import Use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.drivers.store.core import Core

SENT, GOT = "request", "answer"
_ADD = text(
    "INSERT INTO usage_count (consumer, service, major, operation, day, count) "
    "VALUES (:consumer, :service, :major, :operation, :day, :count) "
    "ON CONFLICT (consumer, service, major, operation, day) DO UPDATE SET count = usage_count.count + excluded.count"
)
_SEE = text(
    "INSERT INTO usage_field (consumer, service, major, operation, side, pointer, day) "
    "VALUES (:consumer, :service, :major, :operation, :side, :pointer, :day) "
    "ON CONFLICT (consumer, service, major, operation, side, pointer) DO UPDATE SET day = excluded.day WHERE usage_field.day < excluded.day"
)
_KEY = ("consumer", "service", "major", "operation")


class RecordedUses:
    """The port Uses."""

    core: Core

    async def add_uses(self, uses: Sequence[Use]) -> None:
        """Uses; in one order, so that two nodes do not lock each other out."""
        counts, fields = [], []
        for use in sorted(uses, key=lambda use: (use.consumer, use.service, use.major, use.operation)):
            key: dict[str, Any] = {**{name: getattr(use, name) for name in _KEY}, "day": use.day}
            counts.append({**key, "count": use.count})
            for side, pointers in ((SENT, use.sent), (GOT, use.got)):
                fields += [{**key, "side": side, "pointer": pointer} for pointer in sorted(pointers)]
        async with self.core.transaction() as connection:
            await connection.execute(_ADD, counts)
            if fields:
                await connection.execute(_SEE, sorted(fields, key=lambda row: [str(row[name]) for name in (*_KEY, "side", "pointer")]))

    async def uses(self, service: str, major: int, since: float) -> Sequence[Use]:
        """Uses."""
        key = [usage_count.c[name] for name in _KEY]
        here = (usage_count.c.service == service, usage_count.c.major == major, usage_count.c.day >= since)
        counted = select(*key, func.max(usage_count.c.day), func.sum(usage_count.c.count)).where(*here).group_by(*key).order_by(*key)
        seen = select(usage_field).where(usage_field.c.service == service, usage_field.c.major == major, usage_field.c.day >= since)
        async with self.core.transaction() as connection:
            found = (await connection.execute(counted)).all()
            fields: dict[tuple[str, str, str], set[str]] = {}
            for row in await connection.execute(seen):
                fields.setdefault((row.consumer, row.operation, row.side), set()).add(row.pointer)
        return [
            Use(
                SubsystemId(row[0]),
                *row[1:4],
                row[4],
                int(row[5]),
                *(frozenset(fields.get((row[0], row[3], side), ())) for side in (SENT, GOT)),
            )
            for row in found
        ]

    async def forget_uses(self, before: float) -> None:
        """Uses."""
        async with self.core.transaction() as connection:
            await connection.execute(delete(usage_count).where(usage_count.c.day < before))
            await connection.execute(delete(usage_field).where(usage_field.c.day < before))

    async def set_contact(self, consumer: SubsystemId, contact: str, author: str, at: float) -> bool:
        """Uses."""
        async with self.core.transaction() as connection:
            known = await connection.scalar(select(tables.consumer.c.id).where(tables.consumer.c.id == consumer))
            if known is None:
                return False
            await connection.execute(delete(consumer_contact).where(consumer_contact.c.consumer == consumer))
            if contact:
                await connection.execute(insert(consumer_contact).values(consumer=consumer, contact=contact))
            await write_act(connection, author, at, ("set_contact", consumer, {}))
        return True

    async def contacts(self) -> Mapping[SubsystemId, str]:
        """Uses."""
        async with self.core.transaction() as connection:
            return {SubsystemId(row.consumer): row.contact for row in await connection.execute(select(consumer_contact))}
