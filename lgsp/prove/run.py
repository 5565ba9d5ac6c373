"""Runs rows: builds the scene, loads it, strikes, waits until the hub has drained, and has the oracle judge."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from lgsp.prove import record
from lgsp.prove.cluster import Cluster, tool
from lgsp.prove.nodes import ProveError, make_hub
from lgsp.prove.oracle import UNDER_WAY, Answer, p95, reconcile, recoveries, states
from lgsp.prove.proxy import Proxy
from lgsp.prove.report import Outcome
from lgsp.prove.rows import POSTGRESQL, ROWS, SQLITE
from lgsp.prove.scene import Scene, can_trace, make_provider
from lgsp.prove.sender import Desk, Load, receipts, send_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from lgsp.prove.oracle import Kept, Sent, Verdict
    from lgsp.prove.rows import Row

CALM_S = 2.0
DRAIN_S = 120.0
SAMPLE = 300
ROW_S = 1800.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked: how many messages at which rate, kills of a row, where (server of a database, broker), the seed of chance."""

    messages: int = 1000
    rate: float = 100.0
    kills: int = 5
    database: str = ""
    broker: str = ""
    seed: int = 0
    say: Callable[[str], None] = print


@dataclass(slots=True)
class Stage:
    """What a row's folder, database and broker are, before any node is made."""

    folder: Path
    database: str
    seen: str
    broker: str
    cluster: Cluster | None = None
    lines: dict[str, Proxy] = field(default_factory=dict)


def backend(options: Options) -> str:
    """Which database the hub stands on."""
    return POSTGRESQL if options.database else SQLITE


def missing(row: Row, options: Options) -> str:
    """Why a row cannot run here, or nothing."""
    if backend(options) not in row.databases:
        return f"not on {backend(options)}"
    if "strace" in row.needs and not can_trace():
        return "needs strace, and the right to attach it"
    if "cluster" in row.needs and tool("initdb") is None:
        return "needs PostgreSQL's own programs"
    if "broker_line" in row.needs and not options.broker:
        return "needs --broker"
    return ""


async def run_row(name: str, options: Options) -> Outcome:
    """One run of one row."""
    row = ROWS[name]
    load = Load(options.messages, options.rate)
    load = replace(load, **{key: int(value) for key, value in row.load.items()})
    began = time.monotonic()
    async with asyncio.timeout(ROW_S), _stage(row, options) as stage, _scene(stage, load, options) as scene:
        sending = asyncio.create_task(send_all(scene.desk, load))
        try:
            await scene.calm(CALM_S)
            await row.strike(scene)
            await scene.misbehave()
            await scene.calm(CALM_S)
            scene.desk.struck.set()
            await sending
        finally:
            sending.cancel()
        drained_s = await _drain(stage.seen)
        return await _judge(name, scene, stage.seen, (drained_s, time.monotonic() - began))


