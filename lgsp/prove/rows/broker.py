"""Rows of the broker: killed, restarted, blocked by its alarm, cut between ring and confirm, its queue deleted under the load."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from lgsp.prove.nodes import ProveError
from lgsp.prove.oracle import percentile, struck
from lgsp.prove.rows.row import BROKER_LINE, PG, RABBIT, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.scene import Scene

AWAY_S, BLOCKED_S = 4.0, 8.0
QUEUE = "lgsp.bell.prove"
ALARM_WITHIN_S = 15.0
MORE_THREADS = 4
SLOWER, FLOOR_S = 3.0, 1.0
"""While the broker is blocked acceptance may be so much slower; below the floor it is well on a machine of two cores."""


async def kill_the_broker(scene: Scene) -> None:
    """F22: the broker dies by SIGKILL and comes back."""
    for _ in range(max(1, scene.kills // 2)):
        with scene.strike("broker dead"):
            await asyncio.to_thread(scene.rabbit.end)
            await scene.calm(AWAY_S)
            await scene.rabbit.start()
        await scene.calm(2)
    await rings_again(scene)


async def restart_the_broker(scene: Scene) -> None:
    """F23: the broker is stopped and started as its operator would."""
    for _ in range(max(1, scene.kills // 2)):
        with scene.strike("broker restarted"):
            await scene.rabbit.control("stop_app")
            await scene.rabbit.control("start_app")
        await scene.calm(2)
    await rings_again(scene)


async def block_the_broker(scene: Scene) -> None:
    """F26: the broker's memory alarm blocks every publisher, then its disk alarm does."""
    alarms = (("set_vm_memory_high_watermark", "0.0001", "0.4"), ("set_disk_free_limit", "90000GB", "50MB"))
    threads = scene.most.get("threads", 0)
    for command, low, usual in alarms:
        with scene.strike("broker blocked"):
            await scene.rabbit.control(command, low)
            await scene.calm(BLOCKED_S)
            await scene.rabbit.control(command, usual)
        await scene.calm(1)
    scene.facts["blocked_told"] = await scene.metric("lgsp_bell_faults_total", cause="blocked")
    scene.must(scene.facts["blocked_told"] > 0, "nobody noticed that the broker blocked its publishers")
    scene.must(scene.most["threads"] <= threads + MORE_THREADS, f"threads piled up: {scene.most['threads']}, {threads} before")


async def accepted_as_before(scene: Scene) -> None:
    """F26: whoever calls the hub does not notice."""
    accepted = [entry for entry in scene.desk.book if entry.answered_at]
    during = percentile((e.answered_at - e.due_at for e in accepted if struck(e.due_at, scene.strikes)), 0.99)
    calm = percentile((e.answered_at - e.due_at for e in accepted if not struck(e.due_at, scene.strikes)), 0.99)
    scene.facts["accept_p99_s"], scene.facts["accept_p99_calm_s"] = round(during, 3), round(calm, 3)
    scene.must(during <= max(FLOOR_S, SLOWER * calm), f"acceptance took {during:.2f} s (99th percentile), {calm:.2f} s before")


async def cut_before_the_confirm(scene: Scene) -> None:
    """F27: the connection is reset after so many bytes of the broker's answers, one more byte each time; confirms are 21 bytes long."""
    for number in range(1, 2 * scene.kills + 1):
        with scene.strike("confirm lost"):
            scene.broker_line.cut_after(number * 5)
            scene.must(await _has_cut(scene), "nothing was cut")
        await scene.calm(0.5)
    with scene.strike("broker mute"):
        scene.broker_line.set("mute")
        await scene.calm(AWAY_S)
        scene.broker_line.set("refuse")
        scene.broker_line.set("pass")


async def _has_cut(scene: Scene) -> bool:
    for _ in range(50):
        if scene.broker_line.has_cut:
            return True
        await scene.calm(0.1)
    return False


async def delete_the_queue(scene: Scene) -> None:
    """F28: the queue is deleted under the load, then a wrong policy makes it drop what it holds."""
    clock = asyncio.get_running_loop().time
    slowest_s = 0.0
    for _ in range(max(1, scene.kills // 2)):
        with scene.strike("queue deleted"):
            before = await scene.metric("lgsp_bell_faults_total", cause="unroutable")
            began = clock()
            with contextlib.suppress(ProveError):
                await scene.rabbit.control("delete_queue", QUEUE)
            while await scene.metric("lgsp_bell_faults_total", cause="unroutable") <= before and clock() - began < ALARM_WITHIN_S:
                await scene.calm(0.2)
            slowest_s = max(slowest_s, clock() - began)
        await scene.calm(2)
    scene.facts["seconds_to_alarm"] = round(slowest_s, 1)
    scene.must(slowest_s < ALARM_WITHIN_S, "nobody noticed that rings could not be routed")
    with scene.strike("wrong policy"):
        await scene.rabbit.control("set_policy", "wrong", ".*", '{"max-length":1,"message-ttl":1}', "--apply-to", "queues")
        await scene.calm(3)
        await scene.rabbit.control("clear_policy", "wrong")


async def rings_again(scene: Scene) -> None:
    """Without any manual step the broker carries rings again: its queue has consumers."""
    for _ in range(100):
        listed = await scene.rabbit.control("-q", "list_queues", "name", "consumers")
        if any(line.split()[:1] == [QUEUE] and line.split()[-1] != "0" for line in listed.splitlines()):
            return
        await scene.calm(0.2)
    scene.complaints.append("nobody listens to the broker again")


ROWS: Mapping[str, Row] = {
    "F22": Row("kill -9 broker", kill_the_broker, PG, RABBIT, certain=True),
    "F23": Row("broker restarted by its operator", restart_the_broker, PG, RABBIT, certain=True),
    "F26": Row("broker's memory and disk alarms block publishers", block_the_broker, PG, RABBIT, certain=True, after=accepted_as_before),
    "F27": Row("connection to the broker cut between ring and confirm", cut_before_the_confirm, PG, BROKER_LINE, certain=True),
    "F28": Row("queue deleted under load, then a wrong policy", delete_the_queue, PG, RABBIT, certain=True),
}
