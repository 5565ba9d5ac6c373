"""Rows of code tables: one person proposes, another approves; they hold without publishing, and what was held for them goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.code_tables import CodeRow, RowState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.code_tables import Code, CodeTable
    from lgsp.ports.office import Office


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row for a table of the provider of a service; days as yyyy-MM-dd or empty, way: request, reply or empty for both."""

    service: str
    table: str
    ours: Code
    theirs: Code
    reason: str
    valid_from: str = ""
    valid_to: str = ""
    way: str = ""


def table_of(office: Office, service: str, name: str) -> tuple[str, CodeTable]:
    """Provider and table; Fault("not-found") tells which tables there are."""
    tables: dict[str, tuple[str, CodeTable]] = {}
    for (code, _), published in office.catalogue.current().services.items():
        for operation in published.operations if code == service else ():
            tables |= {each: (operation.provider.code, table) for each, table in operation.provider.tables.items()}
    if name not in tables:
        raise Fault("not-found", f"{service} has no code table {name}; it has {', '.join(sorted(tables)) or 'none'}")
    return tables[name]


async def rows(office: Office, service: str, name: str) -> tuple[CodeTable, Sequence[CodeRow]]:
    """The table with its published rows, and every row that was proposed beside them."""
    provider, table = table_of(office, service, name)
    return table, await office.code_rows.proposed_rows(provider, name)


async def propose(office: Office, wanted: Proposal, author: str) -> CodeRow:
    """Keep the proposal if it could stand beside the published rows and those that were approved."""
    provider, table = table_of(office, wanted.service, wanted.table)
    row = CodeRow(
        id=office.new_id(),
        provider=provider,
        table=wanted.table,
        ours=wanted.ours,
        theirs=wanted.theirs,
        reason=wanted.reason,
        author=author,
        at=office.now(),
        valid_from=wanted.valid_from,
        valid_to=wanted.valid_to,
        way=wanted.way,
    )
    await _require_fit(office, table, row)
    await office.code_rows.propose_row(row)
    return row


async def approve(office: Office, service: str, name: str, row_id: str, author: str) -> CodeRow:
    """Let it hold, on all nodes within a second; who proposed it cannot."""
    table, row = await _proposed(office, service, name, row_id)
    if row.author == author:
        raise Fault("second-person-needed")
    await _require_fit(office, table, row)
    return await _decide(office, row_id, RowState.APPROVED, author)


async def reject(office: Office, service: str, name: str, row_id: str, author: str) -> CodeRow:
    """Nothing changes; whoever proposed it may take it back so, too."""
    await _proposed(office, service, name, row_id)
    return await _decide(office, row_id, RowState.REJECTED, author)


async def _proposed(office: Office, service: str, name: str, row_id: str) -> tuple[CodeTable, CodeRow]:
    table, found = await rows(office, service, name)
    row = next((each for each in found if each.id == row_id), None)
    if row is None:
        raise Fault("not-found", f"no row of {name} has this id")
    if row.state is not RowState.PROPOSED:
        raise Fault("row-decided", f"it was {row.state} by {row.decided_by}")
    return table, row


async def _decide(office: Office, row_id: str, state: RowState, author: str) -> CodeRow:
    decided = await office.code_rows.decide_row(row_id, state, author, office.now())
    if decided is None:
        raise Fault("row-decided")
    return decided


async def _require_fit(office: Office, table: CodeTable, row: CodeRow) -> None:
    others = await office.code_rows.proposed_rows(row.provider, row.table)
    reason = table.clash(row.as_published, [each.as_published for each in others if each.state is RowState.APPROVED])
    if reason:
        raise Fault("row-clashes", reason)
