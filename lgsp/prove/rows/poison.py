"""Rows of messages that break who deals with them, and of dead letters that are sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from lgsp.prove import record
from lgsp.prove.oracle import TRIAL, percentile, struck
from lgsp.prove.rows.row import SQ, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.nodes import Node
    from lgsp.prove.scene import Scene

PROVIDER = "prove"
ATTEMPTS = 3
"""Of the bundle's manifest, for the operation that may break."""
POISON_S = 6.0
SLOWER, FLOOR_S = 1.2, 0.5
RUN_S = 120.0
LIVE = {"running", "paused"}


async def poison(scene: Scene) -> None:
    """F36: what the provider says of some messages breaks the translation; one message kills the worker whenever it is called."""
    with scene.strike("poison"):
        await scene.misbehave("poison")
        await scene.calm(POISON_S)
        await scene.misbehave()
    await _poison_that_kills(scene, scene.hub.of("worker")[0])


async def _poison_that_kills(scene: Scene, node: Node) -> None:
    number = _next_trial(scene)
    with scene.strike("poison that kills"):
        for _ in range(ATTEMPTS):
            await scene.misbehave("kill_before", pid=node.pid, every=number, rest=0)
            if await scene.died(node):
                await scene.revive(node)


def _next_trial(scene: Scene) -> int:
    """A number that is still to be sent and goes to the operation that may break; its multiples beyond the load are never sent."""
    every, at_least = scene.load.trial_every, len(scene.desk.book) + 10
    return at_least + every - at_least % every


async def poison_at_rest(scene: Scene) -> None:
    """F36: attempts end at the limit, every poison rests with a reason, neighbours are delivered as before."""
    trial_ids = {e.message_id for e in scene.desk.book if e.kind == TRIAL and e.message_id}
    attempts = max(Counter(call.message_id for call in scene.calls() if call.message_id in trial_ids).values(), default=0)
    scene.facts["attempts"] = attempts
    scene.must(attempts <= ATTEMPTS, f"a poison was tried {attempts} times")
    kept = await record.read_record(scene.database)
    trials = [kept[e.message_id] for e in scene.desk.book if e.kind == TRIAL and e.message_id]
    dead = [each for each in trials if each.state == "dead"]
    scene.facts["poisoned"] = len(dead)
    scene.must(bool(dead), "no poison came to rest")
    scene.must(all(each.cause for each in dead), "a dead letter names no reason")
    await _neighbours(scene)


async def _neighbours(scene: Scene) -> None:
    effects = {effect.number: effect.at for effect in scene.ledger() if effect.kind != TRIAL}
    poisoned = [strike for strike in scene.strikes if strike.name == "poison"]
    took = [(e.due_at, effects[e.number] - e.due_at) for e in scene.desk.book if e.number in effects]
    sick = percentile((wait for due_at, wait in took if struck(due_at, poisoned)), 0.95)
    calm = percentile((wait for due_at, wait in took if due_at < poisoned[0].began_at), 0.95)
    scene.facts["neighbour_p95_s"], scene.facts["neighbour_p95_calm_s"] = round(sick, 3), round(calm, 3)
    scene.must(sick <= max(FLOOR_S, SLOWER * calm), f"neighbours' deliveries took {sick:.2f} s (95th percentile), {calm:.2f} s before")


async def redrive(scene: Scene) -> None:
    """F37: dead letters are sent again, half of them in vain: a run that is cancelled midway, then two at once, then one to the end."""
    await scene.steer("circuit", PROVIDER, "--closed", "--for", "1h", "--reason", "thử gửi lại")
    with scene.strike("dead letters made"):
        await scene.misbehave("denied")
        await _until_dead(scene, scene.load.messages)
    await scene.misbehave("denied", every=2, rest=0)
    with scene.strike("redriven"):
        first = await _begin(scene)
        await scene.calm(1)
        await scene.steer("replay", "--cancel", first["id"])
        cancelled = await _ended(scene, first["id"])
        scene.must(cancelled["state"] == "cancelled", f"a cancelled run is {cancelled['state']}")
        scene.must(
            0 < cancelled["done"] < cancelled["total"], f"cancelled midway, but {cancelled['done']} of {cancelled['total']} were sent"
        )
        await scene.calm(2)
        both = [await _begin(scene), await _begin(scene)]
        counts = [await _ended(scene, run["id"]) for run in both]
        scene.facts["runs"] = [f"{run['done']}/{run['total']} {run['state']}" for run in (cancelled, *counts)]
        scene.must(all(run["done"] <= run["total"] for run in counts), "a run sent more than it had")


async def _until_dead(scene: Scene, wanted: int) -> None:
    until = asyncio.get_running_loop().time() + RUN_S
    while asyncio.get_running_loop().time() < until:
        dead = (await record.query(scene.database, "SELECT count(*) FROM message WHERE state = 'dead'"))[0][0]
        if dead >= wanted // 2:
            return
        await scene.calm(0.2)


async def _begin(scene: Scene) -> dict[str, Any]:
    rate = max(20, scene.load.messages // 10)
    begun: dict[str, Any] = await scene.steer("replay", "--provider", PROVIDER, "--cause", "provider-denied", "--rate", f"{rate}/s")
    return begun


async def _ended(scene: Scene, run_id: str) -> dict[str, Any]:
    """A run when it has ended."""
    until = asyncio.get_running_loop().time() + RUN_S
    while True:
        (found,) = [run for run in await scene.steer("replay", "--runs") if run["id"] == run_id]
        if found["state"] not in LIVE or asyncio.get_running_loop().time() > until:
            return dict(found)
        await scene.calm(0.5)


async def redriven_once(scene: Scene) -> None:
    """F37: what could be delivered is delivered, once; what could not is dead again."""
    kept = await record.read_record(scene.database)
    states = {e.number: kept[e.message_id].state for e in scene.desk.book if e.kind == TRIAL and e.message_id}
    scene.facts["odd_delivered"] = sum(state == "delivered" for number, state in states.items() if number % 2)
    left = [number for number, state in states.items() if number % 2 and state != "delivered"]
    scene.must(not left, f"{len(left)} dead letters that could be delivered were not")


ROWS: Mapping[str, Row] = {
    "F36": Row("poison messages", poison, SQ, load={"trial_every": 7}, after=poison_at_rest),
    "F37": Row("dead letters sent again: cancelled midway, twice, half in vain", redrive, load={"trial_every": 1}, after=redriven_once),
}
