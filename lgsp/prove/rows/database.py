"""Rows of the database: killed, restarted, cut off, slow, frozen, out of connections, deadlocked."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

import asyncpg

from lgsp.prove import record
from lgsp.prove.oracle import percentile
from lgsp.prove.rows.row import CLUSTER, DATABASE_LINE, PG, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.scene import Scene

HALF_A_ROUND_TRIP_S = 0.25
SLOW_S, FROZEN_S = 4.0, 12.0
FEW_CONNECTIONS, FEW_S = 10, 6.0
REFUSED_WITHIN_S = 1.0
ANSWERED_WITHIN_S = 11.0
"""The hub's own limit for a statement, and a second: whoever waits for a database that is away hears by then."""
LOCKED_S, GATHER_S = 8.0, 0.05
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lgsp'"
LOCK_LOG, LOCK_MESSAGES = "LOCK TABLE log IN SHARE MODE", "SELECT 1 FROM message WHERE state = 'delivering' FOR UPDATE"


async def kill_the_database(scene: Scene) -> None:
    """F10: the postmaster dies by SIGKILL."""
    await _database_away(scene, signal.SIGKILL)


async def restart_the_database(scene: Scene) -> None:
    """F11: PostgreSQL is stopped at once, without a checkpoint, and started again."""
    scene.facts["connections_before"] = await _connections(scene)
    await _database_away(scene, signal.SIGQUIT)


async def _database_away(scene: Scene, number: signal.Signals) -> None:
    for _ in range(scene.kills):
        with scene.strike("database away"):
            await asyncio.to_thread(scene.cluster.end, number)
            await scene.calm(scene.dice.uniform(0.0, 2.0))
            await scene.cluster.start()
        await scene.calm(2)


async def no_connection_leaked(scene: Scene) -> None:
    """F11, F15: in the end the hub holds no more connections than before the fault."""
    before, now = scene.facts["connections_before"], await _connections(scene)
    scene.facts["connections_after"] = now
    scene.must(now <= before + len(scene.hub.nodes), f"connections leaked: {now}, {before} before the fault")


async def nobody_hangs(scene: Scene) -> None:
    """F15: whoever is refused hears it in time."""
    await no_connection_leaked(scene)
    await nobody_waits_in_vain(scene)


async def nobody_waits_in_vain(scene: Scene) -> None:
    """F14, F15: everybody gets an answer, whatever it is, within the hub's own limit for a statement."""
    longest = max((entry.longest_s for entry in scene.desk.book), default=0.0)
    scene.facts["longest_wait_s"] = round(longest, 2)
    scene.must(longest <= ANSWERED_WITHIN_S, f"somebody waited {longest:.1f} s for an answer")


async def _connections(scene: Scene) -> int:
    return int((await record.query(scene.database, CONNECTIONS))[0][0])


async def freeze_the_database(scene: Scene) -> None:
    """F14: each query takes half a second more, then the database answers nothing, then it goes on."""
    with scene.strike("database slow"):
        scene.database_line.set("slow", HALF_A_ROUND_TRIP_S)
        await scene.calm(SLOW_S)
    with scene.strike("database frozen"):
        scene.database_line.set("stall")
        await scene.calm(FROZEN_S)
        scene.database_line.set("pass")


async def refused_at_once(scene: Scene) -> None:
    """F14: whoever is refused for certain (429, 503) hears it within a second."""
    waits = sorted(wait for entry in scene.desk.book for wait in entry.refused_s)
    late = percentile(waits, 0.99)
    scene.facts["refusals"], scene.facts["refused_p99_s"] = len(waits), round(late, 2)
    scene.must(late <= REFUSED_WITHIN_S, f"a refusal took {late:.1f} s (99th percentile)")
    await nobody_waits_in_vain(scene)


async def cut_the_database(scene: Scene) -> None:
    """F1 on PostgreSQL: connections break at any byte, and answers to COMMIT are lost."""
    for _ in range(scene.kills * 2):
        with scene.strike("database cut"):
            scene.database_line.set(scene.dice.choice(("refuse", "mute")))
            await scene.calm(scene.dice.uniform(0.05, 0.5))
            scene.database_line.set("refuse")
            scene.database_line.set("pass")
        await scene.calm(scene.dice.uniform(0.2, 1.5))


async def too_few_connections(scene: Scene) -> None:
    """F15: PostgreSQL comes back with ten connections, fewer than the nodes want, and then with enough again."""
    scene.facts["connections_before"] = await _connections(scene)
    with scene.strike("too few connections"):
        await asyncio.to_thread(scene.cluster.end, signal.SIGINT)
        await scene.cluster.start({"max_connections": str(FEW_CONNECTIONS), "superuser_reserved_connections": "1"})
        await scene.calm(FEW_S)
        await asyncio.to_thread(scene.cluster.end, signal.SIGINT)
        await scene.cluster.start()


async def deadlocks(scene: Scene) -> None:
    """F16: a script locks log and messages in the other order than the hub, again and again; the hub is the victim of each deadlock."""
    before = (await record.query(scene.database, DEADLOCKS))[0][0]
    with scene.strike("deadlocks"):
        until = asyncio.get_running_loop().time() + LOCKED_S
        while asyncio.get_running_loop().time() < until:
            await _lock_in_reverse(scene.database)
            await scene.calm(scene.dice.uniform(0.0, 0.2))
    await scene.calm(1)  # PostgreSQL publishes its statistics with a delay
    scene.facts["deadlocks"] = (await record.query(scene.database, DEADLOCKS))[0][0] - before
    scene.must(scene.facts["deadlocks"] > 0, "no deadlock came about")


async def _lock_in_reverse(database: str) -> None:
    """One transaction; it waits for longer than the hub's sessions do, so that PostgreSQL ends one of theirs."""
    patience = {"deadlock_timeout": "60s", "lock_timeout": "5s"}
    connection = await asyncpg.connect(database, timeout=record.CONNECT_S, server_settings=patience)
    try:
        with contextlib.suppress(asyncpg.LockNotAvailableError):
            async with connection.transaction():
                await connection.execute(LOCK_LOG)
                await asyncio.sleep(GATHER_S)  # settlements gather: each holds its message and waits for the log
                await connection.execute(LOCK_MESSAGES)
    finally:
        await connection.close()


async def nothing_surfaced(scene: Scene) -> None:
    """F16: no caller heard of the deadlocks."""
    scene.must(len(scene.calls()) == len(scene.ledger()), "a deadlock led to a second call")
    scene.must(not any(entry.doubts for entry in scene.desk.book), "callers were told of deadlocks that the hub should have retried")


ROWS: Mapping[str, Row] = {
    "F10": Row("kill -9 postmaster", kill_the_database, PG, CLUSTER),
    "F11": Row("PostgreSQL restarted at once, again and again", restart_the_database, PG, CLUSTER, after=no_connection_leaked),
    "cuts": Row("database connections cut at any byte", cut_the_database, PG, DATABASE_LINE),
    "F14": Row("database slow, then frozen", freeze_the_database, PG, DATABASE_LINE, after=refused_at_once),
    "F15": Row("database out of connections", too_few_connections, PG, CLUSTER, after=nobody_hangs),
    "F16": Row("deadlocks with another session", deadlocks, PG, CLUSTER, after=nothing_surfaced),
}
