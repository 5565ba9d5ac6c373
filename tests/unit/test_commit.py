"""Group commit: what a clash with another session, a guilty row and a broken database lead to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest

from lgsp.drivers.store.commit import Broken, Clashed, GroupCommit, Guilty, Unwritten
from lgsp.drivers.store.plan import Work
from lgsp.errors import Fault


class Scripted:
    """A writer that fails as it is told, then writes."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.written: list[Any] = []

    async def open(self) -> None:
        """Always there."""

    async def log(self, rows: Sequence[Any]) -> None:
        self._fail()
        self.written += rows

    async def transact(self, works: Sequence[Work]) -> Sequence[Any]:
        self._fail()
        self.written += works
        return [True] * len(works)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@contextlib.asynccontextmanager
async def lane(writer: Scripted) -> Any:
    commit = GroupCommit([writer])
    yield commit
    await commit.close()


async def test_what_clashed_with_another_session_is_written_again():
    writer = Scripted(Clashed("deadlock detected"), Clashed("deadlock detected"))

    async with lane(writer) as commit:
        assert await commit.write(Work()) is True
    assert len(writer.written) == 1


async def test_a_clash_that_goes_on_is_told_in_the_end():
    writer = Scripted(*[Clashed("deadlock detected")] * 4)

    async with lane(writer) as commit:
        with pytest.raises(Fault, match="record-unavailable"):
            await commit.write(Work())


@pytest.mark.parametrize(
    ("failure", "slug"),
    [(Broken("gone"), "record-uncertain"), (Unwritten("locked"), "record-unavailable"), (Guilty("too long"), "record-unavailable")],
)
async def test_who_writes_is_told_whether_that_may_be_durable(failure, slug):
    writer = Scripted(failure)

    async with lane(writer) as commit:
        with pytest.raises(Fault, match=slug):
            await commit.write(Work())
    assert writer.written == []


class Stalled(Scripted):
    """Writes nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.goes = asyncio.Event()

    async def transact(self, works: Sequence[Work]) -> Sequence[Any]:
        await self.goes.wait()
        return await super().transact(works)


async def test_who_knocks_while_the_database_stalls_is_refused_and_what_was_admitted_waits():
    writer = Stalled()

    async with lane(writer) as commit:
        first = asyncio.create_task(commit.write(Work()))
        await asyncio.sleep(0.05)
        admitted, knocking = asyncio.create_task(commit.write(Work())), asyncio.create_task(commit.write(Work(), 0.05))
        await asyncio.sleep(0.2)
        last = asyncio.create_task(commit.write(Work(), 5))
        with pytest.raises(Fault, match="record-unavailable"):
            await knocking
        writer.goes.set()

        assert await asyncio.gather(first, admitted, last) == [True] * 3
