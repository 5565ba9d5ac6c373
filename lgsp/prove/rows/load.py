"""Rows of load: more than the hub can do, clients that hold on to it, bodies without end, no files, threads or room left."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from lgsp.prove import watch
from lgsp.prove.flood import Flood, flooded
from lgsp.prove.oracle import Answer, percentile, recoveries, struck
from lgsp.prove.rows.disk import fill
from lgsp.prove.rows.row import MOUNT, PRLIMIT, SQ, STRACE, Row
from lgsp.prove.sender import NOT_NOW, entry_of, settle_rest
from lgsp.prove.slow import tried

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lgsp.prove.scene import Scene

FIRST = 1_000_000
"""The number of the first request of a flood, far from those of the sender."""
CALLERS, CONNECTIONS = 32, 600
PEAK_S, OVERLOAD_S, TIMES = 4.0, 10.0, 3.0
REFUSED_WITHIN_S, LOOKED_WITHIN_S, WELL_WITHIN_S = 1.0, 1.0, 30.0
LEAST_GOODPUT = 0.8
GOOD_SHARE = 0.99
SLOW_S, BIG_S, SHORT_S = 40.0, 8.0, 5.0
MORE_MB = 200.0
"""A hundred bodies of the body limit, twice."""
QUIET = {"rate": 10, "unkeyed_every": 0}


async def overload(scene: Scene) -> None:
    """F40: three times what the hub can do, open loop, while its doors for operators are looked at."""
    peak = _accepted(scene, await _flood(scene, 0.0, PEAK_S, FIRST)) / PEAK_S
    looks: list[float] = []
    looking = asyncio.create_task(_look(scene, looks))
    with scene.strike("overload"):
        told = await _flood(scene, TIMES * peak, OVERLOAD_S, 2 * FIRST)
    looking.cancel()
    goodput = _accepted(scene, told) / OVERLOAD_S / peak
    refused = [each["answered_at"] - each["sent_at"] for each in told if each["status"] in NOT_NOW]
    slowest, late = max(looks, default=0.0), percentile(refused, 0.99)
    scene.facts |= {"peak": round(peak), "offered": round(len(told) / OVERLOAD_S), "goodput_of_peak": round(goodput, 2)}
    scene.facts |= {"refused": len(refused), "refused_p99_s": round(late, 2), "slowest_look_s": round(slowest, 2)}
    scene.must(goodput >= LEAST_GOODPUT, f"goodput fell to {goodput:.2f} of the peak")
    scene.must(late <= REFUSED_WITHIN_S, f"a refusal took {late:.1f} s (99th percentile)")
    scene.must(slowest <= LOOKED_WITHIN_S, f"health or metrics took {slowest:.1f} s")
    await settle_rest(scene.desk, scene.load.patience_s)


async def _flood(scene: Scene, rate: float, seconds: float, first: int) -> list[dict[str, Any]]:
    connections = CONNECTIONS if rate else CALLERS
    return await flooded(Flood(list(scene.desk.gateways), scene.desk.headers, rate, seconds, first, connections))


def _accepted(scene: Scene, told: list[dict[str, Any]]) -> int:
    """Enter a flood in the sender's book; how many were accepted."""
    for each in told:
        entry = entry_of(each["number"], scene.load, each["due_at"])
        entry.matter, entry.sent_at, entry.status = f"V-{entry.number % 1000}", each["sent_at"], each["status"]
        if each["id"]:
            entry.answer, entry.message_id, entry.answered_at = Answer.ACCEPTED, each["id"], each["answered_at"]
        elif each["status"] in NOT_NOW:
            entry.answer, entry.bare = Answer.REFUSED, not each["has_retry_after"]
        scene.desk.book.append(entry)
    return sum(bool(each["id"]) for each in told)


