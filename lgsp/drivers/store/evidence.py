"""The sealed tree in the database: whose turn it is, what is not sealed yet, leaves and heads.

Nothing slips through: numbers of rows are given out before their transactions commit, so on PostgreSQL a higher number can be seen while a
lower one is still to come. What is read is what lies below a number that was given out before everybody who then held the table's write
lock let go of it (a lock is taken before a number, and given back after the commit). SQLite has one writer, and numbers in its order.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from lgsp.drivers.store import evidence_tables, rows
from lgsp.drivers.store.core import write_act
from lgsp.errors import Fault
from lgsp.evidence.events import Ended, act_event, exchange_event, unreadable_event
from lgsp.evidence.stretches import stretches
from lgsp.model.evidence import NOTHING_DISCLOSED, Disclosed, Event, Head, SealedLeaf, Turn, Unsealed
from lgsp.model.happening import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.evidence import Batch

LOG, ACT = "log", "act"
RENEWED = 0.5
"""A turn is taken anew when half of its lease is over: an idle hub writes little."""
LEAF_TYPES = ("bigint", "double precision", "text", "bytea", "bytea", "bytea", "text", "text")
TOPIC_TYPES = ("bytea", "bigint")
ROWS_A_STATEMENT = 500
OUTCOMES = frozenset(Outcome)
LOOKS, LOOK_S = 20, 0.01
"""How often, and at what distance, one pass looks whether those who write have ended."""
IDS_AT_ONCE = 500

_last: Any = text("SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass), 0)")
_writers = text(
    "SELECT pid || ' ' || virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = cast(:name AS regclass)"
)
# `+ 0`: or else PostgreSQL, before it knows the table, looks for the maximum through the whole log, backwards or by a map of all older rows
_CLOSED = text(
    "SELECT c.id, c.message_id, c.attempt, c.at, c.consumer, c.service, c.operation, c.outcome, c.status, c.blame, c.cause, c.digest, "
    "c.duration_us, c.stages, c.purpose AS found, o.provider, o.purpose, o.digest AS request "
    "FROM (SELECT * FROM log WHERE id > :mark AND id <= :top AND event = 'closed' ORDER BY id LIMIT :limit) c "
    "LEFT JOIN log o ON o.id = (SELECT max(x.id + 0) FROM log x "
    "WHERE x.message_id = c.message_id AND x.event = 'opened' AND x.attempt = c.attempt AND x.id + 0 < c.id) ORDER BY c.id"
)
# a plan that was made while the log was small must not be another: from rows to tables by an index, as in drivers/store/postgres.py
_BY_INDEX = tuple(text(f"SET LOCAL enable_{way} = off") for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"))
_ACTS = text("SELECT id, at, author, verb, subject, facts FROM act WHERE id > :mark AND id <= :top ORDER BY id LIMIT :limit")
_OLDEST = text(
    "SELECT min(at) FROM ("
    "SELECT at FROM (SELECT at FROM log WHERE id > (SELECT log_id FROM evidence_turn) AND event = 'closed' ORDER BY id LIMIT 1) l "
    "UNION ALL SELECT at FROM (SELECT at FROM act WHERE id > (SELECT act_id FROM evidence_turn) ORDER BY id LIMIT 1) a) b"
)


_disclosed = msgspec.json.Decoder(Disclosed)
_texts = msgspec.json.Decoder(dict[str, str | None])


class Evidence:
    """The ports Sealing, Leaves and EvidenceLag."""

    core: Core

    def __init__(self) -> None:
        self._tops: dict[str, tuple[int, frozenset[str]]] = {}
        self._oldest_at: float | None = None

    async def take_turn(self, holder: str, now: float, lease_s: float) -> Turn | None:
        """Sealing."""
        table = evidence_tables.turn
        async with self.core.transaction() as connection:
            row = (await connection.execute(select(table))).one()
        if row.holder == holder and row.until > now + lease_s * RENEWED:
            return _turn(row)
        if row.holder != holder and row.until > now:
            return None
        mine = update(table).where(table.c.fence == row.fence).values(holder=holder, until=now + lease_s, fence=row.fence + 1)
        async with self.core.transaction() as connection:
            taken = (await connection.execute(mine.returning(*table.c))).one_or_none()
        return _turn(taken) if taken else None

    async def unsealed(self, turn: Turn, limit: int) -> Unsealed:
        """Sealing."""
        async with self.core.transaction() as connection:
            tops = {name: await self._top(connection, name) for name in (LOG, ACT)}
        async with self.core.transaction() as connection:
            closed = await _between(connection, _CLOSED, turn.read[LOG], tops[LOG], limit)
            acts = await _between(connection, _ACTS, turn.read[ACT], tops[ACT], limit)
        events = await _events(closed, acts)
        read = {LOG: _read(closed, turn.read[LOG], tops[LOG], limit), ACT: _read(acts, turn.read[ACT], tops[ACT], limit)}
        return Unsealed(events, read, more=limit in {len(closed), len(acts)})

    async def events_between(self, name: str, after: int, until: int) -> Sequence[Event]:
        """Sources."""
        async with self.core.transaction() as connection:
            found = await _between(connection, _CLOSED if name == LOG else _ACTS, after, until, until - after)
        return await _events(found, ()) if name == LOG else await _events((), found)

    async def oldest(self, name: str) -> int:
        """Sources."""
        async with self.core.transaction() as connection:
            return int(await connection.scalar(text(f"SELECT min(id) FROM {LOG if name == LOG else ACT}")) or 0)  # noqa: S608 -- constants

    async def _top(self, connection: AsyncConnection, name: str) -> int:
        """Up to which number of a table everything that will ever be there can be seen; 0 while somebody is in the way."""
        if connection.dialect.name == "sqlite":
            return int(await connection.scalar(text(f"SELECT max(id) FROM {name}")) or 0)  # noqa: S608 -- one of two constants
        top, waits_for = self._tops.pop(name, (0, frozenset()))
        if not top:
            top = await connection.scalar(_last, {"name": name}) or 0
            waits_for = await _writing(connection, name)
        for _ in range(LOOKS):
            if not waits_for:
                return top
            await asyncio.sleep(LOOK_S)
            waits_for &= await _writing(connection, name)
        self._tops[name] = (top, waits_for)
        return 0

    async def seal(self, turn: Turn, batch: Batch) -> Turn | None:
        """Sealing; the turn's row comes first, so that two who seal follow one another."""
        table, size = evidence_tables.turn, turn.size + len(batch.leaves)
        moved = update(table).where(table.c.fence == turn.fence, table.c.size == turn.size)
        moved = moved.values(size=size, batch=batch.head.batch, log_id=batch.read[LOG], act_id=batch.read[ACT])
        topics = await self._topics(batch.leaves)
        head = batch.head
        values = {"batch": head.batch, "size": head.size, "root": head.root, "at": head.at, "key": head.key, "signature": head.signature}
        try:
            async with self.core.transaction() as connection:
                row = (await connection.execute(moved.returning(*table.c))).one_or_none()
                if row is None:
                    return None
                await _append(connection, evidence_tables.leaf.name, LEAF_TYPES, [leaf[: len(LEAF_TYPES)] for leaf in batch.leaves])
                await _append(connection, evidence_tables.topic.name, TOPIC_TYPES, topics)
                await connection.execute(insert(evidence_tables.head).values(values))
        except IntegrityError as error:
            raise Fault("record-unavailable", f"a leaf or a head is there that nobody sealed, behind leaf {turn.size - 1}") from error
        return _turn(row)

    async def _topics(self, leaves: Sequence[SealedLeaf]) -> list[tuple[Any, ...]]:
        """By mark and number, in the order of the table; a topic of many leaves, as an official, is marked once."""
        marks: dict[tuple[str, str], bytes] = {}
        found = set()
        async for some in stretches(leaves):
            for leaf in some:
                for topic in leaf.topics:
                    mark = marks.get(topic) or marks.setdefault(topic, self._mark(*topic))
                    found.add((mark, leaf.number))
        return sorted(found)

    def _mark(self, kind: str, value: str) -> bytes:
        return self.core.cipher.mark(f"evidence {kind} {value}")

    async def nodes_of(self, numbers: Collection[int]) -> Mapping[int, bytes]:
        """Sealing."""
        table, wanted, found = evidence_tables.leaf, sorted(numbers), {}
        async with self.core.transaction() as connection:
            for start in range(0, len(wanted), IDS_AT_ONCE):
                some = select(table.c.number, table.c.nodes).where(table.c.number.in_(wanted[start : start + IDS_AT_ONCE]))
                found.update({row.number: bytes(row.nodes) for row in await connection.execute(some)})
        return found

    async def leaves(self, start: int, end: int) -> Sequence[SealedLeaf]:
        """Leaves."""
        table = evidence_tables.leaf
        query = select(table).where(table.c.number >= start, table.c.number < end).order_by(table.c.number)
        async with self.core.transaction() as connection:
            return [SealedLeaf(*row) for row in await connection.execute(query)]

    async def leaves_about(self, kind: str, value: str, limit: int) -> Sequence[SealedLeaf]:
        """Leaves."""
        table, topic = evidence_tables.leaf, evidence_tables.topic
        query = select(table).join(topic, topic.c.number == table.c.number).where(topic.c.mark == self._mark(kind, value))
        async with self.core.transaction() as connection:
            found = (await connection.execute(query.order_by(topic.c.number.desc()).limit(limit))).all()
        return [SealedLeaf(*row) for row in reversed(found)]

    async def between(self, since: float, until: float) -> tuple[int, int]:
        """Leaves."""
        table = evidence_tables.leaf
        query = select(func.min(table.c.number), func.max(table.c.number)).where(table.c.at >= since, table.c.at < until)
        async with self.core.transaction() as connection:
            first, last = (await connection.execute(query)).one()
        return (0, 0) if first is None else (first, last + 1)

    async def heads(self, after: int, limit: int) -> Sequence[Head]:
        """Leaves."""
        table = evidence_tables.head
        async with self.core.transaction() as connection:
            found = await connection.execute(select(table).where(table.c.batch > after).order_by(table.c.batch).limit(limit))
            return [Head(*row) for row in found]

    async def head(self, size: int | None = None) -> Head | None:
        """Leaves."""
        table = evidence_tables.head
        newest = select(table).order_by(table.c.batch.desc())
        query = newest if size is None else select(table).where(table.c.size >= size).order_by(table.c.size)
        async with self.core.transaction() as connection:
            row = (await connection.execute(query.limit(1))).one_or_none()
        return Head(*row) if row else None

    async def note_reading(self, author: str, at: float, deed: tuple[str, str, Mapping[str, object]]) -> None:
        """Reading."""
        async with self.core.transaction() as connection:
            await write_act(connection, author, at, deed)

    async def look_behind(self) -> None:
        """See how far sealing is behind."""
        async with self.core.transaction() as connection:
            self._oldest_at = await connection.scalar(_OLDEST)

    def behind_s(self) -> float:
        """EvidenceLag."""
        return 0.0 if self._oldest_at is None else max(0.0, self.core.now() - self._oldest_at)


