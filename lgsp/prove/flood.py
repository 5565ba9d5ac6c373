"""A flood of requests from a process of its own: so many a second whatever becomes of them, or as fast as so many callers are answered.

`python -m lgsp.prove.flood` reads a Flood as JSON from standard input and prints one line for each request: what became of it, and when,
on the machine's monotonic clock. Each request is sent once; nothing is retried.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httptools
import uvloop

from lgsp.prove.sender import PATHS, Load, body_of, entry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.oracle import Sent

LAST_ANSWER_S = 12.0
TICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Flood:
    """rate: requests a second, or 0: each of `connections` callers sends as soon as it is answered. first: the number of the first."""

    gateways: list[str]
    headers: Mapping[str, str]
    rate: float
    seconds: float
    first: int
    connections: int


@dataclass(slots=True)
class Line(asyncio.Protocol):
    """One connection, one request at a time."""

    source: Source
    entry: Sent | None = None
    status: int = 0
    parts: list[bytes] = field(default_factory=list)
    has_retry_after: bool = False
    transport: Any = None
    parser: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self.transport = cast("asyncio.Transport", transport)
        self.source.free(self)

    def ask(self, entry: Sent, request: bytes) -> None:
        """Send."""
        self.entry, self.status, self.has_retry_after = entry, 0, False
        self.parts.clear()
        self.parser = httptools.HttpResponseParser(self)
        entry.sent_at = asyncio.get_running_loop().time()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the `on_` methods."""
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: ARG002  # httptools' signature
        """Note what matters."""
        self.has_retry_after = self.has_retry_after or name.lower() == b"retry-after"

    def on_body(self, body: bytes) -> None:
        """Keep a part."""
        self.parts.append(body)

    def on_message_complete(self) -> None:
        """Write down, and be free; where this answer is the last of its connection, the connection ends next."""
        self.status = self.parser.get_status_code()
        self.source.answered(self)
        self.source.free(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """An answer that did not come is none."""
        self.transport = None
        if self.entry is not None:
            self.source.answered(self)
        self.source.gone()


class Source:
    """Sends what is due, over lines that are free; opens more lines up to the limit."""

    def __init__(self, flood: Flood) -> None:
        self.flood = flood
        self.load = Load(0, flood.rate, matters=1000)
        self.idle: deque[Line] = deque()
        self.due: deque[Sent] = deque()
        self.lines = self.sent = self.waiting = 0
        self.clock = asyncio.get_running_loop().time
        self.ends_at = self.clock() + flood.seconds
        self.opening: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Until the time is up and the answers are there, or are not to be expected any more."""
        began_at = self.clock()
        if not self.flood.rate:
            for _ in range(self.flood.connections):
                self.open()
        while (now := self.clock()) < self.ends_at:
            while self.flood.rate and self.sent < (now - began_at) * self.flood.rate:
                self.due.append(self.next(began_at + self.sent / self.flood.rate))
                self.push()
            await asyncio.sleep(TICK_S)
        until = self.clock() + LAST_ANSWER_S
        while self.waiting and self.clock() < until:
            await asyncio.sleep(TICK_S)

    def next(self, due_at: float) -> Sent:
        """The next request of the book."""
        entry = entry_of(self.flood.first + self.sent, self.load, due_at)
        self.sent += 1
        self.waiting += 1
        return entry

    def push(self) -> None:
        """Send what is due if a line is free, else open one."""
        while self.due and self.idle:
            line = self.idle.popleft()
            if line.transport is not None:
                entry = self.due.popleft()
                line.ask(entry, self.request(entry))
        if self.due and self.lines < self.flood.connections:
            self.open()

    def open(self) -> None:
        """One line more."""
        self.lines += 1
        task = asyncio.create_task(self._connect(self.flood.gateways[self.lines % len(self.flood.gateways)]))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def _connect(self, gateway: str) -> None:
        place = urlsplit(gateway)
        try:
            await asyncio.get_running_loop().create_connection(lambda: Line(self), str(place.hostname), int(place.port or 0))
        except OSError:
            self.gone()

    def free(self, line: Line) -> None:
        """A line may be used."""
        if not self.flood.rate and self.clock() < self.ends_at:
            entry = self.next(self.clock())
            line.ask(entry, self.request(entry))
            return
        self.idle.append(line)
        self.push()

    def gone(self) -> None:
        """A line ended."""
        self.lines -= 1

    def answered(self, line: Line) -> None:
        """Print what became of a request."""
        entry, line.entry = line.entry, None
        if entry is None:
            return
        self.waiting -= 1
        message_id = json.loads(b"".join(line.parts)).get("id", "") if line.status == 202 else ""  # noqa: PLR2004  # Accepted
        times = {"due_at": entry.due_at, "sent_at": entry.sent_at, "answered_at": self.clock()}
        told = {"number": entry.number, "status": line.status, "id": message_id, "has_retry_after": line.has_retry_after}
        sys.stdout.write(json.dumps(told | times) + "\n")

    def request(self, entry: Sent) -> bytes:
        """The whole HTTP request."""
        body = body_of(entry)
        headers = {**self.flood.headers, "Host": "hub", "Content-Type": "application/json", "Content-Length": str(len(body))}
        headers["Idempotency-Key"] = f'"prove-{entry.number}"'
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /{PATHS[entry.kind]} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def flooded(flood: Flood) -> list[dict[str, Any]]:
    """Run a flood in a process of its own; what became of each request that was sent."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "lgsp.prove.flood", stdin=pipe, stdout=pipe)
    output, _ = await process.communicate(json.dumps(asdict(flood)).encode())
    return [json.loads(line) for line in output.splitlines()]


async def main() -> None:
    """As the first line of this file says."""
    await Source(Flood(**json.load(sys.stdin))).run()


if __name__ == "__main__":
    uvloop.run(main())
