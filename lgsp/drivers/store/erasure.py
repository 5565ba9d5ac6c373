"""Erasing fields of sealed leaves, where the law wants them gone: the digests stay, and with them the proof of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, select, update

from lgsp.drivers.store import evidence_tables, rows, tables
from lgsp.drivers.store.core import write_act
from lgsp.errors import Fault
from lgsp.evidence.batch import leaf_of
from lgsp.evidence.events import ABOUT, topics_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.evidence import SealedLeaf

MOST = 10_000


class Erasure:
    """The port Erasures."""

    core: Core

    async def erase(self, message_id: str, names: Collection[str], author: str, at: float) -> int:
        """Erasures; the rows of the log lose what the leaves lose."""
        if not rows.is_id(message_id):
            return 0
        found: Sequence[SealedLeaf] = await self.leaves_about(ABOUT, message_id, MOST)  # type: ignore[attr-defined]  # of Evidence
        async with self.core.transaction() as connection:
            changed = [await self._erase(connection, row, names) for row in found]
            await _forget(connection, message_id, names)
            if any(changed):
                facts = {"fields": sorted(names), "leaves": sum(changed)}
                await write_act(connection, author, at, ("evidence_erase", message_id, facts))
        return sum(changed)

    async def _erase(self, connection: AsyncConnection, row: SealedLeaf, names: Collection[str]) -> bool:
        leaf, table, topic = leaf_of(row), evidence_tables.leaf, evidence_tables.topic
        left = leaf.without(names)
        if left is leaf:
            return False
        fields, erased = left.packed()
        change = update(table).where(table.c.number == row.number, table.c.seed == row.seed, table.c.erased == row.erased)
        if not (await connection.execute(change.values(fields=fields, erased=erased, seed=b""))).rowcount:
            raise Fault("record-unavailable", "somebody else erases of this exchange; try again")
        gone = set(topics_of(leaf.fields)) - set(topics_of(left.fields))
        marks = [self.core.cipher.mark(f"evidence {kind} {value}") for kind, value in gone]
        await connection.execute(delete(topic).where(topic.c.number == row.number, topic.c.mark.in_(marks)))
        return True


async def _forget(connection: AsyncConnection, message_id: str, names: Collection[str]) -> None:
    table = tables.log
    query = select(table.c.id, table.c.purpose).where(table.c.message_id == message_id, table.c.purpose != "")
    for row in (await connection.execute(query)).all():
        told: Mapping[str, Any] = msgspec.json.decode(row.purpose)
        kept = {name: "" if name in names and value else value for name, value in told.items()}
        await connection.execute(update(table).where(table.c.id == row.id).values(purpose=msgspec.json.encode(kept).decode()))
