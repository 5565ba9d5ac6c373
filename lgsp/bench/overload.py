"""`lgsp bench overload`: three times what the hub can do, open loop; what still gets through, how the rest is refused, how soon it is over.

Open loop: a request falls due at each tick, whatever has become of the others, as with consumers that do not know of each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from lgsp.bench import process
from lgsp.bench.client import Connection, Load, Run, percentile, request_bytes, send
from lgsp.bench.databases import scratch_database
from lgsp.bench.dossier import body
from lgsp.bench.hub import Hub, hub
from lgsp.bench.report import MEGABYTE, Report, Row
from lgsp.bench.servers import Target, cores, free_port, on_core, peer, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMES = 3
CONNECTIONS, PEAK_CONNECTIONS = 512, 64
REFUSALS = frozenset({429, 503})
LOOK_S, ANSWER_S = 0.25, 5.0
CALM_SHARE, CALM_S, PATIENCE_S = 0.5, 1.0, 40
MEMORY_MB = 100


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told; `operation`: submitDossier (look-ups) or storeDossier (stored messages)."""

    seconds: float
    operation: str
    say: Callable[[str], None]


class Told(Connection):
    """A connection that notes whether an answer says when to come back."""

    retry_after = False

    def on_message_begin(self) -> None:
        """A new answer."""
        self.retry_after = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        """One header of it."""
        self.retry_after = self.retry_after or name.lower() == b"retry-after"


class Flood(Run):
    """An open loop that tells answers apart: done, refused as promised, or anything else."""

    def __init__(self, request: bytes, load: Load) -> None:
        super().__init__(request, load)
        self.refused_s: list[float] = []
        self.others: Counter[str] = Counter()

    def done(self, connection: Connection, due_at: float, status: int) -> None:
        """Note a refusal, then go on as every run does."""
        if status in REFUSALS and isinstance(connection, Told) and connection.retry_after:
            self.refused_s.append(self.clock() - due_at)
        elif status not in range(200, 300):
            self.others[str(status)] += 1
        super().done(connection, due_at, status)


@dataclass(slots=True)
class Health:
    """How long the health doors took, asked over and over while the flood lasts; seconds."""

    longest_s: dict[str, float] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def ask(self, url: str) -> None:
        """One question."""
        began = time.monotonic()
        try:
            urllib.request.urlopen(url, timeout=ANSWER_S).close()
        except (urllib.error.URLError, TimeoutError, OSError):
            self.failures[url] += 1
        self.longest_s[url] = max(self.longest_s.get(url, 0.0), time.monotonic() - began)


def run(options: Options) -> Report:
    """Find the peak, flood the hub, wait for calm."""
    report = Report("overload", {"operation": options.operation, "seconds": options.seconds, "times": TIMES, "connections": CONNECTIONS})
    places = cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        port = free_port()
        stack.enter_context(running(peer("provider", str(port)), port, places.load, folder / "provider.log"))
        database = stack.enter_context(scratch_database()) or f"sqlite:///{folder}/hub.db"
        settings = {"LGSP_DATABASE_URL": database, "LGSP_LOG_LEVEL": "warning"}
        found = stack.enter_context(hub("hub", f"http://127.0.0.1:{port}/", places.server, folder, settings))
        with on_core(places.load):
            measure(found, options, report)
    return report


