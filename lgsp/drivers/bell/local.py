"""The bell of one process, and what every bell can do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Ringing(Protocol):
    """The Bell port, with its other end."""

    def ring(self, provider: str, message_ids: Sequence[str]) -> None: ...

    async def listen(self, providers: Sequence[str], on_ring: Callable[[str], None]) -> None:
        """From now on call `on_ring(provider)` on this loop at every ring for one of them; it must not block."""

    async def close(self) -> None: ...


class LocalBell:
    """Rings in this process only."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Callable[[str], None]]] = defaultdict(list)

    def ring(self, provider: str, message_ids: Sequence[str]) -> None:  # noqa: ARG002 -- a claim finds the messages itself
        """Bell."""
        for on_ring in self._listeners.get(provider, ()):
            asyncio.get_running_loop().call_soon(on_ring, provider)

    async def listen(self, providers: Sequence[str], on_ring: Callable[[str], None]) -> None:
        """Ringing."""
        for provider in providers:
            self._listeners[provider].append(on_ring)

    async def close(self) -> None:
        """Ringing."""
        self._listeners.clear()
