"""Log lines on standard output, gathered for a moment: one system call then writes all that an event loop logged meanwhile.

Outside of an event loop a line is written at once; what is still gathered when the process ends is written then. A process that is killed
takes the lines of its last moment along: the message log in the database has what they told.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

GATHER_S = 0.05
MOST_LINES = 1_000


class Lines:
    """A structlog logger whose events are finished lines."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._gathered: deque[bytes] = deque()
        atexit.register(self.write)

    def msg(self, line: bytes) -> None:
        """One line, without its end."""
        self._gathered.append(line)
        count = len(self._gathered)
        if count == 1:
            try:
                asyncio.get_running_loop().call_later(GATHER_S, self.write)
            except RuntimeError:  # no loop here that would come back to it
                self.write()
        elif count >= MOST_LINES:
            self.write()

    debug = info = warning = error = critical = exception = msg

    def write(self) -> None:
        """Write what is gathered; from any thread. A full or broken disk loses lines and no exchange: what must not be lost is recorded."""
        lines = []
        with contextlib.suppress(IndexError):
            while True:
                lines.append(self._gathered.popleft())
        if lines:
            with contextlib.suppress(OSError):
                self._file.write(b"\n".join([*lines, b""]))
                self._file.flush()
