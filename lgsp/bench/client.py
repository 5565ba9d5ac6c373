"""The bench's own HTTP/1.1 load client: as fast as the server answers (closed loop), or at a fixed rate (open loop).

At a fixed rate a latency counts from the moment when the request was due, not when a connection came free: a server that stalls is charged
for everything that had to wait behind the stall.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httptools
import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DRAIN_S = 5.0
SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one load saw: requests answered well, errors (any other status, a cut, no answer), and the latencies of what was answered."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def requests_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Load:
    """How to load: for how long, over how many connections, at which rate (None: as fast as it goes)."""

    seconds: float
    connections: int
    rate: float | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed; 0 if there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def request_bytes(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    place = urlsplit(url)
    fields = {"Host": place.netloc, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {place.path or '/'} HTTP/1.1\r\n{head}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection; `done(connection, due_at, status)` is called for each answer, with status 0 for a cut."""

    def __init__(self, done: Callable[[Connection, float, int], None]) -> None:
        self.done = done
        self.due_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready to send."""
        self.transport = cast("asyncio.Transport", transport)  # TCP gives no other
        self.parser = httptools.HttpResponseParser(self)

    def send(self, request: bytes, due_at: float) -> None:
        """Send a request that was due at this time."""
        self.due_at = due_at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Tell of the answer and be ready for the next one."""
        status = self.parser.get_status_code()
        keeps = self.parser.should_keep_alive()
        self.parser = httptools.HttpResponseParser(self)
        due_at, self.due_at = self.due_at, None
        if due_at is not None:
            self.done(self, due_at, status if keeps or status not in SUCCESS else 0)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell of the cut if somebody waits."""
        if self.due_at is not None:
            due_at, self.due_at = self.due_at, None
            self.done(self, due_at, 0)


class Run:
    """One load under way."""

    def __init__(self, request: bytes, load: Load) -> None:
        self.request, self.load = request, load
        self.clock = asyncio.get_running_loop().time
        self.latencies: list[float] = []
        self.errors = 0
        self.awaited = 0
        self.quiet = asyncio.Event()
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.until = float("inf")

    def done(self, connection: Connection, due_at: float, status: int) -> None:
        """Count an answer, then send what is due next on this connection."""
        now = self.clock()
        self.awaited -= 1
        if status in SUCCESS:
            self.latencies.append(now - due_at)
        else:
            self.errors += 1
        if status and self.load.rate is None and now < self.until:
            self.send(connection, now)
        elif status and self.due:
            self.send(connection, self.due.popleft())
        elif status:
            self.idle.append(connection)
        if not self.awaited:
            self.quiet.set()

    def send(self, connection: Connection, due_at: float) -> None:
        """Send the request and await its answer."""
        self.awaited += 1
        self.quiet.clear()
        connection.send(self.request, due_at)

    async def closed_loop(self) -> None:
        """Every connection sends again as soon as it is answered."""
        self.until = self.clock() + self.load.seconds
        for connection in list(self.idle):
            self.send(connection, self.clock())
        self.idle.clear()
        await asyncio.sleep(self.load.seconds)

    async def open_loop(self, rate: float) -> None:
        """A request falls due at each tick of the rate, whatever has become of the others."""
        start = self.clock()
        for number in range(int(rate * self.load.seconds)):
            due_at = start + number / rate
            if due_at > self.clock():
                await asyncio.sleep(due_at - self.clock())
            if self.idle:
                self.send(self.idle.popleft(), due_at)
            else:
                self.due.append(due_at)

    async def drained(self) -> None:
        """Wait for the answers that are still to come; count what never comes as errors."""
        if self.awaited:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.quiet.wait(), DRAIN_S)
        self.errors += self.awaited + len(self.due)


async def _run(url: str, request: bytes, load: Load) -> Sample:
    place = urlsplit(url)
    run = Run(request, load)
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        _, connection = await loop.create_connection(lambda: Connection(run.done), place.hostname or "", place.port or 80)
        run.idle.append(connection)
    began = loop.time()
    await (run.closed_loop() if load.rate is None else run.open_loop(load.rate))
    seconds = loop.time() - began
    await run.drained()
    for connection in run.idle:
        connection.transport.close()
    latencies = sorted(run.latencies)
    return Sample(len(latencies), run.errors, seconds, percentile(latencies, 0.5) * 1000, percentile(latencies, 0.99) * 1000)


def send(url: str, headers: Mapping[str, str], body: bytes, load: Load) -> Sample:
    """Load one address and say what was seen."""
    return uvloop.run(_run(url, request_bytes(url, headers, body), load))
