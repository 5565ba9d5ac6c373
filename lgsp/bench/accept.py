"""`lgsp bench accept`: durable 202s on one core, beside a commit and a confirmed publish for each request.

The provider is silent, as in the hour when it is down: it takes connections and never answers, so that what is measured is accepting.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kombu.connection import Connection

from lgsp.bench.databases import scratch_database
from lgsp.bench.dossier import body
from lgsp.bench.hub import OPERATIONS, hub
from lgsp.bench.report import Report
from lgsp.bench.rounds import Plan, interleaved
from lgsp.bench.servers import BenchError, Cores, Target, cores, free_port, peer, running
from lgsp.bench.wrk import tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STANDARD_BROKER = "amqp://guest:guest@127.0.0.1:5672//"
CONNECT_S = 5
BACKLOG = 256
HUB_QUEUE = "lgsp.bell.bench_dossier"
FLOOR = 6


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told."""

    seconds: float
    rounds: int
    connections: int
    say: Callable[[str], None]


def run(options: Options) -> Report:
    """Measure on SQLite and, where there is one, on PostgreSQL."""
    places = cores()
    plan = Plan(options.seconds, options.rounds, options.connections, places.load, options.say)
    report = Report("accept", {"load": tool(), "seconds": options.seconds, "rounds": options.rounds, "connections": options.connections})
    broker = reachable_broker()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-bench-")))
        provider = stack.enter_context(silent_provider())
        stack.callback(delete_queue, broker, HUB_QUEUE)
        databases = {"sqlite": (f"sqlite:///{folder}/hub.db", f"sqlite+aiosqlite:///{folder}/naive.db")}
        for_hub, for_naive = stack.enter_context(scratch_database()), stack.enter_context(scratch_database())
        if for_hub and for_naive:
            databases["postgresql"] = (for_hub, for_naive.replace("postgresql:", "postgresql+asyncpg:"))
        targets: list[Target] = []
        for kind, (ours, theirs) in databases.items():
            settings = {"LGSP_DATABASE_URL": ours, "LGSP_BROKER_URL": broker}
            started = stack.enter_context(hub(f"hub {kind}", provider, places.server, folder, settings))
            targets += [started.target("storeDossier"), stack.enter_context(naive(kind, theirs, broker, places, folder))]
        report.rows = interleaved(targets, {"2kB": body("2kB")}, plan)
    conclude(report, list(databases))
    return report


@contextlib.contextmanager
def naive(kind: str, database: str, broker: str, places: Cores, folder: Path) -> Iterator[Target]:
    """The peer that commits and publishes for each request, with a queue of its own."""
    port, queue = free_port(), f"lgsp-bench-{secrets.token_hex(4)}"
    with contextlib.ExitStack() as stack:
        stack.callback(delete_queue, broker, queue)
        command = peer("naive_accept", str(port), database, broker, queue)
        pid = stack.enter_context(running(command, port, places.server, folder / f"naive-{kind}.log"))
        yield Target(f"naive {kind}", f"http://127.0.0.1:{port}{OPERATIONS['storeDossier']}", pid)


@contextlib.contextmanager
def silent_provider() -> Iterator[str]:
    """The address of a provider that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(BACKLOG)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def reachable_broker() -> str:
    """The broker to confirm publishes: LGSP_TEST_BROKER_URL, or RabbitMQ at its standard port of loopback."""
    address = os.environ.get("LGSP_TEST_BROKER_URL", STANDARD_BROKER)
    try:
        with Connection(address, connect_timeout=CONNECT_S) as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_S)
    except OSError as error:
        raise BenchError("no RabbitMQ answers; the bench compares with a confirmed publish (set LGSP_TEST_BROKER_URL)") from error
    return address


def delete_queue(broker: str, queue: str) -> None:
    """Take a queue of the bench away."""
    with Connection(broker, connect_timeout=CONNECT_S) as connection:
        connection.default_channel.queue_delete(queue)


def conclude(report: Report, kinds: list[str]) -> None:
    """Ratios by database; `hub/naive` is the smallest of them."""
    for kind in kinds:
        ratio = report.ratio(f"hub {kind}", f"naive {kind}", "2kB")
        if ratio is not None:
            report.ratios[f"hub/naive {kind}"] = ratio
            report.floor(f"hub/naive on {kind}", FLOOR, ratio)
    if report.ratios:
        report.ratios["hub/naive"] = min(report.ratios.values())