async def _look(scene: Scene, looks: list[float]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        for path in ("/livez", "/readyz", "/metrics"):
            began = clock()
            await scene.look(path)
            looks.append(clock() - began)
        await asyncio.sleep(0.3)


async def soon_well(scene: Scene) -> None:
    """F40: within half a minute the usual load is served as before."""
    usual = [entry for entry in scene.desk.book if entry.number < FIRST]
    waits = recoveries(usual, scene.strikes)
    scene.facts["well_after_s"] = round(max(waits, default=0.0), 1)
    scene.must(max(waits, default=0.0) <= WELL_WITHIN_S, "not as before within half a minute")


async def hold_on(scene: Scene) -> None:
    """F41: two thousand connections that say nothing, or say or read it slowly, among those of good clients."""
    with scene.strike("slow clients"):
        found = await tried(scene.desk.gateways[0], SLOW_S, idle=500, head=500, body=500, read=500)
    scene.facts["slow"] = {kind: f"{each['ended']} of {each['clients']} ended" for kind, each in found.items()}
    for kind in ("head", "body"):
        scene.must(found[kind]["ended"] == found[kind]["clients"], f"slow to write ({kind}): {scene.facts['slow'][kind]} in {SLOW_S:g} s")


async def good_clients_served(scene: Scene) -> None:
    """F41: whoever behaves is served."""
    during = [entry for entry in scene.desk.book if struck(entry.due_at, scene.strikes)]
    good = sum(entry.answer is Answer.ACCEPTED and entry.tries == 1 for entry in during) / max(1, len(during))
    scene.facts["good_share"] = round(good, 3)
    scene.must(good >= GOOD_SHARE, f"only {good:.1%} of the good clients were served at once")


async def too_much(scene: Scene) -> None:
    """F42: a hundred bodies of 50 MiB at once, then of 1 GiB and without end."""
    node = scene.hub.of("gateway")[0]
    before = watch.rss_mb(node)
    scene.most["rss_mb"] = 0.0
    with scene.strike("large bodies"):
        told = [await tried(scene.desk.gateways[0], BIG_S, large=100), await tried(scene.desk.gateways[0], BIG_S, huge=50, endless=50)]
    statuses = {kind: each["statuses"] for found in told for kind, each in found.items()}
    more = scene.most["rss_mb"] - before
    scene.facts["body_statuses"], scene.facts["more_mb"] = statuses, round(more)
    scene.must(more <= MORE_MB, f"memory grew by {more:.0f} MB")
    taken = [status for each in statuses.values() for status in each if status not in {"413", "503", "0"}]
    scene.must(not taken, f"large bodies were answered with {taken}")


async def starve(scene: Scene) -> None:
    """F43: no file left to open, then no thread to start, then no room for temporary files; each for some seconds."""
    node = scene.hub.of("gateway")[0]
    with scene.strike("no files"):
        _limit_files(node.pid, watch.files(node) + 2)
        await tried(scene.desk.gateways[0], SHORT_S, idle=50)
        _limit_files(node.pid, 1024)
    await scene.calm(2)
    with scene.strike("no threads"):
        scene.must(not await scene.traced(node, "clone,clone3", "error=EAGAIN", SHORT_S), "the node died of it")
    await scene.calm(2)
    with scene.strike("no room"):
        filler = scene.volume / "filler"
        await asyncio.to_thread(fill, filler)
        await scene.calm(SHORT_S)
        filler.unlink()
    await scene.calm(2)
    scene.must(node.alive and node.starts == 1, "the node did not live through it")
    scene.must(await scene.ready(), "the hub is not ready again")


def _limit_files(pid: int, files: int) -> None:
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={files}:"], check=True)  # noqa: S607  # util-linux


ROWS: Mapping[str, Row] = {
    "F40": Row("three times the capacity", overload, SQ, load=QUIET, after=soon_well),
    "F41": Row("two thousand slow clients", hold_on, load=QUIET, after=good_clients_served),
    "F42": Row("bodies of 50 MiB, of 1 GiB, without end", too_much, SQ, load=QUIET),
    "F43": Row("no files, no threads, no room left", starve, SQ, PRLIMIT | STRACE | MOUNT, load=QUIET),
}