def _turn(row: Any) -> Turn:
    return Turn(row.fence, row.until, row.size, row.batch, {LOG: row.log_id, ACT: row.act_id})


async def _append(connection: AsyncConnection, table: str, types: Sequence[str], values: Sequence[tuple[Any, ...]]) -> None:
    """Many rows at once, below SQLAlchemy's own way, which takes longer for each value than the database does.

    On SQLite not one by one: each call gives the interpreter away, and gets it back from a busy loop late, with the write lock held.
    """
    if not values:
        return
    if connection.dialect.name == "sqlite":
        row = f"({', '.join('?' * len(types))})"
        for start in range(0, len(values), ROWS_A_STATEMENT):
            some = values[start : start + ROWS_A_STATEMENT]
            statement = f"INSERT INTO {table} VALUES {', '.join([row] * len(some))}"  # noqa: S608 -- names of this file
            await connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))
        return
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    columns = tuple(list(column) for column in zip(*values, strict=True))
    await connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM unnest({arrays})", columns)  # noqa: S608 -- as above


async def _writing(connection: AsyncConnection, name: str) -> frozenset[str]:
    return frozenset((await connection.execute(_writers, {"name": name})).scalars())


async def _between(connection: AsyncConnection, query: Any, mark: int, top: int, limit: int) -> Sequence[Any]:
    if top <= mark:
        return ()
    if connection.dialect.name == "postgresql":
        for setting in _BY_INDEX:
            await connection.execute(setting)
    return (await connection.execute(query, {"mark": mark, "top": top, "limit": limit})).all()


