"""Rounds: each server in turn under the same load, its processor time and memory read before and after."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.bench import process
from lgsp.bench.client import Load
from lgsp.bench.dossier import envelope
from lgsp.bench.report import MEGABYTE, Row, median_row
from lgsp.bench.servers import BenchError, on_core
from lgsp.bench.wrk import drive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.bench.servers import Target

WARM_UP = Load(1.0, 8)
ANSWER_S = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, over how many connections, and on which core the load runs."""

    seconds: float
    rounds: int
    connections: int
    load_core: int | None
    say: Callable[[str], None]


def ask_once(target: Target, body: bytes) -> bytes:
    """One request; raises BenchError unless it is answered well, so that no error page is measured for speed."""
    request = urllib.request.Request(target.url, said(target, body), {"Content-Type": "application/json", **target.headers})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as reply:
            found: bytes = reply.read()
            return found
    except urllib.error.HTTPError as error:
        raise BenchError(f"{target.name} answers {error.code}: {error.read()[:800].decode(errors='replace')}") from error


def said(target: Target, body: bytes) -> bytes:
    """The JSON body as this server is asked."""
    return envelope(target.soap, json.loads(body)) if target.soap else body


def measure(target: Target, name: str, body: bytes, plan: Plan) -> Row:
    """One server under one body for the plan's seconds."""
    before = process.cpu_s(target.pid)
    with on_core(plan.load_core):
        sample = drive(target, said(target, body), Load(plan.seconds, plan.connections))
    spent_us = (process.cpu_s(target.pid) - before) * 1e6
    answered = max(1, sample.requests)
    peak_mb = process.peak_bytes(target.pid) / MEGABYTE
    return Row(target.name, name, sample.requests_s, spent_us / answered, sample.p50_ms, sample.p99_ms, sample.errors, peak_mb)


def interleaved(targets: Sequence[Target], bodies: Mapping[str, bytes], plan: Plan) -> list[Row]:
    """Every server under every body, round by round, so that what disturbs the machine disturbs them all; gives the medians."""
    for name, body in bodies.items():
        for target in targets:
            ask_once(target, body)
            with on_core(plan.load_core):
                drive(target, said(target, body), WARM_UP)
            plan.say(f"warmed up {target.name} {name}")
    found: dict[tuple[str, str], list[Row]] = {}
    for number in range(1, plan.rounds + 1):
        for name, body in bodies.items():
            for target in targets:
                row = measure(target, name, body, plan)
                found.setdefault((name, target.name), []).append(row)
                plan.say(
                    f"round {number}: {target.name} {name}: {row.requests_s:,.0f} requests/s, {row.cpu_us:,.0f} us, {row.errors} errors"
                )
    return [median_row(rows) for rows in found.values()]
