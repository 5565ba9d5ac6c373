"""One connection that writes batches to PostgreSQL, below SQLAlchemy: prepared statements over arrays.

A batch of log rows is one round trip, and so is one of new messages: each answer that is waited for costs both sides a turn. The connection
is made when it is first needed and again after it broke; the batch that was under way then fails, since nobody here can tell whether it
was committed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg

from lgsp.drivers.store.commit import Broken, Clashed, Guilty, Unwritten
from lgsp.drivers.store.core import COMMAND_S, CONNECT_S
from lgsp.drivers.store.plan import plan
from lgsp.drivers.store.statements import LOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.drivers.store.plan import Step, Work
    from lgsp.drivers.store.statements import Row, Statement

SETTINGS = {
    "application_name": "lgsp",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""Values come in arrays, so that no plan depends on them: each is made once. Every hot statement goes from its rows to the tables by an
index; a plan made while the tables were small must not be another."""

_CLASHES = {"40001", "40P01"}
"""serialization_failure, deadlock_detected."""


class PostgresWriter:
    """The Writer of PostgreSQL; `dsn` and its settings as asyncpg takes them."""

    def __init__(self, dsn: str, settings: Mapping[str, str]) -> None:
        self._dsn = dsn
        self._settings = {**SETTINGS, **settings}
        self._connection: Any = None
        self._prepared: dict[tuple[Statement, ...], Any] = {}

    async def open(self) -> None:
        """Writer."""
        if self._connection is not None and not self._connection.is_closed():
            return
        self._prepared = {}
        try:
            self._connection = await asyncpg.connect(
                self._dsn, timeout=CONNECT_S, command_timeout=COMMAND_S, server_settings=self._settings
            )
            codec = {"schema": "pg_catalog", "encoder": _same, "decoder": _same, "format": "binary"}
            await self._connection.set_type_codec("uuid", **codec)
        except (asyncpg.InterfaceError, asyncpg.PostgresError, OSError, TimeoutError) as error:
            self._hang_up()
            raise Unwritten(str(error)) from error

    async def log(self, rows: Sequence[Row]) -> None:
        """Writer."""
        await self._judged(self._execute(LOG, rows))

    async def transact(self, works: Sequence[Work]) -> Sequence[Any]:
        """Writer."""
        results: Sequence[Any] = await self._judged(self._transact(works))
        return results

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.close(timeout=CONNECT_S)

    async def _judged(self, job: Any) -> Any:
        try:
            return await job
        except (asyncpg.InterfaceError, asyncpg.PostgresError, OSError, TimeoutError, ValueError) as error:
            if getattr(error, "sqlstate", None) in _CLASHES:
                raise Clashed(str(error)) from error
            if _is_guilty(error):
                raise Guilty(str(error)) from error
            self._hang_up()
            raise (Unwritten if _is_unwritten(error) else Broken)(str(error)) from error

    async def _transact(self, works: Sequence[Work]) -> list[Any]:
        """COMMAND_S for all of it: a database that is frozen would not even answer the ROLLBACK that asyncpg's transactions wait for."""
        async with asyncio.timeout(COMMAND_S):
            try:
                results = await self._work_off(works)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError):
                if self._connection.is_in_transaction():
                    await self._connection.execute("ROLLBACK")
                raise
            if self._connection.is_in_transaction():
                await self._connection.execute("COMMIT")
        return results

    async def _work_off(self, works: Sequence[Work]) -> list[Any]:
        """Neighbours that only add travel as one statement; where that is all, it is its own transaction."""
        steps = plan(works)
        back: list[Row] | None = None
        added: list[Step] = []
        while True:
            try:
                step = steps.send(back)  # type: ignore[arg-type] # a generator is started with None
            except StopIteration as end:
                await self._add(added)
                results: list[Any] = end.value
                return results
            if step[0].adds:
                added, back = [*added, step], []
                continue
            if not self._connection.is_in_transaction():
                await self._connection.execute("BEGIN")
            await self._add(added)
            added, back = [], await self._execute(*step)

    async def _add(self, steps: Sequence[Step]) -> None:
        if steps:
            kinds = tuple(statement for statement, _ in steps)
            await self._fetch(kinds, [array for _, rows in steps for array in zip(*rows, strict=True)])

    async def _execute(self, statement: Statement, rows: Sequence[Row]) -> list[Row]:
        return await self._fetch((statement,), list(zip(*rows, strict=True)))

    async def _fetch(self, kinds: tuple[Statement, ...], arrays: Sequence[Sequence[object]]) -> list[Row]:
        prepared = self._prepared.get(kinds)
        if prepared is None:
            prepared = self._prepared[kinds] = await self._connection.prepare(_together(kinds))
        return [tuple(record) for record in await prepared.fetch(*arrays)]

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _together(kinds: Sequence[Statement]) -> str:
    """Inserts into several tables as one statement; any other stands alone."""
    texts, first = [], 1
    for statement in kinds:
        texts.append(statement.postgresql(first))
        first += len(statement.columns)
    *before, last = texts
    return f"WITH {', '.join(f'i{n} AS ({each})' for n, each in enumerate(before))} {last}" if before else last


def _same(value: bytes) -> bytes:
    return value


def _is_unwritten(error: Exception) -> bool:
    """25: read-only; 53: disk full, out of memory or connections; 55: locked. The server says so before it commits."""
    return (getattr(error, "sqlstate", None) or "")[:2] in {"25", "53", "55"}


def _is_guilty(error: Exception) -> bool:
    """Class 22 is bad data, class 23 a broken constraint (PostgreSQL, Appendix A); asyncpg's DataError comes before anything is sent."""
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] in {"22", "23"} or isinstance(error, ValueError)
