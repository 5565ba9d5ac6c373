"""The fault rows: what each does to a scene while the load runs. Numbers are those of the project's fault matrix."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.prove.nodes import LEASE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lgsp.prove.nodes import Node
    from lgsp.prove.scene import Scene

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = frozenset({SQLITE, POSTGRESQL})
FSYNC = "fdatasync,fsync"
SENDING = "write,writev,sendto,sendmsg"
GRACE_S = 35.0
MISCHIEF = ("ok", "ok", "ok", "lost", "cut", "failed", "busy", "short", "garbled")


@dataclass(frozen=True, slots=True)
class Row:
    """A fault: what it does, on which databases, what it needs (strace, a cluster of its own, a line to cut), how it is loaded.

    `certain`: no failure of this row leaves in doubt whether the provider acted, so nothing may end as `unknown`.
    """

    title: str
    strike: Callable[[Scene], Awaitable[None]]
    databases: frozenset[str] = BOTH
    needs: frozenset[str] = frozenset()
    load: Mapping[str, int] = field(default_factory=dict)
    certain: bool = False


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
        if way == "fsync" and scene.facts.get("strace") and scene.on_sqlite:
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
    """F8: each node is asked to end and started again, one after the other."""
    for node in scene.hub.nodes:
        with scene.strike(f"restart of {node.name}"):
            took_s = await node.stop(GRACE_S)
            node.start()
        if took_s >= GRACE_S:
            scene.complaints.append(f"{node.name} did not end within {GRACE_S:g} s of SIGTERM")
        await node.listening()
        await scene.calm(1)


async def freeze_a_worker(scene: Scene) -> None:
    """F9: a worker sleeps for longer than its lease and wakes up as a zombie."""
    node = scene.hub.of("worker")[0]
    with scene.strike(f"freeze of {node.name}"):
        node.signal(signal.SIGSTOP)
        await scene.calm(LEASE_S * 2)
        node.signal(signal.SIGCONT)


async def kill_the_database(scene: Scene) -> None:
    """F10: the postmaster dies by SIGKILL."""
    await _database_away(scene, signal.SIGKILL)


async def restart_the_database(scene: Scene) -> None:
    """F11: PostgreSQL is stopped at once, without a checkpoint, and started again."""
    await _database_away(scene, signal.SIGQUIT)


async def _database_away(scene: Scene, number: signal.Signals) -> None:
    assert scene.cluster is not None  # noqa: S101  # the row says that it needs one
    for _ in range(scene.kills):
        with scene.strike("database away"):
            await asyncio.to_thread(scene.cluster.end, number)
            await scene.calm(scene.dice.uniform(0.0, 2.0))
            await scene.cluster.start()
        await scene.calm(2)


async def freeze_the_database(scene: Scene) -> None:
    """F14: the database answers nothing for a while, then goes on."""
    assert scene.database_line is not None  # noqa: S101  # as above
    with scene.strike("database slow"):
        scene.database_line.set("slow", 0.1)
        await scene.calm(4)
    with scene.strike("database frozen"):
        scene.database_line.set("stall")
        await scene.calm(12)
        scene.database_line.set("pass")


async def cut_the_database(scene: Scene) -> None:
    """F1 on PostgreSQL: connections break at any byte, and answers to COMMIT are lost."""
    assert scene.database_line is not None  # noqa: S101  # as above
    for _ in range(scene.kills * 2):
        with scene.strike("database cut"):
            scene.database_line.set(scene.dice.choice(("refuse", "mute")))
            await scene.calm(scene.dice.uniform(0.05, 0.5))
            scene.database_line.set("refuse")
            scene.database_line.set("pass")
        await scene.calm(scene.dice.uniform(0.2, 1.5))


async def fill_the_disk(scene: Scene) -> None:
    """F17: no space left for a while."""
    await _broken_disk(scene, "pwrite64", "error=ENOSPC:when=3+")


async def break_the_disk(scene: Scene) -> None:
    """F19: fsync fails."""
    await _broken_disk(scene, FSYNC, "error=EIO:when=2+3")


async def _broken_disk(scene: Scene, calls: str, inject: str) -> None:
    for _ in range(max(1, scene.kills // 2)):
        with scene.strike("disk broken"):
            if await scene.traced(scene.hub.nodes[0], calls, inject, 4):
                scene.complaints.append("the node died of it")
        await scene.calm(2)
    await scene.kill(scene.hub.nodes[0])


async def lock_the_database(scene: Scene) -> None:
    """F21: another process holds SQLite's write lock for longer than the hub waits for it."""
    program = "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1],timeout=30); c.execute('BEGIN IMMEDIATE'); time.sleep(8)"
    with scene.strike("database locked"):
        holder = await asyncio.create_subprocess_exec(sys.executable, "-c", program, scene.database.removeprefix("sqlite:///"))
        await holder.wait()


