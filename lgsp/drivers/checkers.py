"""Processes that hash leaves anew, so that a hub that is audited goes on serving and uses every core for it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from lgsp.errors import Fault
from lgsp.evidence.check import LENGTH_BYTES, Checked, framed
from lgsp.evidence.walk import packed

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence

    from lgsp.model.evidence import SealedLeaf

_answer = msgspec.msgpack.Decoder(Checked)
AHEAD = 2
"""So many pages lie before each process."""
END_S = 5.0
ANSWER_BYTES = 1 << 20
"""More than the answers to the pages ahead: a process that nobody reads would stop reading itself."""


class Checkers:
    """The port LeafCheck, over `count` processes."""

    def __init__(self, mac_key: bytes, count: int) -> None:
        self._mac_key = mac_key
        self._count = max(1, count)

    async def check(self, pages: AsyncIterator[Sequence[SealedLeaf]]) -> AsyncIterator[tuple[Sequence[SealedLeaf], Checked]]:
        """LeafCheck; Fault("overloaded") where the machine takes no more processes, or ends one."""
        try:
            async for verdict in self._checked(pages):
                yield verdict
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Fault(
                "overloaded", f"a process that checks leaves could not do its work: {type(error).__name__}", retry_after_s=5
            ) from error

    async def _checked(self, pages: AsyncIterator[Sequence[SealedLeaf]]) -> AsyncIterator[tuple[Sequence[SealedLeaf], Checked]]:
        async with AsyncExitStack() as stack:
            processes = [await self._start(stack) for _ in range(self._count)]
            waiting: list[tuple[Sequence[SealedLeaf], Process]] = []
            turn = 0
            async for page in pages:
                process = processes[turn % self._count]
                turn += 1
                await _send(process, await asyncio.to_thread(lambda rows: framed(packed(rows)), page))
                waiting.append((page, process))
                if len(waiting) > AHEAD * self._count:
                    yield await _received(*waiting.pop(0))
            for page, process in waiting:
                yield await _received(page, process)

    async def _start(self, stack: AsyncExitStack) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lgsp.evidence.check", stdin=PIPE, stdout=PIPE, limit=ANSWER_BYTES
        )
        stack.push_async_callback(_stop, process)
        await _send(process, framed(self._mac_key))
        return process


async def _send(process: Process, frame: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(frame)
        await process.stdin.drain()


async def _received(page: Sequence[SealedLeaf], process: Process) -> tuple[Sequence[SealedLeaf], Checked]:
    if process.stdout is None:
        return page, (b"", 0)
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
    return page, _answer.decode(await process.stdout.readexactly(length))


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    async with asyncio.timeout(END_S):
        await process.wait()
