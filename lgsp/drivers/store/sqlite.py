"""The one writer of an SQLite database: a thread with a connection of its own.

WAL with synchronous=FULL: a commit is on the disk when it returns (SQLite documentation, "Write-Ahead Logging", "PRAGMA synchronous"). The
thread is woken once for a batch and answers once for a batch. A batch of log rows up to CHUNK is one statement in autocommit mode: each
call into SQLite releases the interpreter lock, and getting it back beside a busy event loop is dearer than the rows.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from lgsp.drivers.store import checkpoint
from lgsp.drivers.store.commit import Broken, Guilty, Unwritten
from lgsp.drivers.store.plan import plan
from lgsp.drivers.store.statements import LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lgsp.drivers.store.plan import Work
    from lgsp.drivers.store.statements import Row, Statement

CHUNK = 64
BUSY_TIMEOUT_S = 5.0
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -512", checkpoint.OFF)
"""The cache is 512 KiB a connection: the hot statements touch the young end of each table, the sweeps what they see once."""

LOST = "\ufffd"
"""In the place of bytes that are no text: a row that was damaged is read, and its neighbours with it; nothing that we store has it."""

_UNWRITTEN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""Locked by somebody else, no room, not writable: the transaction was rolled back."""

_BLAME = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, ValueError)


def text_of(value: bytes) -> str:
    """A text of the file."""
    return value.decode(errors="replace")


class SqliteWriter:
    """Takes batches to the thread and results back to the loop that opened it."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._path = path
        self._opened: sqlite3.Connection | None = None
        self._checkpoints = checkpoint.Checkpoints(path, BUSY_TIMEOUT_S)
        self._thread = threading.Thread(target=self._run, name="lgsp-sqlite-writer", daemon=True)
        self._thread.start()

    async def open(self) -> None:
        """Writer; the thread opens the file when it first needs it, and waits for nobody."""

    async def log(self, rows: Sequence[Row]) -> None:
        """Writer."""
        await self._do(lambda: self._log(rows))

    async def transact(self, works: Sequence[Work]) -> Sequence[Any]:
        """Writer."""
        results: Sequence[Any] = await self._do(lambda: self._transact(works))
        return results

    async def close(self) -> None:
        """Let the thread end after what it has in hand."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._checkpoints.close)

    async def _do(self, job: Callable[[], Any]) -> Any:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((job, done))
        return await done

    # ---- in the thread ----

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            try:
                result: Any = work()
            except _BLAME as error:
                result = Guilty(str(error))
                result.__cause__ = error
            except Exception as error:  # noqa: BLE001 -- whatever it is, the thread lives on and the batch is told
                result = (Unwritten if getattr(error, "sqlite_errorcode", None) in _UNWRITTEN else Broken)(str(error))
                result.__cause__ = error
            self._loop.call_soon_threadsafe(_resolve, done, result)
            if self._opened is not None:
                self._checkpoints.wrote(self._opened)
        if self._opened is not None:
            self._opened.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=256)
            self._opened.text_factory = text_of
            for pragma in PRAGMAS:
                self._opened.execute(f"PRAGMA {pragma}")
        return self._opened

    def _log(self, rows: Sequence[Row]) -> None:
        if len(rows) <= CHUNK:
            self._execute(LOG, rows)
            return
        with _Transaction(self._connection):
            self._execute(LOG, rows)

    def _transact(self, works: Sequence[Work]) -> list[Any]:
        with _Transaction(self._connection):
            steps = plan(works)
            back: list[Row] | None = None
            while True:
                try:
                    statement, rows = steps.send(back)  # type: ignore[arg-type] # a generator is started with None
                except StopIteration as end:
                    results: list[Any] = end.value
                    return results
                back = self._execute(statement, rows)

    def _execute(self, statement: Statement, rows: Sequence[Row]) -> list[Row]:
        back: list[Row] = []
        for chunk in _chunks(rows):
            values = [value for row in chunk for value in row]
            cursor = self._connection.execute(statement.sqlite(len(chunk)), values)
            if statement.returns:
                back += cursor.fetchall()
        return back


class _Transaction:
    """BEGIN IMMEDIATE: the write lock is waited for at the start, never half-way."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _resolve(done: asyncio.Future[Any], result: Any) -> None:
    if done.done():
        return
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)