async def lose_the_broker(scene: Scene) -> None:
    """F22, F27: the broker is cut off, again and again; confirms are lost."""
    await _broker(scene, ("refuse", "mute"))


async def stall_the_broker(scene: Scene) -> None:
    """F26: the broker takes nothing and says nothing."""
    await _broker(scene, ("stall",))


async def _broker(scene: Scene, modes: tuple[str, ...]) -> None:
    assert scene.broker_line is not None  # noqa: S101  # the row says that it needs one
    for _ in range(max(1, scene.kills // 2)):
        for mode in modes:
            with scene.strike(f"broker {mode}"):
                scene.broker_line.set(mode)
                await scene.calm(3)
                scene.broker_line.set("refuse")
                scene.broker_line.set("pass")
            await scene.calm(1)


async def provider_down(scene: Scene) -> None:
    """F30: nobody listens at the provider's address; then it is back."""
    with scene.strike("provider down"):
        scene.provider.kill()
        await scene.calm(5)
        scene.provider.start()
        await scene.provider.listening()


def misbehaving(*modes: str, share: float = 1.0, wait_s: float = 3.0) -> Callable[[Scene], Awaitable[None]]:
    """The provider goes through these modes, three seconds each."""

    async def strike(scene: Scene) -> None:
        for mode in modes:
            with scene.strike(f"provider {mode}"):
                await scene.misbehave(mode, share, wait_s)
                await scene.calm(3)
                await scene.misbehave()

    return strike


async def nothing(scene: Scene) -> None:
    """The load itself is the fault."""
    await scene.calm(0)


STRACE, CLUSTER, DATABASE_LINE, BROKER_LINE = (frozenset({need}) for need in ("strace", "cluster", "database_line", "broker_line"))
SQ, PG = frozenset({SQLITE}), frozenset({POSTGRESQL})

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "F1": Row("kill -9 at the N-th fsync", kill_at_each_fsync, SQ, STRACE),
        "F2": Row("kill -9 at the N-th write of gateway and worker", kill_at_each_write, BOTH, STRACE),
        "F3": Row("kill -9 worker before the effect", kill_before_the_effect),
        "F4": Row("kill -9 worker after the effect, before the answer", kill_after_the_effect),
        "F7": Row("kill -9 all processes at once", kill_everything),
        "F8": Row("SIGTERM under load, node by node", rolling_restart),
        "F9": Row("SIGSTOP worker for two leases, then SIGCONT", freeze_a_worker),
        "F10": Row("kill -9 postmaster", kill_the_database, PG, CLUSTER),
        "F11": Row("PostgreSQL restarted at once, again and again", restart_the_database, PG, CLUSTER),
        "cuts": Row("database connections cut at any byte", cut_the_database, PG, DATABASE_LINE),
        "F14": Row("database slow, then frozen", freeze_the_database, PG, DATABASE_LINE),
        "F17": Row("disk full", fill_the_disk, SQ, STRACE),
        "F19": Row("fsync fails with EIO", break_the_disk, SQ, STRACE),
        "F21": Row("SQLite locked by another process", lock_the_database, SQ),
        "F22": Row("broker cut off, confirms lost", lose_the_broker, PG, BROKER_LINE),
        "F26": Row("broker stalls", stall_the_broker, PG, BROKER_LINE),
        "F30": Row("provider down", provider_down, certain=True),
        "F31": Row("provider accepts and never answers", misbehaving("hang")),
        "F32": Row("provider drips its answer", misbehaving("drip", wait_s=0.3)),
        "F33": Row("provider cuts, ends within the body, answers garbage or late", misbehaving("cut", "lost", "short", "garbled", "late")),
        "F34": Row("provider fails 30 % and is busy 30 %", misbehaving("failed", "busy", share=0.3)),
        "F38": Row("each request sent by five at once under one key", nothing, load=MappingProxyType({"twins": 5})),
        "mix": Row("kills at random, by every way there is", kill_at_random),
    }
)
