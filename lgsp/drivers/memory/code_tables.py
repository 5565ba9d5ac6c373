"""Rows of code tables that people added, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.model.code_tables import CodeRow, RowState
from lgsp.model.happening import State
from lgsp.ports.office import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.memory.exchanges import Owed

_VERBS = {RowState.APPROVED: "approve_row", RowState.REJECTED: "reject_row"}


class MemoryCodeRows:
    """The port CodeRows."""

    _acts: list[Act]
    _owed: dict[str, Owed]

    def __init__(self) -> None:
        self._code_rows: dict[str, CodeRow] = {}
        self._approved: tuple[CodeRow, ...] = ()

    async def propose_row(self, row: CodeRow) -> None:
        """CodeRows."""
        self._code_rows[row.id] = row
        self._acts.append(Act(row.at, row.author, "propose_row", f"{row.provider}/{row.table}", _facts(row)))

    async def decide_row(self, row_id: str, state: RowState, author: str, at: float) -> CodeRow | None:
        """CodeRows."""
        row = self._code_rows.get(row_id)
        if row is None or row.state is not RowState.PROPOSED:
            return None
        row = self._code_rows[row_id] = replace(row, state=state, decided_by=author, decided_at=at)
        approved = [each for each in self._code_rows.values() if each.state is RowState.APPROVED]
        self._approved = tuple(sorted(approved, key=lambda each: (each.at, each.id)))
        self._acts.append(Act(at, author, _VERBS[state], f"{row.provider}/{row.table}", _facts(row)))
        return row

    async def proposed_rows(self, provider: str, table: str) -> Sequence[CodeRow]:
        """CodeRows."""
        found = [each for each in self._code_rows.values() if (each.provider, each.table) == (provider, table)]
        return sorted(found, key=lambda each: (each.at, each.id))

    def code_rows(self) -> Sequence[CodeRow]:
        """CodeRows."""
        return self._approved

    async def go_on(self, provider: str, cause: str, at: float) -> int:
        """CodeRows."""
        held = [each for each in self._owed.values() if each.state is State.HELD and each.stored.provider == provider]
        found = [each for each in held if each.last is not None and each.last.cause == cause]
        for owed in found:
            owed.begin_afresh(at)
        return len(found)


def _facts(row: CodeRow) -> dict[str, Any]:
    return {"row": row.id, **row.as_published, "reason": row.reason}
