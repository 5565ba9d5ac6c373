"""Rows of code tables that people add without publishing; each act is a row with its author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.code_tables import CodeRow, RowState


class CodeRows(Protocol):
    """Proposed and decided rows; what was approved reaches every node within a second."""

    async def propose_row(self, row: CodeRow) -> None: ...

    async def decide_row(self, row_id: str, state: RowState, author: str, at: float) -> CodeRow | None:
        """Approve or reject; of several who decide at once one does. None if it is not there or was decided."""

    async def proposed_rows(self, provider: str, table: str) -> Sequence[CodeRow]:
        """Every row that was ever proposed for this table, the oldest first."""

    def code_rows(self) -> Sequence[CodeRow]:
        """Those that were approved, from a snapshot at most a second old; the same object as long as nothing has changed."""

    async def go_on(self, provider: str, cause: str, at: float) -> int:
        """Send what is held for this cause on its way again, with all its attempts and its whole time; says how many."""
