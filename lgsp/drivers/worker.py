"""The worker: claims messages that are due, by bell or by sweep, and has each delivered in a task of its own.

It claims never more than the provider's free slots, so that one slow provider holds back only itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lgsp.errors import Fault
from lgsp.exchange import deliver_due

if TYPE_CHECKING:
    from lgsp.model import Due, Provider
    from lgsp.ports import Ports

SWEEP_S = 1.0


class Worker:
    """Delivers until it is told to stop; what is under way is finished first."""

    def __init__(self, ports: Ports, lease_margin_s: float) -> None:
        self._ports = ports
        self._lease_margin_s = lease_margin_s
        self._rung: set[str] = set()
        self._woken = asyncio.Event()
        self._busy: dict[str, set[asyncio.Task[None]]] = {}
        self.stopping = False
        self._log = structlog.get_logger().bind(logger="lgsp.worker")

    def wake(self, provider: str) -> None:
        """The bell's ring: messages of this provider are due."""
        self._rung.add(provider)
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is under way has ended."""
        self.stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Until `stop`: what the bell announced at once, everything that is due each second."""
        while not self.stopping:
            try:
                async with asyncio.timeout(SWEEP_S):
                    await self._woken.wait()
            except TimeoutError:
                await self._sweep()
            self._woken.clear()
            rung, self._rung = self._rung, set()
            for code in rung:
                await self._claim(code)
        under_way = [task for tasks in self._busy.values() for task in tasks]
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _sweep(self) -> None:
        try:
            self._rung.update(await self._ports.outbox.due_providers(self._ports.now()))
        except Fault as fault:
            self._log.warning("sweep_failed", cause=fault.slug)

    async def _claim(self, code: str) -> None:
        provider = self._ports.catalogue.current().providers.get(code)
        if provider is None:
            return
        tasks = self._busy.setdefault(code, set())
        free = provider.in_flight - len(tasks)
        if free <= 0:
            return
        try:
            claimed = await self._ports.outbox.claim(code, free, self._ports.now(), self._lease_s(provider))
        except Fault as fault:
            self._log.warning("claim_failed", provider=code, cause=fault.slug)
            return
        for due in claimed:
            task = asyncio.create_task(self._deliver(due))
            tasks.add(task)
            task.add_done_callback(lambda done: self._ended(code, done))

    def _ended(self, code: str, task: asyncio.Task[None]) -> None:
        self._busy[code].discard(task)
        self.wake(code)

    def _lease_s(self, provider: Provider) -> float:
        """Longer than the longest sequence of calls: each has the total deadline, a login and a repetition among them."""
        operations = self._ports.catalogue.current().operations.values()
        calls = max((len(o.calls) for o in operations if o.provider.code == provider.code), default=1)
        return provider.timeouts.total_s * (2 * calls + 1) + self._lease_margin_s

    async def _deliver(self, due: Due) -> None:
        try:
            await deliver_due(due, self._ports)
        except Fault as fault:
            self._log.warning("settle_failed", message_id=due.stored.message_id, cause=fault.slug)
        except Exception:  # noqa: BLE001  # a poison message must not stop its neighbours; its lease ends and the attempt counts
            self._log.exception("attempt_broke", message_id=due.stored.message_id, attempt=due.attempt)