def measure(found: Hub, options: Options, report: Report) -> None:
    """All three phases against one hub."""
    target, content = found.target(options.operation), body("2kB")
    send(target.url, target.headers, content, Load(2.0, PEAK_CONNECTIONS))
    peak = send(target.url, target.headers, content, Load(max(3.0, options.seconds / 3), PEAK_CONNECTIONS))
    report.rows.append(_row("peak, closed loop", found, peak.requests_s, (peak.p50_ms, peak.p99_ms), peak.errors))
    options.say(f"peak: {peak.requests_s:,.0f}/s")
    before_mb = process.resident_bytes(found.pid) / MEGABYTE
    rate = TIMES * peak.requests_s
    with watched(found) as health:
        flood, took_s = uvloop.run(flooded(target, content, Load(options.seconds, CONNECTIONS, rate)))
    latencies, refused = sorted(flood.latencies), sorted(flood.refused_s)
    goodput = len(latencies) / took_s
    figures = (percentile(latencies, 0.5) * 1000, percentile(latencies, 0.99) * 1000)
    report.rows.append(_row(f"goodput at {TIMES} x", found, goodput, figures, sum(flood.others.values())))
    options.say(f"flood: {goodput:,.0f}/s of {rate:,.0f}/s, {len(refused):,} refused, others {dict(flood.others)}")
    calm_s = recovered(target, content, CALM_SHARE * peak.requests_s)
    report.extra |= {
        "goodput/peak": round(goodput / peak.requests_s, 3),
        "refused": len(refused),
        "refused p99, s": round(percentile(refused, 0.99), 3),
        "neither done nor refused with Retry-After": dict(flood.others),
        "health, longest s": {url.rpartition("/")[2]: round(seconds, 3) for url, seconds in health.longest_s.items()},
        "health failures": dict(health.failures),
        "normal again after, s": calm_s,
        "memory before and at most, MB": [round(before_mb, 1), round(process.peak_bytes(found.pid) / MEGABYTE, 1)],
    }
    conclude(report)


async def flooded(target: Target, content: bytes, load: Load) -> tuple[Flood, float]:
    """The flood, and how long it took."""
    loop = asyncio.get_running_loop()
    flood = Flood(request_bytes(target.url, target.headers, content), load)

    def told() -> Connection:
        return Told(flood.done)

    host, _, port = target.url.removeprefix("http://").partition("/")[0].partition(":")
    for _ in range(load.connections):
        _, connection = await loop.create_connection(told, host, int(port))
        flood.idle.append(connection)
    began = loop.time()
    await flood.open_loop(load.rate or 1.0)
    took_s = loop.time() - began
    await flood.drained()
    flood.others["no answer"] += flood.awaited + len(flood.due)
    for connection in flood.idle:
        connection.transport.close()
    return flood, took_s


@contextlib.contextmanager
def watched(found: Hub) -> Iterator[Health]:
    """Ask for health and metrics meanwhile, from a thread of its own."""
    health, ended = Health(), threading.Event()
    urls = [f"{found.management}/{name}" for name in ("livez", "readyz", "metrics")] + [f"{found.gateway}/readyz"]

    def ask() -> None:
        while not ended.wait(LOOK_S):
            for url in urls:
                health.ask(url)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield health
    finally:
        ended.set()
        thread.join()


def recovered(target: Target, content: bytes, rate: float) -> float:
    """Seconds after the flood until a second at half the peak is answered without an error."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        at = time.monotonic() - began
        if not send(target.url, target.headers, content, Load(CALM_S, PEAK_CONNECTIONS, rate)).errors:
            return round(at, 1)
    return float(PATIENCE_S)


def conclude(report: Report) -> None:
    """What was promised held against what was measured."""
    extra: dict[str, Any] = report.extra
    before_mb, most_mb = extra["memory before and at most, MB"]
    report.floor("goodput at 3 x / peak", 0.8, extra["goodput/peak"])
    report.floor("refused within, s (p99)", 1.0, extra["refused p99, s"], at_least=False)
    unanswered = sum(extra["neither done nor refused with Retry-After"].values())
    report.floor("neither done nor refused with Retry-After", 0, unanswered, at_least=False)
    report.floor("health and metrics answer within, s", 1.0, max(extra["health, longest s"].values(), default=0.0), at_least=False)
    report.floor("health failures", 0, sum(extra["health failures"].values()), at_least=False)
    report.floor("normal again within, s", 30.0, extra["normal again after, s"], at_least=False)
    report.floor("memory grown, MB", MEMORY_MB, most_mb - before_mb, at_least=False)


def _row(name: str, found: Hub, rate: float, figures: tuple[float, float], errors: int) -> Row:
    peak_mb = process.peak_bytes(found.pid) / MEGABYTE
    return Row(name, "2kB", round(rate, 1), 0.0, round(figures[0], 2), round(figures[1], 2), errors, round(peak_mb, 1))
