"""Rows that end, freeze or stop processes: kill -9 at any moment, SIGTERM, SIGSTOP."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from lgsp.prove.balancer import balanced
from lgsp.prove.nodes import LEASE_S
from lgsp.prove.rows.row import BOTH, BROKER, HAPROXY, PG, SQ, STRACE, Row
from lgsp.prove.scene import can_trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.nodes import Node
    from lgsp.prove.scene import Scene

FSYNC = "fdatasync,fsync"
SENDING = "write,writev,sendto,sendmsg"
GRACE_S = 35.0
NOTICE = {"LGSP_STOP_NOTICE_S": "1.5"}
"""How long a node serves on though it is not ready any more, until HAProxy has seen it."""
MISCHIEF = ("ok", "ok", "ok", "lost", "cut", "failed", "busy", "short", "garbled")


async def kill_at_each_fsync(scene: Scene) -> None:
    """F1, F2: the node that commits dies at its N-th fsync; N is swept."""
    await _sweep(scene, FSYNC, scene.hub.nodes[0])


async def kill_at_each_write(scene: Scene) -> None:
    """F1, F2, F5, F6: a gateway, then a worker, dies at its N-th write to any socket or file; N is swept."""
    for node in dict.fromkeys((scene.hub.of("gateway")[0], scene.hub.of("worker")[0])):
        await _sweep(scene, SENDING, node)


async def _sweep(scene: Scene, calls: str, node: Node) -> None:
    for number in range(1, scene.kills + 1):
        if await scene.traced(node, calls, f"signal=KILL:when={number * number}", 10):
            await scene.revive(node)
        await scene.calm(0.5)


async def kill_before_the_effect(scene: Scene) -> None:
    """F3: the worker dies when the provider has read its request."""
    await _killed_by_provider(scene, "kill_before")


async def kill_after_the_effect(scene: Scene) -> None:
    """F4: the worker dies between the provider's effect and its answer."""
    await _killed_by_provider(scene, "kill_after")


async def _killed_by_provider(scene: Scene, mode: str) -> None:
    for _ in range(scene.kills):
        for node in scene.hub.of("worker"):
            await scene.misbehave(mode, 0.2, pid=node.pid)
            if await scene.died(node):
                await scene.revive(node)
            await scene.calm(0.5)


async def kill_everything(scene: Scene) -> None:
    """F7: all nodes die at once, again and again, while the provider misbehaves too."""
    for _ in range(scene.kills):
        await scene.misbehave(scene.dice.choice(MISCHIEF), 0.2)
        await scene.calm(scene.dice.uniform(0.2, 2.0))
        await scene.kill(*scene.hub.nodes)
        await scene.calm(scene.dice.uniform(0.2, 2.0))


async def kill_at_random(scene: Scene) -> None:
    """One node or all, at random times over the whole load; by a plain kill, within a call, or at an fsync."""
    pause_s = scene.load.messages / scene.load.rate / max(1, scene.kills)
    for _ in range(scene.kills):
        began = asyncio.get_running_loop().time()
        await scene.misbehave(scene.dice.choice(MISCHIEF), 0.2)
        await scene.calm(scene.dice.uniform(0.0, pause_s * 0.8))
        victim = scene.dice.choice([node for node in scene.hub.nodes if node.name != "admin"])
        way = scene.dice.choice(("plain", "plain", "all", "fsync", "effect"))
        if way == "fsync" and can_trace() and scene.on_sqlite:
            if await scene.traced(victim, FSYNC, f"signal=KILL:when={scene.dice.randint(1, 40)}", 10):
                await scene.revive(victim)
        elif way == "effect":
            worker = scene.dice.choice(scene.hub.of("worker"))
            await scene.misbehave("kill_after", 0.2, pid=worker.pid)
            if await scene.died(worker, 5):
                await scene.revive(worker)
        else:
            await scene.kill(*(scene.hub.nodes if way == "all" else [victim]))
        await scene.calm(max(0.0, pause_s - (asyncio.get_running_loop().time() - began)))


