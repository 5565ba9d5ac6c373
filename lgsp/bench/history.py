"""`lgsp bench history`: what millions of settled messages cost those that come now: a claim, a receipt by id, receipts by business key.

Two hubs on PostgreSQL, one with a short history and one with a long one, take turns; the history is written by SQL, as settled messages
of the bench's consumer. The hub tells by itself how long its claims take (`lgsp_claim_duration_seconds`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import statistics
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from lgsp.bench.client import Load, percentile, send
from lgsp.bench.databases import scratch_database
from lgsp.bench.deliver import KINDS, signed_in, waiting
from lgsp.bench.hub import CONSUMER, Hub, environment, serving
from lgsp.bench.report import Report
from lgsp.bench.servers import BenchError, cores, free_port, peer, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SHORT = 10_000
CHUNK = 250_000
FILL_S, CONNECTIONS, ASKED = 3.0, 32, 200
QUIET_S = 60
CLAIM_RATIO, RECEIPT_MS = 1.3, 50
SPENT = re.compile(r"^lgsp_claim_duration_seconds_(sum|count)(?:\{[^}]*\})? (\S+)", re.MULTILINE)
HISTORY = """
INSERT INTO message (message_id, consumer, service, major, operation, provider, purpose, digest, business_mark, accepted_at, deadline_at,
  trace_id, state, lease, attempts, settled_at, feed_no)
SELECT ('01890000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, $3, 'bench-entries', 1, 'storeEntry', 'bench_entry', '{}',
  'sha256:0', sha256(i::text::bytea), 1.7e9 + i, 1.7e9 + i + 86400, repeat('0', 32), 'delivered', 1, 1, 1.7e9 + i + 1, i
FROM generate_series($1::bigint, $2::bigint) AS i
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told."""

    messages: int
    rounds: int
    say: Callable[[str], None]


@dataclass(slots=True)
class Seen:
    """One hub with its history, and what each round found in milliseconds: a claim, receipts by id."""

    hub: Hub
    token: str
    rows: int
    claim_ms: list[float] = field(default_factory=list)
    receipt_ms: list[float] = field(default_factory=list)
    key_ms: list[float] = field(default_factory=list)


def run(options: Options) -> Report:
    """Fill, then measure both in turns."""
    report = Report("history", {"database": "postgresql", "short": SHORT, "long": options.messages, "rounds": options.rounds})
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        port, places = free_port(), cores()
        stack.enter_context(running(peer("provider", str(port)), port, places.load, folder / "provider.log"))
        both = []
        for rows in (SHORT, options.messages):
            database = stack.enter_context(scratch_database())
            if database is None:
                raise BenchError("no PostgreSQL answers (set LGSP_TEST_DATABASE_URL)")
            env = environment(f"http://127.0.0.1:{port}", {"LGSP_DATABASE_URL": database, "LGSP_LOG_LEVEL": "warning"})
            hub = stack.enter_context(serving(f"hub {rows}", env, places.server, folder))
            both.append(Seen(hub, signed_in(hub, env["LGSP_ADMIN_PASSWORD"]), rows))
            began = time.monotonic()
            asyncio.run(fill(database, rows))
            options.say(f"{rows:,} settled messages written in {time.monotonic() - began:.0f} s")
        for number in range(options.rounds + 1):
            for seen in both:
                measure(seen, warming=number == 0)
            options.say(f"round {number} of {options.rounds}: claims {[seen.claim_ms[-1:] for seen in both]} ms")
    conclude(report, both)
    return report


async def fill(database: str, rows: int) -> None:
    """A history, in chunks, with its statistics."""
    connection = await asyncpg.connect(database)
    try:
        for first in range(1, rows + 1, CHUNK):
            await connection.execute(HISTORY, first, min(rows, first + CHUNK - 1), CONSUMER, timeout=600)
        await connection.execute("VACUUM (ANALYZE) message", timeout=600)
    finally:
        await connection.close()


def measure(seen: Seen, *, warming: bool) -> None:
    """Let new messages through, and ask for receipts of old ones."""
    before = spent(seen.hub)
    operation, content = KINDS["entry"]
    target = seen.hub.target(operation)
    send(target.url, target.headers, content, Load(FILL_S, CONNECTIONS))
    until = time.monotonic() + QUIET_S
    while waiting(seen.hub, seen.token) and time.monotonic() < until:
        time.sleep(0.2)
    after = spent(seen.hub)
    step = max(1, seen.rows // ASKED)
    receipts = [asked(seen.hub, f"/receipts/01890000-0000-7000-8000-{number:012x}") for number in range(1, seen.rows, step)]
    keys = [asked(seen.hub, "/receipts", {"Lgsp-Business-Key": f"H99-{number}"}) for number in range(ASKED // 4)]
    if not warming:
        seen.claim_ms.append(round((after["sum"] - before["sum"]) / max(1.0, after["count"] - before["count"]) * 1000, 3))
        seen.receipt_ms.append(round(percentile(sorted(receipts), 0.99), 2))
        seen.key_ms.append(round(percentile(sorted(keys), 0.99), 2))


def spent(hub: Hub) -> Mapping[str, float]:
    """Seconds and number of the claims so far."""
    with urllib.request.urlopen(f"{hub.management}/metrics", timeout=30) as reply:
        return {name: float(value) for name, value in SPENT.findall(reply.read().decode())}


def asked(hub: Hub, path: str, headers: Mapping[str, str] | None = None) -> float:
    """Milliseconds of one question."""
    request = urllib.request.Request(hub.gateway + path, headers={**hub.headers, **(headers or {})})
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=30) as reply:
        json.load(reply)
    return (time.monotonic() - began) * 1000


def conclude(report: Report, both: Sequence[Seen]) -> None:
    """Medians of the rounds, their ratio, what was promised."""
    short, long = both
    found: dict[str, Any] = {
        "claim, ms": {seen.rows: statistics.median(seen.claim_ms) for seen in both},
        "receipt by id, p99 ms": {seen.rows: statistics.median(seen.receipt_ms) for seen in both},
        "receipts by business key, p99 ms": {seen.rows: statistics.median(seen.key_ms) for seen in both},
    }
    report.extra |= found
    ratio = statistics.median(long.claim_ms) / max(0.001, statistics.median(short.claim_ms))
    report.ratios["claim, long/short history"] = round(ratio, 3)
    report.floor(f"claim at {long.rows:,} / at {short.rows:,} messages of history", CLAIM_RATIO, ratio, at_least=False)
    report.floor("receipt by id, p99 ms", RECEIPT_MS, statistics.median(long.receipt_ms), at_least=False)
    report.floor("receipts by business key, p99 ms", RECEIPT_MS, statistics.median(long.key_ms), at_least=False)
