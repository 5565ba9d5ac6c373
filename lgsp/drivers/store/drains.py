"""What each provider is owed and how fast it goes: counted by one node a second, for all nodes; the port Drains."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from lgsp.drivers.store import tables
from lgsp.policy.drain import Drain, Pace, measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.drivers.store.core import Core

COUNT_S = 1.0
"""Who finds the counts older than this counts again."""

_INSERT = (
    "INSERT INTO drain (provider, owed, settled, counted_at) VALUES (:code, :owed, :settled, :at) ON CONFLICT (provider) DO UPDATE SET "
)
_ADD = text(f"{_INSERT} settled = drain.settled + excluded.settled")
_COUNT = text(f"{_INSERT} owed = excluded.owed, counted_at = excluded.counted_at")


class Drains:
    """The port Drains; `settled` is raised by the outbox, by provider, until it is added to the table."""

    core: Core

    def __init__(self) -> None:
        self.settled: Counter[str] = Counter()
        self._paces: dict[str, Pace] = {}
        self._drains: Mapping[str, Drain] = {}

    def drain(self, provider: str) -> Drain:
        """Drains."""
        return self._drains.get(provider, Drain())

    async def measure(self, now: float) -> None:
        """Drains."""
        await self._add()
        await self._count(now)
        async with self.core.transaction() as connection:
            found = (await connection.execute(select(tables.drain))).all()
        for row in found:
            pace = self._paces.get(row.provider)
            self._paces[row.provider] = Pace(row.settled, now) if pace is None else measured(pace, row.settled, now)
        self._drains = {row.provider: Drain(row.owed, self._paces[row.provider].rate) for row in found}

    async def _add(self) -> None:
        """Sorted, here and below, and each in a transaction of its own, so that two nodes never wait for each other."""
        taken = self.settled.copy()
        if not taken:
            return
        rows = [{"code": code, "owed": 0, "settled": count, "at": 0.0} for code, count in sorted(taken.items())]
        async with self.core.transaction() as connection:
            await connection.execute(_ADD, rows)
        self.settled.subtract(taken)
        self.settled += Counter()  # without those that are 0

    async def _count(self, now: float) -> None:
        """Unless another node has a moment ago. An idle hub writes nothing."""
        table, message = tables.drain, tables.message
        query = select(message.c.provider, func.count().label("n")).where(text(tables.DUE)).group_by(message.c.provider)
        async with self.core.transaction() as connection:
            known = {row.provider: row for row in await connection.execute(select(table))}
            if max((row.counted_at for row in known.values()), default=0.0) > now - COUNT_S:
                return
            owed = {row.provider: row.n for row in await connection.execute(query)}
            told = {code: row.owed for code, row in known.items() if row.owed}
            rows = [{"code": code, "owed": owed.get(code, 0), "settled": 0, "at": now} for code in sorted({*owed, *told})]
            if rows:
                await connection.execute(_COUNT, rows)
