"""The port CodeRows (what was approved is in the directory's snapshot)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Double, Table, Text, insert, select, text, update

from lgsp.codec import json
from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import ENFORCEMENT, bump, write_act
from lgsp.drivers.store.steering import afresh
from lgsp.model.code_tables import CodeRow, RowState
from lgsp.model.happening import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core

code_row = Table(
    "code_row",
    tables.metadata,
    Column("id", tables.MessageId, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("code_table", Text, nullable=False),
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("valid_from", Text, nullable=False),
    Column("valid_to", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", Double),
)
_VERBS = {RowState.APPROVED: "approve_row", RowState.REJECTED: "reject_row"}
_PLAIN = ("id", "provider", "reason", "author", "at", "valid_from", "valid_to", "way")


class RecordedCodeRows:
    """The port CodeRows."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    async def propose_row(self, row: CodeRow) -> None:
        """CodeRows."""
        values = {name: getattr(row, name) for name in _PLAIN}
        values |= {"code_table": row.table, "state": row.state.value}
        values |= {name: json.encode(getattr(row, name)).decode() for name in ("ours", "theirs")}
        async with self.core.transaction() as connection:
            await connection.execute(insert(code_row).values(**values))
            await write_act(connection, row.author, row.at, ("propose_row", f"{row.provider}/{row.table}", facts_of(row)))

    async def decide_row(self, row_id: str, state: RowState, author: str, at: float) -> CodeRow | None:
        """CodeRows."""
        if not rows.is_id(row_id):
            return None
        proposed = (code_row.c.id == row_id, code_row.c.state == RowState.PROPOSED.value)
        change = update(code_row).where(*proposed).values(state=state.value, decided_by=author, decided_at=at)
        async with self.core.transaction() as connection:
            await bump(connection, ENFORCEMENT)
            found = (await connection.execute(change.returning(*code_row.c))).one_or_none()
            row = None if found is None else _row(found)
            if row is not None:
                await write_act(connection, author, at, (_VERBS[state], f"{row.provider}/{row.table}", facts_of(row)))
        await self.refresh()
        return row

    async def proposed_rows(self, provider: str, table: str) -> Sequence[CodeRow]:
        """CodeRows."""
        here = select(code_row).where(code_row.c.provider == provider, code_row.c.code_table == table)
        async with self.core.transaction() as connection:
            return [_row(found) for found in await connection.execute(here.order_by(code_row.c.at, code_row.c.id))]

    async def go_on(self, provider: str, cause: str, at: float) -> int:
        """CodeRows."""
        table = tables.message
        held = (text(tables.AT_REST), table.c.state == State.HELD.value, table.c.provider == provider, table.c.cause == cause)
        async with self.core.transaction() as connection:
            return (await connection.execute(update(table).where(*held).values(**afresh(at)))).rowcount


async def code_rows_in(connection: AsyncConnection) -> Sequence[CodeRow]:
    """What was approved, the oldest first."""
    approved = select(code_row).where(code_row.c.state == RowState.APPROVED.value).order_by(code_row.c.at, code_row.c.id)
    return [_row(found) for found in await connection.execute(approved)]


def facts_of(row: CodeRow) -> dict[str, Any]:
    """What an act tells of a row."""
    return {"row": row.id, **row.as_published, "reason": row.reason}


def _row(found: Row[Any]) -> CodeRow:
    return CodeRow(
        **{name: getattr(found, name) for name in _PLAIN},
        table=found.code_table,
        ours=json.decode(found.ours.encode()),
        theirs=json.decode(found.theirs.encode()),
        state=RowState(found.state),
        decided_by=found.decided_by,
        decided_at=found.decided_at,
    )
