"""What people decide about many messages at rest: unknown outcomes, and dead letters that are replayed at a rate."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, text, update

from lgsp.drivers.store import claims, rows, tables
from lgsp.drivers.store.core import write_act
from lgsp.model.happening import State
from lgsp.policy.lifecycle import IN_RUN, LAYINGS
from lgsp.policy.pace import allowance
from lgsp.ports.office import Filter, ReplayRun, RunState, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.ports.office import Decision

_WAKE = text(f"UPDATE message SET ready = true, due_at = :at WHERE {claims.woken(':id')}").bindparams(  # noqa: S608 -- constants
    bindparam("id", type_=tables.MessageId())
)
_GROUP = ("provider", "service", "operation", "cause")
_LIVE = (RunState.RUNNING.value, RunState.PAUSED.value)


class ManyMessages:
    """The parts of Inspection and Steering that choose by a filter, and the port Runs."""

    core: Core

    async def count(self, state: State, chosen: Filter) -> Sequence[Share]:
        """Inspection; the largest first."""
        columns, n = [tables.message.c[name] for name in _GROUP], func.count().label("n")
        query = select(*columns, n).where(*_where(state, chosen)).group_by(*columns).order_by(n.desc(), *columns)
        async with self.core.transaction() as connection:
            return [Share(*row[:4], count=row.n) for row in await connection.execute(query)]

    async def decide(self, chosen: str | Filter, decision: Decision, at: float, limit: int) -> Sequence[tuple[str, str]]:
        """Steering."""
        if isinstance(chosen, str) and not rows.is_id(chosen):
            return []
        table = tables.message
        one = (table.c.message_id == chosen, table.c.state == State.UNKNOWN.value)
        where = _where(State.UNKNOWN, chosen) if isinstance(chosen, Filter) else one
        picked = select(table.c.seq).where(*where).order_by(table.c.seq).limit(limit)
        change = update(table).where(table.c.seq.in_(picked), table.c.state == State.UNKNOWN.value).values(**_decided(decision, at))
        async with self.core.transaction() as connection:
            found = (await connection.execute(change.returning(table.c.message_id, table.c.provider))).all()
            if found and decision.state is State.WAITING:
                await connection.execute(_without_doubts([row.message_id for row in found]))
            await wake(connection, [row.message_id for row in found] if decision.state is not State.WAITING else [], at)
            for row in found:
                await write_act(connection, decision.author, at, (f"decide_{decision.state}", row.message_id, {"reason": decision.reason}))
        return [(row.message_id, row.provider) for row in found]

    async def lay(
        self, chosen: str | Filter, ruling: Decision, at: float, most: int, states: frozenset[State]
    ) -> Sequence[tuple[str, str]]:
        """Steering."""
        if isinstance(chosen, str) and not rows.is_id(chosen):
            return []
        table, told = tables.message, {"blame": "", "cause": "", "detail": ""}
        names = [state.value for state in states]
        where = [table.c.message_id == chosen] if isinstance(chosen, str) else [or_(*[and_(*_where(each, chosen)) for each in states])]
        picked = select(table.c.seq).where(*where, table.c.state.in_(names)).order_by(table.c.seq).limit(most)
        values = {"state": ruling.state.value, "due_at": None, "ready": False, "settled_at": at, "feed_no": None, **told}
        change = update(table).where(table.c.seq.in_(picked), table.c.state.in_(names)).values(**values)
        async with self.core.transaction() as connection:
            found = (await connection.execute(change.returning(table.c.message_id, table.c.provider))).all()
            await wake(connection, [row.message_id for row in found], at)
            for row in found:
                await write_act(connection, ruling.author, at, (LAYINGS[ruling.state], row.message_id, {"reason": ruling.reason}))
        return [(row.message_id, row.provider) for row in found]

    async def start_run(self, run: ReplayRun) -> None:
        """Runs."""
        values = {"id": run.id, "rate": run.rate, "total": run.total, "done": run.done, "state": run.state.value, "author": run.author}
        values |= {"started_at": run.started_at, "worked_at": run.started_at, **asdict(run.chosen)}
        facts = {**{name: value for name, value in asdict(run.chosen).items() if value}, "rate": run.rate, "total": run.total}
        async with self.core.transaction() as connection:
            await connection.execute(insert(tables.replay_run).values(**values))
            await write_act(connection, run.author, run.started_at, ("replay_many", run.id, facts))

    async def runs(self, limit: int) -> Sequence[ReplayRun]:
        """Runs."""
        table = tables.replay_run
        async with self.core.transaction() as connection:
            found = await connection.execute(select(table).order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit))
            return [_run(row) for row in found]

    async def steer_run(self, run_id: str, state: RunState, author: str, at: float) -> ReplayRun | None:
        """Runs; what is resumed begins its pace anew."""
        if not rows.is_id(run_id):
            return None
        table = tables.replay_run
        ended = at if state is RunState.CANCELLED else None
        change = update(table).where(table.c.id == run_id, table.c.state.in_(_LIVE)).values(state=state.value, worked_at=at, ended_at=ended)
        async with self.core.transaction() as connection:
            row = (await connection.execute(change.returning(*table.c))).one_or_none()
            if row is not None:
                await write_act(connection, author, at, (f"replay_{state}", run_id, {}))
        return None if row is None else _run(row)

    async def work_runs(self, now: float) -> Sequence[str]:
        """Runs; each in a transaction of its own, which the node wins that moves `worked_at`."""
        table = tables.replay_run
        async with self.core.transaction() as connection:
            running = (await connection.execute(select(table).where(table.c.state == RunState.RUNNING.value))).all()
        owed: set[str] = set()
        for row in running:
            places, paid_until = allowance(row.rate, row.worked_at, now)
            if places:
                async with self.core.transaction() as connection:
                    owed |= await _work(connection, row, (places, paid_until), now)
        return sorted(owed)


def _without_doubts(message_ids: Sequence[str]) -> Any:
    """Forget the calls of these messages that were begun and not finished."""
    call, done = tables.call, tables.call.alias()
    finished = exists().where(done.c.message_id == call.c.message_id, done.c.name == call.c.name, done.c.finished)
    return delete(call).where(call.c.message_id.in_(message_ids), ~call.c.finished, ~finished)


async def _work(connection: AsyncConnection, row: Row[Any], pace: tuple[int, float], now: float) -> set[str]:
    """The next few of one run; it is done when there are fewer than its pace allows."""
    places, paid_until = pace
    table, messages = tables.replay_run, tables.message
    mine = update(table).where(table.c.id == row.id, table.c.state == RunState.RUNNING.value, table.c.worked_at == row.worked_at)
    if (await connection.execute(mine.values(worked_at=paid_until))).rowcount == 0:
        return set()
    chosen = _where(State.DEAD, _run(row).chosen)
    picked = select(messages.c.seq).where(*chosen).order_by(messages.c.seq).limit(places)
    change = update(messages).where(messages.c.seq.in_(picked), messages.c.state == State.DEAD.value).values(**afresh(now))
    moved = (await connection.execute(change.returning(messages.c.message_id, messages.c.provider))).all()
    for message in moved:
        await write_act(connection, row.author, now, (IN_RUN, message.message_id, {"run": row.id}))
    ends = {"state": RunState.DONE.value, "ended_at": now} if len(moved) < places else {}
    await connection.execute(update(table).where(table.c.id == row.id).values(done=table.c.done + len(moved), **ends))
    return {message.provider for message in moved}


async def wake(connection: AsyncConnection, message_ids: Sequence[str], at: float) -> None:
    """Who is the first of its order key now that these are at rest is due."""
    for message_id in message_ids:
        await connection.execute(_WAKE, {"id": message_id, "at": at})


def afresh(at: float) -> dict[str, Any]:
    """The columns of a message that is sent again by a person's will: it gets all its attempts and its whole time anew."""
    table = tables.message
    deadline_at = at + table.c.deadline_at - table.c.accepted_at
    settled = {"settled_at": None, "feed_no": None}
    return {"state": State.WAITING.value, "due_at": at, "ready": False, "attempts": 0, "deadline_at": deadline_at, **settled}


def _decided(decision: Decision, at: float) -> dict[str, Any]:
    if decision.state is State.WAITING:
        return afresh(at)
    settled = {"state": decision.state.value, "due_at": None, "settled_at": at, "feed_no": None}
    return settled if decision.state is State.DEAD else {**settled, "cause": "", "blame": "", "detail": ""}


def _where(state: State, chosen: Filter) -> list[Any]:
    """The chosen messages in this state, by the index of what is at rest or due."""
    table = tables.message
    waits = state is State.WAITING
    where: list[Any] = [text(tables.DUE if waits else tables.AT_REST), table.c.state == state.value]
    where += [table.c[name] == value for name in _GROUP if (value := getattr(chosen, name))]
    since = table.c.accepted_at if waits else table.c.settled_at
    where += [since >= chosen.since] if chosen.since is not None else []
    return where + ([since <= chosen.until] if chosen.until is not None else [])


def _run(row: Row[Any]) -> ReplayRun:
    chosen = Filter(row.provider, row.service, row.operation, row.cause, row.since, row.until)
    progress = (row.done, RunState(row.state), row.ended_at)
    return ReplayRun(row.id, chosen, row.rate, row.total, row.author, row.started_at, *progress)
