"""Long work in short stretches, so that the event loop serves others between them.

A thread would not do: work that keeps the interpreter busy makes the loop wait for 5 ms each time that it has called the system.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

STRETCH = 50
Thing = TypeVar("Thing")


async def stretches(things: Sequence[Thing]) -> AsyncIterator[Sequence[Thing]]:
    """All of them, some at a time."""
    for start in range(0, len(things), STRETCH):
        yield things[start : start + STRETCH]
        await asyncio.sleep(0)
