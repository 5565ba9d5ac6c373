"""A small TCP proxy that stands between the hub and its database or broker, and can cut, stall or delay what passes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK = 65_536


class Proxy:
    """`mode`: `pass`; `refuse` (everything is reset); `stall` (nothing passes); `slow` (wait_s a chunk).

    `mute`: answers are swallowed; `deaf`: requests are swallowed. After `cut_after` every connection is reset once so many bytes of
    answers have passed.
    """

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.mode = "pass"
        self.wait_s = 0.0
        self._bytes_left: int | None = None

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
        self.mode, self.wait_s, self._bytes_left = mode, wait_s, None
        if mode == "refuse":
            self._reset()
        if mode == "stall":
            self._passing.clear()
        else:
            self._passing.set()

    def cut_after(self, answer_bytes: int) -> None:
        """Once, when so many bytes of answers have passed from now on."""
        self._bytes_left = answer_bytes

    @property
    def has_cut(self) -> bool:
        """Whether that happened."""
        return self._bytes_left is None

    def _reset(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

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
            if self.mode == ("mute" if answers else "deaf"):
                continue
            sink.write(self._shortened(part) if answers and self._bytes_left is not None else part)
            await sink.drain()
            if self._bytes_left == 0:
                self._bytes_left = None
                self._reset()
        sink.transport.abort()

    def _shortened(self, part: bytes) -> bytes:
        left = self._bytes_left or 0
        self._bytes_left = max(0, left - len(part))
        return part[:left]

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        writer.transport.abort()
