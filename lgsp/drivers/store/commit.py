"""Group commit: all that wants to be written at one moment shares one transaction, and each writer goes on after its own commit.

Writers queue what they want; a committer takes all that is queued, has it written, and wakes the writers. What arrives meanwhile makes the
next batch, so that batches grow with the load and a lone writer waits for nobody. A batch that the database refuses is halved until the
guilty row stands alone; the others are written. The queue is bounded: who finds it full is told to come back.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from lgsp.drivers.store.plan import Work
from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.drivers.store.statements import Row

QUEUE_ROWS = 20_000
BATCH_ROWS = 512
LOOK_S = 0.1
CLASH_WAITS_S = (0.01, 0.04, 0.16)
GATHER_TURNS = 5
"""Turns of the event loop before a batch is taken: exchanges that are ready to run add their rows. An idle loop turns in microseconds."""


class Guilty(Exception):
    """The database refused the values of some row; the same batch will be refused again."""


class Clashed(Exception):
    """Another session was in the way (deadlock, serialisation); nothing was written, and the same batch may go through now."""


class Broken(Exception):
    """The database cannot write now: gone or failing; what was asked may or may not be durable."""


class Unwritten(Broken):
    """It cannot write now, and surely wrote nothing: unreachable, full, locked, read-only."""


class Writer(Protocol):
    """One transaction at a time."""

    async def open(self) -> None:
        """Be connected when it returns; raises Unwritten."""

    async def log(self, rows: Sequence[Row]) -> None:
        """Append these rows to the message log."""

    async def transact(self, works: Sequence[Work]) -> Sequence[Any]:
        """The results of `plan`."""


Item = tuple["Row | Work", "asyncio.Future[Any]", float]
"""What is to be written, who waits for it, and until when it may wait for its transaction."""


class GroupCommit:
    """The queue and its committers, one for each writer: so many transactions may be in flight at once."""

    def __init__(self, writers: Sequence[Writer], queue_rows: int = QUEUE_ROWS) -> None:
        self._queue_rows = queue_rows
        self._queue: deque[Item] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._loop = asyncio.get_running_loop()
        self._tasks = [self._loop.create_task(self._commit(writer)) for writer in writers]
        self._closing = False
        self._looking: asyncio.TimerHandle | None = None
        self.logged_at = -math.inf
        """When a row of the message log was last written, on the loop's clock."""

    async def write(self, wanted: Row | Work, patience_s: float = math.inf) -> Any:
        """Durable when it returns. A row alone is a row of the message log.

        Fault("record-unavailable"): surely not written; also after `patience_s` in the queue of a database that stalls.
        Fault("record-uncertain"): nobody can tell.
        """
        if self._closing:
            raise Fault("record-unavailable", "the hub is stopping")
        if len(self._queue) >= self._queue_rows:
            raise Fault("overloaded", retry_after_s=1)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.append((wanted, future, self._loop.time() + patience_s))
        if self._looking is None and patience_s < math.inf:
            self._looking = self._loop.call_later(patience_s, self._turn_away)
        if self._idle:
            self._idle.popleft().set_result(None)
        try:
            return await future
        except (Unwritten, Guilty, Clashed) as error:
            raise Fault("record-unavailable", retry_after_s=1) from error
        except Broken as error:
            raise Fault("record-uncertain", retry_after_s=1) from error

    def _turn_away(self) -> None:
        """Let go of those whose patience has ended: a stalled database is no reason to keep callers in the dark."""
        now = self._loop.time()
        late = [item for item in self._queue if item[2] <= now]
        if late:
            self._queue = deque(item for item in self._queue if item[2] > now)
            _fail(late, Unwritten("the database stalls"))
        self._looking = self._loop.call_later(LOOK_S, self._turn_away) if self._queue else None

    async def close(self) -> None:
        """Write what is queued, then stop."""
        self._closing = True
        if self._looking is not None:
            self._looking.cancel()
        while self._idle:
            self._idle.popleft().set_result(None)
        await asyncio.gather(*self._tasks)

    async def abandon(self) -> None:
        """Stop at once; who waits is told that nothing is known."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        _fail(list(self._queue), Broken("the hub is stopping"))

    async def _commit(self, writer: Writer) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                idle = self._loop.create_future()
                self._idle.append(idle)
                await idle
                continue
            for _ in range(GATHER_TURNS):
                await asyncio.sleep(0)
            try:
                await writer.open()  # what waits meanwhile waits in the queue, and may be turned away
            except Exception as error:  # noqa: BLE001 -- as in _write; whatever it is, nothing was begun
                _fail(self._take(), error if isinstance(error, Unwritten) else Unwritten(repr(error)))
            else:
                if await _write(writer, self._take()):
                    self.logged_at = self._loop.time()

    def _take(self) -> list[Item]:
        queue = self._queue
        count = min(len(queue), BATCH_ROWS)
        return [item for item in (queue.popleft() for _ in range(count)) if not item[1].done()]


async def _write(writer: Writer, batch: list[Item]) -> bool:
    """Whether a row of the message log was among what was written."""
    try:
        results = await _insist(writer, [item[0] for item in batch])
    except Guilty as error:
        if len(batch) == 1:
            _fail(batch, error)
            return False
        half = len(batch) // 2
        return any([await _write(writer, batch[:half]), await _write(writer, batch[half:])])
    except Exception as error:  # noqa: BLE001 -- a committer that dies would leave every later exchange waiting for ever
        _fail(batch, error if isinstance(error, Broken | Clashed) else Broken(repr(error)))
        return False
    for item, result in zip(batch, results, strict=True):
        if not item[1].done():
            item[1].set_result(result)
    return any(_logs(item[0], result) for item, result in zip(batch, results, strict=True))


def _logs(wanted: Row | Work, result: Any) -> bool:
    """Whether its row of the log was written too: where a key or a lease is another's, nothing was."""
    return type(wanted) is not Work or (wanted.log is not None and (result is None or result is True))


async def _insist(writer: Writer, wanted: list[Any]) -> Sequence[Any]:
    """Again after a clash, a few times."""
    for wait_s in CLASH_WAITS_S:
        with suppress(Clashed):
            return await _transact(writer, wanted)
        await asyncio.sleep(wait_s)
    return await _transact(writer, wanted)


async def _transact(writer: Writer, wanted: list[Any]) -> Sequence[Any]:
    """The common batch, log rows alone, needs no plan."""
    if not any(type(each) is Work for each in wanted):
        if wanted:
            await writer.log(wanted)
        return [None] * len(wanted)
    return await writer.transact([each if type(each) is Work else Work(log=each) for each in wanted])


def _fail(batch: list[Item], error: Exception) -> None:
    for item in batch:
        if not item[1].done():
            item[1].set_exception(error)