@contextlib.asynccontextmanager
async def _stage(row: Row, options: Options) -> AsyncIterator[Stage]:
    """A folder, an empty database and the lines to database and broker, as the row needs them."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgsp-prove-", ignore_cleanup_errors=True)))
        folder.chmod(0o711)  # a cluster of its own runs under another account and must get through
        cluster, lines, seen = None, {}, f"sqlite:///{folder / 'hub.db'}"
        if "cluster" in row.needs:
            cluster = Cluster(folder / "cluster")
            await asyncio.to_thread(cluster.make)
            stack.callback(cluster.kill)
            await cluster.start()
            seen = cluster.url
        elif options.database:
            seen = await stack.enter_async_context(record.scratch_database(options.database, f"lgsp_prove_{secrets.token_hex(4)}"))
        database, broker = seen, options.broker
        if "database_line" in row.needs:
            lines["database"], database = await _line(stack, seen, 5432)
        if "broker_line" in row.needs:
            lines["broker"], broker = await _line(stack, broker, 5672)
        yield Stage(folder, database, seen, broker, cluster, lines)


async def _line(stack: contextlib.AsyncExitStack, url: str, standard_port: int) -> tuple[Proxy, str]:
    """A proxy before an address, and the address to use instead."""
    place = urlsplit(url)
    proxy = Proxy(place.hostname or "127.0.0.1", place.port or standard_port)
    port = await stack.enter_async_context(proxy.serving())
    account = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    return proxy, urlunsplit(place._replace(netloc=f"{account}127.0.0.1:{port}"))


@contextlib.asynccontextmanager
async def _scene(stage: Stage, load: Load, options: Options) -> AsyncIterator[Scene]:
    """Provider and hub run while the block does."""
    provider = make_provider(stage.folder)
    hub = make_hub(stage.folder, stage.database, stage.broker, f"http://127.0.0.1:{provider.port}")
    desk = Desk(hub.gateways, hub.headers)
    scene = Scene(stage.folder, provider, hub, desk, load, stage.seen, random.Random(options.seed), options.kills)
    scene.cluster, scene.database_line, scene.broker_line = stage.cluster, stage.lines.get("database"), stage.lines.get("broker")
    scene.facts["strace"] = can_trace()
    try:
        provider.start()
        await provider.listening()
        await hub.start()
        await hub.admit()
        desk.headers = hub.headers
        yield scene
    finally:
        for line in stage.lines.values():
            line.set("pass")
        await hub.stop()
        provider.kill()


async def _drain(database: str) -> float:
    """Wait until the hub has brought everything to rest; returns how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_S:
        if not await record.under_way(database):
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def _judge(name: str, scene: Scene, database: str, took: tuple[float, float]) -> Outcome:
    book, ledger, kept = scene.desk.book, scene.ledger(), await record.read_record(database)
    verdict = reconcile(book, ledger, kept)
    await _ask_receipts(scene, kept, verdict)
    waits = recoveries(book, scene.strikes)
    answers = {answer.value: sum(entry.answer is answer for entry in book) for answer in Answer}
    facts: dict[str, Any] = {
        **answers,
        "doubts": sum(entry.doubts for entry in book),
        "effects": len(ledger),
        "states": states(kept),
        "causes": await record.causes(database),
        "strikes": len(scene.strikes),
        "p95_ms": round(1000 * p95([entry.answered_at - entry.due_at for entry in book if entry.answered_at]), 1),
        "drained_s": round(took[0], 1),
        "took_s": round(took[1], 1),
    }
    if ROWS[name].certain and facts["states"].get("unknown"):
        scene.complaints.append(f"{facts['states']['unknown']} messages are unknown, though every failure was certain")
    return Outcome(name, verdict, max(waits, default=0.0), facts, scene.complaints)


async def _ask_receipts(scene: Scene, kept: Mapping[str, Kept], verdict: Verdict) -> None:
    """Whoever was once in doubt, and a sample of the others, must be told by its receipt what the record says."""
    doubtful = [entry for entry in scene.desk.book if entry.answer is Answer.ACCEPTED and entry.doubts]
    others = [entry for entry in scene.desk.book if entry.answer is Answer.ACCEPTED and not entry.doubts]
    asked = [*doubtful[: SAMPLE * 10], *scene.dice.sample(others, min(SAMPLE, len(others)))]
    told = await receipts(scene.desk, asked)
    verdict.unresolved += [entry.number for entry in asked if not _agrees(entry, told, kept)]


def _agrees(entry: Sent, told: Mapping[str, str], kept: Mapping[str, Kept]) -> bool:
    state = kept[entry.message_id].state if entry.message_id in kept else ""
    return state in UNDER_WAY or told.get(entry.message_id) == state


async def run_rows(names: list[str], options: Options, runs: int = 1) -> list[Outcome]:
    """Each row so many times, one after the other; what cannot run here is told and left out."""
    outcomes = []
    for name in names:
        reason = missing(ROWS[name], options)
        if reason:
            options.say(f"{name}: left out, {reason}")
            continue
        for number in range(runs):
            try:
                outcome = await run_row(name, replace(options, seed=options.seed + number))
            except TimeoutError as error:
                raise ProveError(f"{name} did not end within {ROW_S:g} s") from error
            options.say(outcome.line())
            outcomes.append(outcome)
    return outcomes
