"""`lgsp bench deliver`: a backlog on PostgreSQL, worked off by one or two workers; how fast, at which cost, in how much memory.

No broker rings: the rate is that of a hub whose broker is away. A worker that has ended one message looks for the next by itself.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgsp.bench import process
from lgsp.bench.client import Load, send
from lgsp.bench.databases import scratch_database
from lgsp.bench.dossier import body, entry
from lgsp.bench.hub import Hub, environment, serving, worker
from lgsp.bench.report import MEGABYTE, Report, Row
from lgsp.bench.servers import BenchError, Cores, cores, free_port, peer, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = {"entry": ("storeEntry", entry()), "2kB": ("storeDossier", body("2kB"))}
LOOK_S = 0.5
LEAST_LOOKS = 2
STALLED_S = 60.0
FILL_S = 2.0
FLOOR = 1500
GROWTH_MB = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told."""

    messages: int
    workers: int
    kinds: tuple[str, ...]
    connections: int
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment: how many messages still wait, the memory of each worker."""

    at: float
    left: int
    resident_mb: tuple[float, ...]


def run(options: Options) -> Report:
    """Fill and drain, for each kind of message by one worker and by more."""
    report = Report("deliver", {"database": "postgresql", "messages": options.messages, "connections": options.connections})
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        places = cores()
        port = free_port()
        stack.enter_context(running(peer("provider", str(port)), port, places.load, folder / "provider.log"))
        for kind in options.kinds:
            for count in sorted({1, options.workers}):
                row, memory = drained(f"http://127.0.0.1:{port}", kind, count, (options, folder, places))
                report.rows.append(row)
                report.extra[f"memory {row.server} {kind}, MB"] = memory
    conclude(report)
    return report


def drained(provider: str, kind: str, count: int, around: tuple[Options, Path, Cores]) -> tuple[Row, dict[str, float]]:
    """A hub of its own: filled while no worker runs, then drained by so many."""
    options, folder, places = around
    with scratch_database() as database:
        if database is None:
            raise BenchError("no PostgreSQL answers (set LGSP_TEST_DATABASE_URL)")
        env = environment(provider, {"LGSP_DATABASE_URL": database, "LGSP_LOG_LEVEL": "warning"})
        with serving(f"doors {kind} {count}", env, None, folder, "gateway,admin") as hub:
            token = signed_in(hub, env["LGSP_ADMIN_PASSWORD"])
            fill(hub, kind, options)
            with contextlib.ExitStack() as stack:
                core = places.server if count == 1 else None
                pids = [stack.enter_context(worker(f"worker-{kind}-{n}", env, core, folder)) for n in range(count)]
                looks = list(watched(hub, token, pids))
                cpu_s = sum(process.cpu_s(pid) for pid in pids)
                peak_mb = sum(process.peak_bytes(pid) for pid in pids) / MEGABYTE
    name = f"{count} worker{'s' if count > 1 else ''}"
    rate = steady_rate(looks)
    options.say(f"{name}, {kind}: {rate:,.0f} messages/s, {cpu_s / max(1, looks[0].left) * 1e6:,.0f} us of workers a message")
    row = Row(name, kind, round(rate, 1), round(cpu_s / max(1, looks[0].left) * 1e6, 1), 0.0, 0.0, looks[-1].left, round(peak_mb, 1))
    return row, memory_of(looks)


def signed_in(hub: Hub, password: str) -> str:
    """A session of the management API."""
    request = urllib.request.Request(
        f"{hub.management}/session", json.dumps({"name": "admin", "password": password}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        token: str = json.load(reply)["token"]
        return token


def fill(hub: Hub, kind: str, options: Options) -> None:
    """Send messages until so many wait."""
    operation, content = KINDS[kind]
    target, sent = hub.target(operation), 0
    while sent < options.messages:
        sample = send(target.url, target.headers, content, Load(FILL_S, options.connections))
        if not sample.requests:
            raise BenchError(f"{hub.name} accepts nothing")
        sent += sample.requests
    options.say(f"{hub.name}: {sent:,} messages wait")


def watched(hub: Hub, token: str, pids: list[int]) -> Iterator[Look]:
    """Look each second until nothing is left, or nothing moves."""
    moved_at, least = time.monotonic(), None
    while True:
        left = waiting(hub, token)
        now = time.monotonic()
        yield Look(now, left, tuple(process.resident_bytes(pid) / MEGABYTE for pid in pids))
        if least is None or left < least:
            moved_at, least = now, left
        if left == 0:
            return
        if now - moved_at > STALLED_S:
            raise BenchError(f"{left} messages wait and nothing moves")
        time.sleep(LOOK_S)


def waiting(hub: Hub, token: str) -> int:
    """How many messages are not settled yet."""
    request = urllib.request.Request(f"{hub.management}/status", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        states: dict[str, Any] = json.load(reply)["states"]
    return sum(int(states.get(state, 0)) for state in ("accepted", "waiting", "delivering"))


def steady_rate(looks: list[Look]) -> float:
    """Messages a second between the first look that saw movement and the last that still saw some left (or the end)."""
    moving = [look for look in looks if look.left < looks[0].left]
    steady = [look for look in moving if look.left] if len(moving) > LEAST_LOOKS else moving
    if len(steady) < LEAST_LOOKS:
        return 0.0
    return (steady[0].left - steady[-1].left) / (steady[-1].at - steady[0].at)


def memory_of(looks: list[Look]) -> dict[str, float]:
    """Of all workers together: when a quarter was drained, at the end, the most."""
    total = [sum(look.resident_mb) for look in looks]
    quarter = next((mb for look, mb in zip(looks, total, strict=True) if look.left <= looks[0].left * 0.75), total[-1])
    return {"quarter": round(quarter, 1), "end": round(total[-1], 1), "most": round(max(total), 1)}


def conclude(report: Report) -> None:
    """What was promised held against what was measured."""
    best = max((row.requests_s for row in report.rows if row.body == "entry"), default=None)
    report.floor("messages delivered a second on PostgreSQL", FLOOR, best)
    for name, memory in report.extra.items():
        report.floor(f"grown after the first quarter, {name}", GROWTH_MB, memory["most"] - memory["quarter"], at_least=False)
