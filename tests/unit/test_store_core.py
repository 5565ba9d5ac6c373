"""What the store's core makes of a machine that has nothing left."""

from __future__ import annotations

import contextlib

import pytest

from lgsp.drivers.store.core import Core
from lgsp.errors import Fault


class Exhausted:
    """An engine that gets no connection."""

    def __init__(self, words: str) -> None:
        self.words = words

    @contextlib.asynccontextmanager
    async def begin(self):
        raise RuntimeError(self.words)
        yield


async def begun(words):
    async with Core(Exhausted(words), None, None, None, lambda: 0.0).transaction():
        pass


async def test_a_database_that_no_thread_is_left_for_is_unavailable_and_breaks_nothing():
    with pytest.raises(Fault, match="record-unavailable"):
        await begun("can't start new thread")


async def test_a_bug_is_not_taken_for_an_exhausted_machine():
    with pytest.raises(RuntimeError, match="a bug"):
        await begun("a bug")
