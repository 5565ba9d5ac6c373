"""Group commit: what a clash with another session, a guilty row and a broken database lead to."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import pytest

from lgsp.drivers.store.commit import Broken, Clashed, GroupCommit
from lgsp.drivers.store.plan import Work
from lgsp.errors import Fault


class Scripted:
    """A writer that fails as it is told, then writes."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.written: list[Any] = []

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


async def test_a_broken_database_is_told_at_once():
    writer = Scripted(Broken("gone"))

    async with lane(writer) as commit:
        with pytest.raises(Fault, match="record-unavailable"):
            await commit.write(Work())
    assert writer.written == []
