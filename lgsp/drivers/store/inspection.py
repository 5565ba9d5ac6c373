"""What operators see of messages and acts, and how they send a message again; never a payload, never an identifier of a person."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text, update

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import write_act
from lgsp.drivers.store.steering import afresh
from lgsp.model.happening import State
from lgsp.policy.lifecycle import ACT_FACTS, IN_RUN, REPLAYABLE
from lgsp.ports.office import Act, Backlog, DeadGroup, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core

IDS_SHOWN = 100
"""How many message ids a group of dead letters names."""

_ACCEPTED = ("consumer", "service", "major", "operation", "provider", "trace_id", "deadline_at")
_OPENED = ("consumer", "provider", "service", "operation", "trace_id")
_CLOSED = ("outcome", "status", "blame", "cause", "duration_us")
_GROUP = ("provider", "service", "operation", "cause", "blame")


class Inspection:
    """The ports Inspection and Steering."""

    core: Core

    async def timeline(self, message_id: str) -> Sequence[TimelineEntry]:
        """Inspection."""
        if not rows.is_id(message_id):
            return ()
        async with self.core.transaction() as connection:
            found = [entry async for entry in _entries(connection, message_id)]
        return sorted(found, key=lambda entry: entry.at)

    async def backlog(self) -> Sequence[Backlog]:
        """Inspection."""
        async with self.core.transaction() as connection:
            moving = (await connection.execute(_counts(tables.DUE))).all()
            resting = (await connection.execute(_counts(tables.AT_REST))).all()
        counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in (*moving, *resting):
            counts[row.provider][row.state] = row.n
        oldest: dict[str, float] = {}
        for row in moving:
            if (at := rows.time_of(row.oldest)) is not None:
                oldest[row.provider] = min(at, oldest.get(row.provider, at))
        return [Backlog(provider, states, oldest.get(provider)) for provider, states in sorted(counts.items())]

    async def dead(self, limit: int) -> Sequence[DeadGroup]:
        """Inspection."""
        return await self._groups(State.DEAD, limit)

    async def unknown(self, limit: int) -> Sequence[DeadGroup]:
        """Inspection."""
        return await self._groups(State.UNKNOWN, limit)

    async def _groups(self, state: State, limit: int) -> Sequence[DeadGroup]:
        """The largest groups first, each with its oldest messages."""
        table = tables.message
        columns = [table.c[name] for name in _GROUP]
        count = func.count().label("n")
        groups = select(*columns, count, func.min(table.c.accepted_at).label("oldest")).where(text(tables.AT_REST))
        groups = groups.where(table.c.state == state.value).group_by(*columns).order_by(count.desc()).limit(limit)
        async with self.core.transaction() as connection:
            return [await _group(connection, state, row) for row in await connection.execute(groups)]

    async def acts(self, limit: int) -> Sequence[Act]:
        """Inspection."""
        async with self.core.transaction() as connection:
            query = select(tables.act).where(tables.act.c.verb != IN_RUN).order_by(tables.act.c.id.desc()).limit(limit)
            found = await connection.execute(query)
            return [Act(row.at, row.author, row.verb, row.subject, rows.facts_of(row.facts)) for row in found]

    async def replay(self, message_id: str, author: str, at: float) -> str | None:
        """Steering; the message gets all its attempts and its whole time anew."""
        if not rows.is_id(message_id):
            return None
        table = tables.message
        change = update(table).where(table.c.message_id == message_id, table.c.state.in_([state.value for state in REPLAYABLE]))
        change = change.values(**afresh(at))
        async with self.core.transaction() as connection:
            provider: str | None = await connection.scalar(change.returning(table.c.provider))
            if provider is not None:
                await write_act(connection, author, at, ("replay", message_id, {}))
        return provider


def _counts(condition: str) -> Select[Any]:
    """Messages by provider and state; the condition is that of an index."""
    table = tables.message
    query = select(table.c.provider, table.c.state, func.count().label("n"), func.min(table.c.accepted_at).label("oldest"))
    return query.where(text(condition)).group_by(table.c.provider, table.c.state)


async def _entries(connection: AsyncConnection, message_id: str) -> Any:
    for row in await connection.execute(_of(tables.message, message_id)):
        yield _entry(row.accepted_at, "accepted", 0, {name: getattr(row, name) for name in _ACCEPTED})
    for row in await connection.execute(_of(tables.log, message_id).order_by(tables.log.c.id)):
        for entry in _log_entries(row):
            yield entry
    for row in await connection.execute(_of(tables.call, message_id).order_by(tables.call.c.id)):
        yield _entry(row.at, "call", row.attempt, {"name": row.name, "finished": bool(row.finished)})
    for row in await connection.execute(select(tables.act).where(tables.act.c.subject == message_id).order_by(tables.act.c.id)):
        told = {name: value for name, value in rows.facts_of(row.facts).items() if name in ACT_FACTS}
        yield _entry(row.at, "act", 0, {"verb": row.verb, "author": row.author, **told})


def _entry(at: object, event: str, attempt: int, facts: Mapping[str, Any]) -> TimelineEntry:
    """Times that are damaged are told as none."""
    sound = {name: rows.time_of(value) if name.endswith("_at") else value for name, value in facts.items()}
    return TimelineEntry(rows.time_of(at) or 0.0, event, attempt, sound)


def _of(table: Any, message_id: str) -> Select[Any]:
    return select(table).where(table.c.message_id == message_id)


def _log_entries(row: Row[Any]) -> Iterator[TimelineEntry]:
    if row.event == "opened":
        yield _entry(row.at, "opened", row.attempt, {name: getattr(row, name) for name in _OPENED})
        return
    facts = {name: getattr(row, name) for name in _CLOSED}
    yield _entry(row.at, "closed", row.attempt, {**facts, "stages": rows.stages_of(row.stages)})
    if row.settled:
        yield _entry(row.at, "settled", row.attempt, rows.facts_of(row.settled))


async def _group(connection: AsyncConnection, state: State, row: Any) -> DeadGroup:
    table = tables.message
    query = select(table.c.message_id).where(text(tables.AT_REST), table.c.state == state.value)
    query = query.where(*[table.c[name] == getattr(row, name) for name in _GROUP]).order_by(table.c.accepted_at).limit(IDS_SHOWN)
    ids = tuple((await connection.execute(query)).scalars())
    return DeadGroup(row.provider, row.service, row.operation, row.cause, row.blame, row.n, rows.time_of(row.oldest) or 0.0, ids)
