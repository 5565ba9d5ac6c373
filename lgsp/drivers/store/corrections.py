"""Proposed corrections of stored messages, sealed until they are decided and then forgotten; the port Corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import write_act
from lgsp.ports.office import Correction, CorrectionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from lgsp.drivers.store.core import Core
    from lgsp.ports.office import Ruled

_BEFORE = {CorrectionState.PROPOSED: CorrectionState.APPROVED}
"""What a correction is before it is ruled on: proposed, but for one whose sending failed, which is proposed again."""
_VERBS = {
    CorrectionState.APPROVED: "approve_correction",
    CorrectionState.REJECTED: "reject_correction",
    CorrectionState.PROPOSED: "reopen_correction",
}


class Corrections:
    """The port Corrections."""

    core: Core

    async def propose(self, correction: Correction) -> None:
        """Corrections."""
        sealed = self.core.cipher.seal(correction.body, _aad(correction.id))
        names = ("id", "message_id", "reason", "author", "at")
        values = {name: getattr(correction, name) for name in names} | {"body": sealed, "state": correction.state.value}
        act = ("propose_correction", correction.message_id, {"correction": correction.id, "reason": correction.reason})
        async with self.core.transaction() as connection:
            await connection.execute(insert(tables.correction).values(**values))
            await write_act(connection, correction.author, correction.at, act)

    async def corrections(self, limit: int) -> Sequence[Correction]:
        """Corrections."""
        table = tables.correction
        async with self.core.transaction() as connection:
            found = await connection.execute(select(table).order_by(table.c.at.desc(), table.c.id.desc()).limit(limit))
            return [_correction(row, b"") for row in found]

    async def correction(self, correction_id: str, reader: str, at: float) -> Correction | None:
        """Corrections."""
        if not rows.is_id(correction_id):
            return None
        async with self.core.transaction() as connection:
            query = select(tables.correction).where(tables.correction.c.id == correction_id)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            await write_act(connection, reader, at, ("read_correction", row.message_id, {"correction": correction_id}))
        return _correction(row, await self.core.open(row.body, _aad(correction_id)) if row.body else b"")

    async def standing(self, correction_id: str) -> Correction | None:
        """Corrections."""
        if not rows.is_id(correction_id):
            return None
        async with self.core.transaction() as connection:
            query = select(tables.correction).where(tables.correction.c.id == correction_id)
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _correction(row, b"")

    async def unsent(self, before: float) -> Sequence[Correction]:
        """Corrections."""
        table = tables.correction
        approved = (table.c.state == CorrectionState.APPROVED.value, table.c.successor.is_(None), table.c.decided_at < before)
        async with self.core.transaction() as connection:
            found = (await connection.execute(select(table).where(*approved))).all()
        return [_correction(row, await self.core.open(row.body, _aad(row.id))) for row in found]

    async def decide_correction(self, correction_id: str, ruled: Ruled) -> bool:
        """Corrections; the body of a rejected one is forgotten at once."""
        if not rows.is_id(correction_id):
            return False
        table = tables.correction
        before = _BEFORE.get(ruled.state, CorrectionState.PROPOSED)
        values: dict[str, Any] = {"state": ruled.state.value, "decided_by": ruled.author, "decided_at": ruled.at}
        values |= {"body": b""} if ruled.state is CorrectionState.REJECTED else {}
        change = update(table).where(table.c.id == correction_id, table.c.state == before.value).values(**values)
        async with self.core.transaction() as connection:
            message_id = await connection.scalar(change.returning(table.c.message_id))
            if message_id is not None:
                await write_act(connection, ruled.author, ruled.at, (_VERBS[ruled.state], message_id, {"correction": correction_id}))
        return message_id is not None

    async def succeed(self, correction_id: str, successor: str) -> None:
        """Corrections."""
        table = tables.correction
        change = update(table).where(table.c.id == correction_id).values(successor=successor, body=b"")
        async with self.core.transaction() as connection:
            row = (await connection.execute(change.returning(*table.c))).one()
            facts = {"correction": correction_id, "supersedes": row.message_id, "proposed_by": row.author}
            await write_act(connection, row.decided_by, row.decided_at, ("send_correction", successor, facts))


def _aad(correction_id: str) -> bytes:
    return f"correction {correction_id}".encode()


def _correction(row: Row[Any], body: bytes) -> Correction:
    decided = (CorrectionState(row.state), row.decided_by, row.decided_at, row.successor)
    return Correction(row.id, row.message_id, body, row.reason, row.author, row.at, *decided)
