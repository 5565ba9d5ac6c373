"""What people ordered about providers, and messages that wait for a provider to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, text, update

from lgsp.drivers.store import tables
from lgsp.drivers.store.core import PROVIDERS, bump, write_act
from lgsp.model.happening import State
from lgsp.model.parties import Ruling, RulingKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Due

CIRCUIT = frozenset({RulingKind.OPEN, RulingKind.CLOSED})
AWAY = ("provider", "national", "network")
"""Blames of a failure that the provider's return mends."""


class Providers:
    """The ports ProviderStates (its reading side is the directory's snapshot) and Patience."""

    core: Core

    async def refresh(self) -> None:
        """The directory's: this process sees its own changes at once, other nodes within a second."""
        raise NotImplementedError

    async def rule(self, ruling: Ruling, at: float) -> None:
        """ProviderStates."""
        values = {name: getattr(ruling, name) for name in ("id", "provider", "from_at", "until_at", "reason", "author")}
        facts = {"from_at": ruling.from_at, "until_at": ruling.until_at, "reason": ruling.reason}
        async with self.core.transaction() as connection:
            await bump(connection, PROVIDERS)
            await connection.execute(delete(tables.provider_state).where(tables.provider_state.c.until_at <= at))
            if ruling.kind in CIRCUIT:
                await _end(connection, ruling.provider, CIRCUIT, at, None)
            await connection.execute(insert(tables.provider_state).values(kind=ruling.kind.value, **values))
            await write_act(connection, ruling.author, at, (_VERBS[ruling.kind], ruling.provider, facts))
        await self.refresh()

    async def lift(self, provider: str, kinds: frozenset[RulingKind], author: str, at: float, ruling_id: str | None = None) -> int:
        """ProviderStates."""
        async with self.core.transaction() as connection:
            await bump(connection, PROVIDERS)
            ended = await _end(connection, provider, kinds, at, ruling_id)
            if ended:
                verb = "release" if RulingKind.HOLD in kinds else "free_circuit"
                await write_act(connection, author, at, (verb, provider, {"ended": ended}))
        await self.refresh()
        return ended

    async def postpone(self, waits: Sequence[tuple[Due, float]]) -> int:
        """Patience; one commit for all, a statement for each, for drivers count no rows of many at once."""
        table = tables.message
        held = (table.c.message_id == bindparam("id"), table.c.state == State.DELIVERING.value, table.c.lease == bindparam("held"))
        change = update(table).values(state=State.WAITING.value, due_at=bindparam("at"), attempts=table.c.attempts - 1).where(*held)
        async with self.core.transaction() as connection:
            rows = [{"id": due.stored.message_id, "held": due.lease, "at": due_at} for due, due_at in waits]
            return sum([(await connection.execute(change, row)).rowcount for row in rows])

    async def hand_back(self, due: Due, now: float) -> bool:
        """Patience; it stays `delivering`, so that what was begun is judged as after a crash."""
        table = tables.message
        held = (table.c.message_id == due.stored.message_id, table.c.state == State.DELIVERING.value, table.c.lease == due.lease)
        change = update(table).values(due_at=now, attempts=table.c.attempts - 1)
        async with self.core.transaction() as connection:
            return (await connection.execute(change.where(*held))).rowcount > 0

    async def hasten(self, provider: str, now: float) -> int:
        """Patience; due when they were accepted, so that they are claimed in that order."""
        table = tables.message
        waiting = (text(tables.DUE), table.c.provider == provider, table.c.state == State.WAITING.value, table.c.due_at > now)
        change = update(table).values(due_at=table.c.accepted_at).where(*waiting, table.c.blame.in_(AWAY))
        async with self.core.transaction() as connection:
            return (await connection.execute(change)).rowcount


_VERBS = {RulingKind.OPEN: "force_open", RulingKind.CLOSED: "force_closed", RulingKind.HOLD: "hold"}


async def rulings_in(connection: AsyncConnection) -> Sequence[Ruling]:
    """Every row, the earliest first."""
    table = tables.provider_state
    return [_ruling(row) for row in await connection.execute(select(table).order_by(table.c.from_at, table.c.id))]


def _ruling(row: Row[Any]) -> Ruling:
    return Ruling(row.id, row.provider, RulingKind(row.kind), row.from_at, row.until_at, row.reason, row.author)


async def _end(connection: AsyncConnection, provider: str, kinds: frozenset[RulingKind], at: float, ruling_id: str | None) -> int:
    """Take away what is in force, or what is named."""
    columns = tables.provider_state.c
    where = [columns.provider == provider, columns.kind.in_([kind.value for kind in kinds]), columns.until_at > at]
    where.append(columns.from_at <= at if ruling_id is None else columns.id == ruling_id)
    return (await connection.execute(delete(tables.provider_state).where(*where))).rowcount
