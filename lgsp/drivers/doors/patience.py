"""How long the doors wait for clients that are slow to write or to read: uvicorn's HTTP protocol with deadlines of its own.

uvicorn waits for ever for the first request, for the end of its header and of its body, and for a client that does not read its answer.
Two thousand such clients would hold two thousand files (slowloris).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio


class PatientProtocol(HttpToolsProtocol):
    """One connection. A deadline is a number that a look each `look_s` compares, which costs a request less than a timer of its own.

    head_s: for a whole header, from its first byte or from the connection; body_s: for a whole body; read_s: for an answer to be taken.
    """

    head_s, body_s, read_s, look_s = 10.0, 30.0, 30.0, 2.5
    ahead = 16
    """So many requests may be sent ahead of their answers (RFC 9112 section 9.3.2); who sends more, and reads nothing, fills our memory."""
    _late_at = 0.0
    _unread_at = 0.0
    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The first header may come."""
        super().connection_made(transport)
        self._late_at = self.loop.time() + self.head_s
        self._looking = self.loop.call_later(self.look_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a header."""
        super().on_message_begin()
        self._late_at = self.loop.time() + self.head_s

    def on_headers_complete(self) -> None:
        """The body may come."""
        self._late_at = self.loop.time() + self.body_s
        super().on_headers_complete()
        if len(self.pipeline) > self.ahead:
            self.transport.abort()

    def on_message_complete(self) -> None:
        """It is our turn; how long an idle connection is kept is uvicorn's setting."""
        self._late_at = 0.0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._unread_at = self.loop.time() + self.read_s
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        self._unread_at = 0.0
        super().resume_writing()

    def _look(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # it is we who do not read: a pipelined request waits for the one before it
            self._late_at = 0.0
        if 0.0 < self._late_at < now or 0.0 < self._unread_at < now:
            self.transport.abort()
            return
        self._looking = self.loop.call_later(self.look_s, self._look)
