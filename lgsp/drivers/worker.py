"""The worker: claims messages that are due, by bell or by sweep, and has each delivered in a task of its own.

It claims never more than the provider's free slots, so that one slow provider holds back only itself; and nothing for a provider that is
held or whose circuit is open, except the probes, so that no attempt is burnt while it is away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lgsp.errors import Fault
from lgsp.exchange import deliver_due
from lgsp.model.agreed import CHANNELS, MAILBOX, SUBSCRIBERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lgsp.model.agreed import Provider
    from lgsp.model.happening import Due
    from lgsp.ports.engine import Circuits, Passage, Patience, Ports

SWEEP_S = 1.0
SHORTEST_WAIT_S = 0.05
CHANNEL = ":"
"""In the codes of channels, and of nothing else."""
STRANGER_S = 5.0
"""Longer than the directory of any node is behind."""
BURIED = 50


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: what a lease lasts beyond the deadlines of its calls; how long what is under way may still take when told to stop.

    withdrawn_s: how long the messages of an adapter that this process does not know wait; longer than an upgrade of all nodes takes.
    """

    lease_margin_s: float
    drain_s: float = 30.0
    withdrawn_s: float = 600.0


class Worker:
    """Delivers until it is told to stop; what is under way is finished first, or handed back where that takes too long."""

    def __init__(self, ports: Ports, circuits: Circuits, patience: Patience, times: Times) -> None:
        self._ports = ports
        self._circuits = circuits
        self._patience = patience
        self._times = times
        self._rung: set[str] = set()
        self._woken = asyncio.Event()
        self._busy: dict[str, set[asyncio.Task[None]]] = {}
        self._held: dict[asyncio.Task[None], Due] = {}
        self._sweep_at = 0.0
        self._strangers: dict[str, float] = {}
        self.stopping = False
        self.behind = False
        self.alive = True
        self._log = structlog.get_logger().bind(logger="lgsp.worker")

    def wake(self, provider: str) -> None:
        """The bell's ring: messages of this provider are due; or of some channel, and then the sweep finds out which."""
        if provider == CHANNELS:
            self._sweep_at = 0.0
        self._rung.add(provider)
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is under way has ended or was handed back."""
        self.stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until `stop`; a bug in between ends it for good, and `alive` tells."""
        try:
            await self._work()
        finally:
            self.alive = self.stopping
        if self._held:
            await asyncio.wait(self._held, timeout=self._times.drain_s)
        await self._hand_back(dict(self._held))

    async def _work(self) -> None:
        """What the bell announced at once, everything that is due each second, a circuit when its probe is due."""
        while not self.stopping:
            await self._wait()
            self._woken.clear()
            rung, self._rung = self._rung, set()
            for code in rung:
                await self._claim(code)

    async def _hand_back(self, held: Mapping[asyncio.Task[None], Due]) -> None:
        """Break off what takes too long and end its lease now: another node goes on as after a crash, but at once."""
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        for due in held.values():
            try:
                await self._patience.hand_back(due, self._ports.now())
            except Fault as fault:
                self._log.warning("hand_back_failed", message_id=due.stored.message_id, cause=fault.slug)

    async def _wait(self) -> None:
        loop, now = asyncio.get_running_loop(), self._ports.now()
        probes = self._circuits.probes()
        until_probe_s = max(SHORTEST_WAIT_S, min(probes.values(), default=now + SWEEP_S) - now)
        try:
            async with asyncio.timeout(max(0.0, min(self._sweep_at - loop.time(), until_probe_s))):
                await self._woken.wait()
        except TimeoutError:
            self._rung.update(code for code, at in probes.items() if at <= self._ports.now())
        if loop.time() >= self._sweep_at:
            self._sweep_at = loop.time() + SWEEP_S
            await self._sweep()

    async def _sweep(self) -> None:
        try:
            self._rung.update(await self._ports.outbox.due_providers(self._ports.now()))
        except Fault as fault:
            self._log.warning("sweep_failed", cause=fault.slug)

    async def _claim(self, code: str) -> None:
        if self.behind:  # what is claimed now would be translated by a mapping of yesterday
            return
        provider = self._ports.catalogue.current().providers.get(code)
        if provider is None:
            await self._bury(code)
            return
        self._strangers.pop(code, None)
        if provider.kind in {MAILBOX, SUBSCRIBERS}:
            return
        tasks = self._busy.setdefault(code, set())
        passage = self._circuits.passage(provider, -(-len(tasks) // provider.gathers))
        free = passage.places * provider.gathers if passage.flows else passage.places
        places = min(provider.in_flight * provider.gathers - len(tasks), free)
        if places <= 0:
            return
        try:
            claimed = await self._granted(await self._claimed(provider, passage, places))
        except Fault as fault:
            self._log.warning("claim_failed", provider=code, cause=fault.slug)
            return
        for due in claimed:
            task = asyncio.create_task(self._deliver(due))
            tasks.add(task)
            self._held[task] = due
            task.add_done_callback(lambda done: self._ended(code, done))

    async def _bury(self, code: str) -> None:
        """What is owed to a channel or an adapter that is gone comes to rest; one that this process may not have heard of is waited for."""
        loop = asyncio.get_running_loop()
        patience_s = STRANGER_S if CHANNEL in code else self._times.withdrawn_s
        if loop.time() < self._strangers.setdefault(code, loop.time()) + patience_s:
            return
        try:
            claimed = await self._ports.outbox.claim(code, BURIED, self._ports.now(), STRANGER_S + self._times.lease_margin_s)
            for due in claimed:
                await self._deliver(due)
        except Fault as fault:
            self._log.warning("claim_failed", provider=code, cause=fault.slug)
            return
        if len(claimed) == BURIED:
            self.wake(code)

    async def _claimed(self, provider: Provider, passage: Passage, places: int) -> Sequence[Due]:
        now = self._ports.now()
        if passage.hastens:
            await self._patience.hasten(provider.code, now)
            self._circuits.hastened(provider)
        began = self._ports.tick()
        claimed = await self._ports.outbox.claim(provider.code, places, now, self._lease_s(provider))
        self._ports.telemetry.claims.observe((self._ports.tick() - began) / 1e9)
        return claimed

    async def _granted(self, claimed: Sequence[Due]) -> Sequence[Due]:
        """Those that may go now; the retries that the provider's budget does not cover go back untried."""
        granted, waits = [], []
        for due in claimed:
            until = self._circuits.postpones(due)
            if until is None:
                granted.append(due)
            else:
                waits.append((due, until))
        if waits:
            self.wake(waits[0][0].stored.provider)  # their places are free for other messages
            try:
                await self._patience.postpone(waits)
            except Fault as fault:
                self._log.warning("postpone_failed", provider=waits[0][0].stored.provider, messages=len(waits), cause=fault.slug)
        return granted

    def _ended(self, code: str, task: asyncio.Task[None]) -> None:
        self._busy[code].discard(task)
        self._held.pop(task, None)
        self.wake(code)

    def _lease_s(self, provider: Provider) -> float:
        """Longer than the longest sequence of calls: each has the total deadline, a login and a repetition among them."""
        operations = self._ports.catalogue.current().operations.values()
        calls = max((len(o.calls) for o in operations if o.provider.code == provider.code), default=1)
        return provider.timeouts.total_s * (2 * calls + 1) + self._times.lease_margin_s

    async def _deliver(self, due: Due) -> None:
        try:
            await deliver_due(due, self._ports)
        except Fault as fault:
            self._log.warning("settle_failed", message_id=due.stored.message_id, cause=fault.slug)
        except Exception:  # noqa: BLE001  # a poison message must not stop its neighbours; its lease ends and the attempt counts
            self._log.exception("attempt_broke", message_id=due.stored.message_id, attempt=due.attempt)