def _read(found: Sequence[Any], mark: int, top: int, limit: int) -> int:
    """How far a source is read: to its last row, or past what is no event."""
    return int(found[-1].id) if len(found) == limit else max(mark, top)


async def _events(closed: Sequence[Any], acts: Sequence[Any]) -> list[Event]:
    exchanges = [_exchange(*row) async for some in stretches(closed) for row in some]
    return exchanges + [act_event(f"{ACT} {row.id}", row.at, (row.author, row.verb, row.subject), row.facts) for row in acts]


def _exchange(number: int, message_id: Any, attempt: int, at: float, consumer: str, *rest: Any) -> Event:
    """From the columns of _CLOSED in their order: to read them by name takes longer than all the rest."""
    service, operation, outcome, status, blame, cause, digest, duration_us, stages, found, provider, why, request = rest
    source, message_id = f"{LOG} {number}", rows.id_out(message_id) if isinstance(message_id, bytes) else str(message_id)
    try:
        if outcome not in OUTCOMES:
            return unreadable_event(source, at, consumer, message_id)
        disclosed = _disclosed.decode(found) if found else NOTHING_DISCLOSED
        told = _told(found if provider is None else why)
        known = {} if provider is None else {"provider": provider, "digest": bytes(request).hex()}
        ended = (outcome, status, blame, cause, bytes(digest), duration_us, rows.stages_of(stages), disclosed)
        return exchange_event(source, Ended(message_id, attempt, at, consumer, service, operation, *ended), {**told, **known})
    except (ValueError, AttributeError):
        return unreadable_event(source, at, consumer, message_id)


def _told(text_of_row: str) -> Mapping[str, str]:
    """What a row's `purpose` tells, without what it leaves open."""
    return {name: value for name, value in _texts.decode(text_of_row).items() if value} if text_of_row else {}
