"""A small TCP proxy that stands between the hub and its database or broker, and can cut, stall or delay what passes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK = 65_536


class Proxy:
    """`mode`: `pass`; `refuse` (everything is reset); `stall` (nothing passes); `mute` (answers are swallowed); `slow` (wait_s a chunk)."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.mode = "pass"
        self.wait_s = 0.0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Stand on a port of loopback while the block runs."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.set("refuse")

    def set(self, mode: str, wait_s: float = 0.0) -> None:
        """From now on."""
        self.mode, self.wait_s = mode, wait_s
        if mode == "refuse":
            for writer in list(self._open):
                writer.transport.abort()
        if mode == "stall":
            self._passing.clear()
        else:
            self._passing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self.mode == "refuse":
                return
            there, onward = await asyncio.open_connection(*self._place)
            self._open.add(onward)
            try:
                await asyncio.gather(self._pump(reader, onward, answers=False), self._pump(there, writer, answers=True))
            finally:
                self._close(onward)
        except OSError:
            pass  # one side has gone; the other is told by the end of its connection
        finally:
            self._close(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        """One direction."""
        while part := await source.read(CHUNK):
            await self._passing.wait()
            if self.mode == "slow":
                await asyncio.sleep(self.wait_s)
            if answers and self.mode == "mute":
                continue
            sink.write(part)
            await sink.drain()
        sink.transport.abort()

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        writer.transport.abort()
