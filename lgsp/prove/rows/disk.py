"""Rows of the disk: full, broken, locked; the log's volume full while the rest has room."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from lgsp.prove import record
from lgsp.prove.rows.crash import FSYNC
from lgsp.prove.rows.row import CLUSTER, MOUNT, PG, SQ, STRACE, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lgsp.prove.scene import Scene

FULL_S, LOCKED_S = 12.0, 30.0
HOLD_THE_LOCK = (
    "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1],timeout=30); c.execute('BEGIN IMMEDIATE'); time.sleep(float(sys.argv[2]))"
)


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
    """F21: another process holds SQLite's write lock for half a minute, far longer than the hub waits for it."""
    file = scene.database.removeprefix("sqlite:///")
    with scene.strike("database locked"):
        holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD_THE_LOCK, file, str(LOCKED_S))
        await holder.wait()


async def fill_the_log(scene: Scene) -> None:
    """F18: the table of the log lies on a volume of its own, with what the nodes print; it fills up, and later has room again."""
    place = scene.cluster.folder_on(scene.volume / "log")
    await record.execute(scene.database, f"CREATE TABLESPACE small LOCATION '{place}'")
    await record.execute(scene.database, "ALTER TABLE log SET TABLESPACE small")
    await scene.calm(1)
    with scene.strike("log volume full"):
        filler = scene.volume / "filler"
        await asyncio.to_thread(fill, filler)
        await scene.calm(1)  # what was allocated is used up
        before = len(scene.ledger())
        await scene.calm(FULL_S)
        scene.facts["effects_while_full"] = len(scene.ledger()) - before
        scene.facts["ready_while_full"] = await scene.ready()
        filler.unlink()
    scene.must(not scene.facts["effects_while_full"], "a provider was asked though that could not be logged")
    scene.must(not scene.facts["ready_while_full"], "a hub that cannot write its log calls itself ready")


def fill(path: Path) -> None:
    """Until there is no room."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


ROWS: Mapping[str, Row] = {
    "F17": Row("disk full", fill_the_disk, SQ, STRACE),
    "F18": Row("the log's volume full, the database's not", fill_the_log, PG, CLUSTER | MOUNT),
    "F19": Row("fsync fails with EIO", break_the_disk, SQ, STRACE),
    "F21": Row("SQLite locked by another process for 30 s", lock_the_database, SQ),
}