async def rolling_restart(scene: Scene) -> None:
    """F8: behind HAProxy each node is asked to end and started again, one after the other."""
    gateways = list(scene.desk.gateways)
    async with balanced(gateways, scene.folder) as address:
        scene.desk.gateways[:] = [address]
        await scene.calm(2)
        scene.facts["behind_haproxy_from"] = len(scene.desk.book)
        for node in scene.hub.nodes:
            with scene.strike(f"restart of {node.name}"):
                took_s = await node.stop(GRACE_S)
                node.start()
                await node.listening()
            scene.must(took_s < GRACE_S, f"{node.name} did not end within {GRACE_S:g} s of SIGTERM")
            await scene.calm(1)
        scene.facts["behind_haproxy_until"] = len(scene.desk.book)
        await scene.calm(2)
        scene.desk.gateways[:] = gateways
        await scene.calm(2)  # what is under way through HAProxy ends


async def no_request_failed(scene: Scene) -> None:
    """F8: everybody was served at the first try."""
    first, last = scene.facts["behind_haproxy_from"], scene.facts["behind_haproxy_until"]
    failed = [entry.number for entry in scene.desk.book if first <= entry.number < last and entry.tries > 1]
    scene.facts["failed_requests"] = len(failed)
    scene.must(not failed, f"{len(failed)} requests failed during a rolling restart")


async def freeze_a_worker(scene: Scene) -> None:
    """F9: a worker sleeps for longer than its lease in the midst of calls, and wakes up as a zombie."""
    await scene.misbehave("late", 0.5, 1.0)
    await scene.calm(2)
    node = scene.hub.of("worker")[0]
    with scene.strike(f"freeze of {node.name}"):
        node.signal(signal.SIGSTOP)
        await scene.calm(LEASE_S * 3)
        node.signal(signal.SIGCONT)


async def kill_at_each_broker_frame(scene: Scene) -> None:
    """F5: a worker dies at its N-th frame to the broker, which is how it acknowledges rings; N is swept.

    Only the broker's threads use sendto(2): the event loop writes to database and providers by write(2) and sendmsg(2).
    """
    for number in range(1, scene.kills + 1):
        node = scene.hub.of("worker")[0]
        if await scene.traced(node, "sendto", f"signal=KILL:when={2 * number - 1}", 10):
            await scene.revive(node)
        else:
            scene.complaints.append(f"{node.name} did not reach its frame {2 * number - 1}")
        await scene.calm(1)


async def kill_the_ringer(scene: Scene) -> None:
    """F6: a gateway dies at its N-th frame to the broker: before, within or after the publishing of a ring, before its confirm."""
    for number in range(1, scene.kills + 1):
        node = scene.hub.of("gateway")[number % 2]
        if await scene.traced(node, "sendto", f"signal=KILL:when={number}", 10):
            await scene.revive(node)
        else:
            scene.complaints.append(f"{node.name} did not reach its frame {number}")
        await scene.calm(1)


async def no_call_after_the_result(scene: Scene) -> None:
    """F5: what was delivered is not asked of the provider again."""
    extra = await scene.calls_after_delivery()
    scene.facts["calls_after_delivery"] = extra
    scene.must(not extra, f"{extra} calls of messages that were delivered already")


async def stale_writes(scene: Scene) -> None:
    """F9: how many writes of the zombie were refused by the fencing token."""
    scene.facts["fenced"] = await scene.metric("lgsp_attempts_total", state="fenced")


ROWS: Mapping[str, Row] = {
    "F1": Row("kill -9 at the N-th fsync", kill_at_each_fsync, SQ, STRACE),
    "F2": Row("kill -9 at the N-th write of gateway and worker", kill_at_each_write, BOTH, STRACE),
    "F3": Row("kill -9 worker before the effect", kill_before_the_effect),
    "F4": Row("kill -9 worker after the effect, before the answer", kill_after_the_effect),
    "F5": Row(
        "kill -9 worker at the N-th frame to the broker", kill_at_each_broker_frame, PG, STRACE | BROKER, after=no_call_after_the_result
    ),
    "F6": Row("kill -9 gateway at the N-th frame to the broker", kill_the_ringer, PG, STRACE | BROKER),
    "F7": Row("kill -9 all processes at once", kill_everything),
    "F8": Row("rolling restart behind HAProxy", rolling_restart, PG, HAPROXY, env=NOTICE, after=no_request_failed),
    "F9": Row("SIGSTOP worker for three leases, then SIGCONT", freeze_a_worker, after=stale_writes),
    "mix": Row("kills at random, by every way there is", kill_at_random),
}
