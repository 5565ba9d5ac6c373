"""Runs rows: sets the stage, loads it, strikes, waits until the hub has drained, and has the oracle judge."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.prove import record
from lgsp.prove.nodes import ProveError
from lgsp.prove.oracle import UNDER_WAY, Answer, p95, reconcile, recoveries, states, struck
from lgsp.prove.report import Outcome
from lgsp.prove.rows import ROWS
from lgsp.prove.sender import Load, receipts, send_all, settle_rest
from lgsp.prove.stage import Options, backend, missing, staged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.prove.oracle import Kept, Sent, Strike, Verdict
    from lgsp.prove.rows.row import Row
    from lgsp.prove.scene import Scene

CALM_S = 2.0
DRAIN_S = 120.0
SAMPLE = 300
ROW_S = 3600.0


async def run_row(name: str, row: Row, options: Options) -> Outcome:
    """One run of one row."""
    load = replace(Load(options.messages, options.rate), **row.load)
    began = time.monotonic()
    async with asyncio.timeout(ROW_S), staged(row, load, options) as scene:
        sending = asyncio.create_task(send_all(scene.desk, load))
        try:
            await scene.calm(CALM_S)
            await row.strike(scene)
            await scene.misbehave()
            await scene.calm(CALM_S)
            scene.desk.struck.set()
            await sending
            await settle_rest(scene.desk, load.patience_s)  # those whose patience ended before the faults did
        finally:
            sending.cancel()
        scene.facts["drained_s"] = round(await _drain(scene.database), 1)
        if row.after is not None:
            await row.after(scene)
        scene.facts["on"] = backend(row, options)
        scene.facts["took_s"] = round(time.monotonic() - began, 1)
        return await _judge(name, row, scene)


async def _drain(database: str) -> float:
    """Wait until the hub has brought everything to rest; returns how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_S:
        if not await record.under_way(database):
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def _judge(name: str, row: Row, scene: Scene) -> Outcome:
    book, ledger, kept = scene.desk.book, scene.ledger(), await record.read_record(scene.database)
    verdict = reconcile(book, ledger, kept)
    await _ask_receipts(scene, kept, verdict)
    waits = recoveries(book, scene.strikes)
    answers = {answer.value: sum(entry.answer is answer for entry in book) for answer in Answer}
    facts: dict[str, Any] = {
        **answers,
        "told": dict(sorted(scene.desk.told.items())),
        "doubts": sum(entry.doubts for entry in book),
        "effects": len(ledger),
        "calls": len(scene.calls()),
        "states": states(kept),
        "causes": await record.causes(scene.database),
        "strikes": len(scene.strikes),
        "p95_ms": round(1000 * p95([entry.answered_at - entry.due_at for entry in book if entry.answered_at]), 1),
        "goodput": goodput(book, scene.strikes),
        **{f"most_{what}": value for what, value in scene.most.items()},
        **scene.facts,
    }
    bare = sum(entry.bare for entry in book)
    scene.must(not bare, f"{bare} refusals (429, 503) did not say when to come again")
    if row.certain and facts["states"].get("unknown"):
        scene.complaints.append(f"{facts['states']['unknown']} messages are unknown, though every failure was certain")
    return Outcome(name, verdict, max(waits, default=0.0), facts, scene.complaints)


def goodput(book: Sequence[Sent], strikes: Sequence[Strike]) -> float:
    """The share of the requests that fell due during a strike and were accepted before the last of them ended."""
    due = [entry for entry in book if struck(entry.due_at, strikes)]
    ended_at = max((strike.ended_at for strike in strikes), default=0.0)
    in_time = [entry for entry in due if entry.answer is Answer.ACCEPTED and entry.answered_at <= ended_at]
    return round(len(in_time) / len(due), 2) if due else 1.0


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


async def run_rows(names: list[str], options: Options, runs: int = 1) -> tuple[list[Outcome], dict[str, str]]:
    """Each row so many times, one after the other; and what cannot run here, with its reason."""
    outcomes, left_out = [], {}
    for name in names:
        reason = missing(ROWS[name], options)
        if reason:
            options.say(f"{name}: left out, {reason}")
            left_out[name] = reason
            continue
        for number in range(runs):
            try:
                outcome = await run_row(name, ROWS[name], replace(options, seed=options.seed + number))
            except TimeoutError as error:
                raise ProveError(f"{name} did not end within {ROW_S:g} s") from error
            options.say(outcome.line())
            outcomes.append(outcome)
    return outcomes, left_out
