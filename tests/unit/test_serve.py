"""What `lgsp serve` waits for: a signal, its doors, and what works beside them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from lgsp.cli.serve import until_stopped
from lgsp.codec import json
from lgsp.drivers.memory import MemoryCatalogue
from lgsp.drivers.worker import Times, Worker
from lgsp.model.agreed import Pattern
from lgsp.model.catalogue import Catalogue
from lgsp.model.happening import State
from tests.unit.small_hub import DESK, OPERATION, SmallHub


async def for_ever() -> None:
    await asyncio.Event().wait()


async def done() -> None:
    """As the bell, once it listens."""


async def broken() -> None:
    raise TypeError("a bug")


async def waited(stop: asyncio.Event, door: Any, *beside: Any) -> bool:
    tasks = [asyncio.create_task(each()) for each in (door, *beside)]
    try:
        async with asyncio.timeout(5):
            return await until_stopped(stop, tasks[:1], tasks[1:])
    finally:
        for task in tasks:
            task.cancel()


async def test_a_part_that_breaks_stops_the_hub_and_is_no_sound_end() -> None:
    assert await waited(asyncio.Event(), for_ever, for_ever, done, broken) is False


async def test_a_part_that_is_done_early_stops_nothing() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)

    is_sound = await waited(stop, for_ever, done, for_ever)

    assert (is_sound, stop.is_set()) == (True, True)


async def test_a_door_that_ends_is_an_end() -> None:
    assert await waited(asyncio.Event(), done, for_ever) is True


class NoProbes:
    """Circuits that nobody probes."""

    def probes(self) -> dict[str, float]:
        return {}


class Buggy:
    """An outbox with a bug that is no Fault."""

    async def due_providers(self, now: float) -> list[str]:
        raise TypeError(now)


async def test_a_worker_that_broke_is_not_alive() -> None:
    hub = await SmallHub().open()
    circuits: Any = NoProbes()
    outbox: Any = Buggy()
    worker = Worker(replace(hub.ports, outbox=outbox), circuits, hub.store, Times(10.0))
    before = worker.alive

    with pytest.raises(TypeError):
        await worker.run()

    assert (before, worker.alive) == (True, False)


async def test_what_is_owed_to_an_adapter_that_was_removed_comes_to_rest_when_it_stays_away() -> None:
    hub = await SmallHub(replace(OPERATION, pattern=Pattern.ONE_WAY)).open()
    accepted = json.decode((await hub.carry()).body)["id"]
    circuits: Any = NoProbes()
    nothing = replace(hub.ports, catalogue=MemoryCatalogue(Catalogue([], [], "none")))
    worker = Worker(nothing, circuits, hub.store, Times(10.0, withdrawn_s=0.2))
    asyncio.get_running_loop().call_later(0.1, worker.wake, "land")
    asyncio.get_running_loop().call_later(0.3, worker.wake, "land")
    asyncio.get_running_loop().call_later(0.4, worker.stop)

    await worker.run()

    kept = await hub.store.receipt(accepted, DESK)
    assert (kept.state, kept.cause) == (State.DEAD, "operation-withdrawn")


async def test_a_worker_that_was_told_to_stop_did_not_break() -> None:
    hub = await SmallHub().open()
    circuits: Any = NoProbes()
    worker = Worker(hub.ports, circuits, hub.store, Times(10.0))
    asyncio.get_running_loop().call_later(0.05, worker.stop)

    await worker.run()

    assert worker.alive


def test_a_hub_on_sqlite_without_a_broker_holds_no_driver_of_either() -> None:
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import sys, lgsp.cli, lgsp.bootstrap; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()

    assert {"asyncpg", "kombu", "lgsp.bench", "lgsp.prove"}.isdisjoint(loaded)
