"""Who waits for a message to come to rest: woken at once by this process, found by one shared question a moment later from other nodes.

A waiter holds no connection and asks nothing by itself. While somebody waits, one task asks the record about all of them together; when
nobody waits it ends. So many may wait and no more: the others get their receipt at once, which is all that a preference promises.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    AtRest = Callable[[Sequence[str]], Awaitable[Sequence[str]]]

POLL_S = 0.5
MOST_WAITING = 1000


class SharedWatchers:
    """The port Watchers; `at_rest` tells which of some messages are no longer under way."""

    def __init__(
        self, at_rest: Callable[[Sequence[str]], Awaitable[Sequence[str]]], poll_s: float = POLL_S, most: int = MOST_WAITING
    ) -> None:
        self._at_rest = at_rest
        self._poll_s = poll_s
        self._most = most
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._count = 0
        self._poll: asyncio.Task[None] | None = None
        self._closed = False

    def tell(self, message_id: str) -> None:
        """Watchers."""
        for future in self._waiting.get(message_id, ()):
            if not future.done():
                future.set_result(None)

    async def wait(self, message_id: str, wait_s: float) -> None:
        """Watchers; the first question is asked after the watch is set up, so that what settles meanwhile is seen."""
        if self._closed or self._count >= self._most:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[message_id].add(future)
        self._count += 1
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._ask_for_all())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await future
        finally:
            self._count -= 1
            self._waiting[message_id].discard(future)
            if not self._waiting[message_id]:
                del self._waiting[message_id]

    def release(self) -> None:
        """Let everybody go, and nobody wait any more: the hub is stopping."""
        self._closed = True
        for message_id in tuple(self._waiting):
            self.tell(message_id)

    async def _ask_for_all(self) -> None:
        while self._waiting:
            with suppress(Fault):  # a record that is away is asked again; each waiter has its own end
                for message_id in await self._at_rest(tuple(self._waiting)):
                    self.tell(message_id)
            await asyncio.sleep(self._poll_s)
