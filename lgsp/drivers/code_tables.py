"""Puts approved rows beside the published ones of this process's compiled code tables, and lets go on what was held for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.mapping.dates import local_day

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lgsp.model.catalogue import Catalogue
    from lgsp.model.code_tables import CodeRow, CodeTable
    from lgsp.ports.code_tables import CodeRows
    from lgsp.ports.engine import CatalogueSource

CAUSE = "code-unknown"
SETTLES_S = 10.0
"""So long after a change held messages are looked for: another node may have held one by the old rows meanwhile."""


class LiveTables:
    """The tables of what is published now."""

    def __init__(self, catalogue: CatalogueSource, rows: CodeRows, now: Callable[[], float]) -> None:
        self._catalogue = catalogue
        self._rows = rows
        self._now = now
        self._applied: tuple[Sequence[CodeRow], Sequence[CodeTable], str] = ((), (), "")
        self._wakes_until = 0.0
        self.apply()

    def apply(self) -> None:
        """See what was approved, what is published and what day it is; nothing is done where all three are as before."""
        now = self._now()
        rows, today = self._rows.code_rows(), local_day(now) or ""
        found = _tables_in(self._catalogue.current())
        known_rows, known_tables, known_today = self._applied
        tables = [table for _, table in found]
        if known_rows is rows and known_today == today and list(map(id, known_tables)) == list(map(id, tables)):
            return
        _extend(found, rows, today)
        self._applied = (rows, tables, today)
        self._wakes_until = now + SETTLES_S

    def prepare(self, catalogue: Catalogue) -> None:
        """The same for what is about to be published."""
        _extend(_tables_in(catalogue), self._rows.code_rows(), local_day(self._now()) or "")

    async def wake(self, ring: Callable[[str], None]) -> None:
        """Apply, and after a change let go on what lacked a row; `ring` is told each provider that is owed something then."""
        self.apply()
        now = self._now()
        if now >= self._wakes_until:
            return
        for provider in self._catalogue.current().providers.values():
            if provider.tables and await self._rows.go_on(provider.code, CAUSE, now):
                ring(provider.code)


def _tables_in(catalogue: Catalogue) -> list[tuple[str, CodeTable]]:
    """Every code table, with its provider."""
    return [(provider.code, table) for provider in catalogue.providers.values() for table in provider.tables.values()]


def _extend(tables: Sequence[tuple[str, CodeTable]], rows: Sequence[CodeRow], today: str) -> None:
    for code, table in tables:
        table.extend([row.as_published for row in rows if (row.provider, row.table) == (code, table.name)], today)
