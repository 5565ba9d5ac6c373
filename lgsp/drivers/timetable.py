"""What happens by the clock: backlog, circuits and the loop's lateness are measured; lost exchanges, doubts and replays are worked off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lgsp.acts.correct import send_unsent
from lgsp.errors import Fault
from lgsp.exchange import deliver_due, reconcile_unknown
from lgsp.model.agreed import MAILBOX, SUBSCRIBERS
from lgsp.policy import loss
from lgsp.policy.publication import reached_all
from lgsp.stages.hand_over import confirmed, expired, partly
from lgsp.stages.notify import PAGE, notify

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lgsp.ports.engine import Ports
    from lgsp.ports.office import Inspection, Office, Runs
    from lgsp.telemetry import Telemetry

PERIOD_S = 1.0
LAG_PERIOD_S = 0.05
FORGET_S = 60.0
QUESTIONS = 8
"""Providers are asked about so many messages at one time."""
EXPIRED_AT_ONCE = 50
CLOSED_AT_ONCE = 200
"""Of each mailbox."""


async def watch_backlog(inspection: Inspection, telemetry: Telemetry, now: Callable[[], float]) -> None:
    """Publish depth and oldest age of each provider's outbox, for ever."""
    log = structlog.get_logger().bind(logger="lgsp.timetable")
    while True:
        try:
            for backlog in await inspection.backlog():
                age_s = 0.0 if backlog.oldest_at is None else max(0.0, now() - backlog.oldest_at)
                telemetry.backlog(backlog.provider, backlog.states, age_s)
        except Fault as fault:
            log.warning("backlog_unknown", cause=fault.slug)
        await asyncio.sleep(PERIOD_S)


async def watch_circuits(publish: Callable[[], None]) -> None:
    """Publish how freely each provider may be called, for ever: probes, holds and budgets move with the clock alone."""
    while True:
        publish()
        await asyncio.sleep(PERIOD_S)


async def watch_drains(ports: Ports) -> None:
    """Each second, see what providers are owed and how fast it goes, for ever."""

    async def measure() -> None:
        await ports.drains.measure(ports.now())
        for provider in ports.catalogue.current().providers:
            ports.telemetry.drain_rate.labels(provider).set(ports.drains.drain(provider).rate)

    await _each_second("drains_unknown", measure)


async def watch_loop(telemetry: Telemetry, tick: Callable[[], int], tell: Callable[[float, float], None]) -> None:
    """Measure how late a timer fires: whatever blocks the loop blocks every exchange; `tell` is told (delay, monotonic seconds).

    What ended meanwhile is counted on the way: a node that nobody scrapes must not gather it for ever.
    """
    while True:
        expected = tick() + int(LAG_PERIOD_S * 1e9)
        await asyncio.sleep(LAG_PERIOD_S)
        now = tick()
        delay_s = max(0, now - expected) / 1e9
        telemetry.loop_lag.observe(delay_s)
        tell(delay_s, now / 1e9)
        telemetry.settle()


async def sweep_lost(ports: Ports) -> None:
    """Each second, end the exchanges and attempts whose process died, for ever."""

    async def sweep() -> None:
        operations = ports.catalogue.current().operations.values()
        now = ports.now()
        lost = await ports.log.close_lost(now - loss.patience_s(operations), now)
        if lost:
            _log().warning("exchanges_lost", count=lost)

    await _each_second("sweep_failed", sweep)


async def reconcile(ports: Ports) -> None:
    """Each second, ask providers about messages whose outcome is unknown, a few at one time, for ever."""

    async def ask() -> None:
        lease_s = loss.patience_s(ports.catalogue.current().operations.values())
        claimed = await ports.outbox.claim_unknown(QUESTIONS, ports.now(), lease_s)
        outcomes = await asyncio.gather(*[reconcile_unknown(due, ports) for due in claimed], return_exceptions=True)
        for due, outcome in zip(claimed, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                _log().error("question_broke", message_id=due.stored.message_id, error=type(outcome).__name__)

    await _each_second("reconcile_failed", ask)


async def expire_mailboxes(ports: Ports) -> None:
    """Each second, end what nobody confirmed while it was kept, for ever; its sender's receipt says so."""

    async def expire() -> None:
        providers = ports.catalogue.current().providers.values()
        boxes = [provider.code for provider in providers if provider.kind == MAILBOX]
        for due in await ports.mailboxes.claim_overdue(boxes, EXPIRED_AT_ONCE, ports.now()):
            _log().warning("mailbox_expired", message_id=due.stored.message_id, provider=due.stored.provider)
            await deliver_due(due, expired(ports))

    await _each_second("expiry_failed", expire)


async def close_publications(ports: Ports) -> None:
    """Each second, let publications come to rest whose parts all have an end, for ever."""

    async def close() -> None:
        boards = [provider.code for provider in ports.catalogue.current().providers.values() if provider.kind == SUBSCRIBERS]
        for due in [due for code in boards for due in await ports.outbox.claim_finished(code, CLOSED_AT_ONCE, ports.now())]:
            parts = await ports.receipts.parts(due.stored.message_id)
            await deliver_due(due, confirmed(ports, None) if reached_all(parts) else partly(ports))

    await _each_second("publications_failed", close)


async def tell_callbacks(ports: Ports) -> None:
    """Each second, owe each registered address what it was not told of, for ever."""

    async def tell() -> None:
        callbacks, told = {callback.consumer: callback for callback in ports.directory.callbacks()}, [PAGE]
        while PAGE in told:
            behind = [(consumer, since) for consumer, since in await ports.notices.behind() if consumer in callbacks]
            told = [await notify(callbacks[consumer], since, ports) for consumer, since in behind]

    await _each_second("callbacks_failed", tell)


async def seal(seal_due: Callable[[], Awaitable[int]]) -> None:
    """Each second, make leaves of what happened, for ever."""

    async def work() -> None:
        await seal_due()

    await _each_second("sealing_failed", work)


async def send_heads(send_due: Callable[[], Awaitable[None]]) -> None:
    """Each second, send signed heads to recipients whose turn it is, for ever."""
    await _each_second("sending_heads_failed", send_due)


async def watch_sealing(look: Callable[[], Awaitable[None]], behind_s: Callable[[], float], telemetry: Telemetry) -> None:
    """Each second, see how far sealing is behind, for ever."""

    async def work() -> None:
        await look()
        telemetry.evidence_behind.set(behind_s())

    await _each_second("sealing_unknown", work)


async def work_replays(runs: Runs, ring: Callable[[str], None], now: Callable[[], float]) -> None:
    """Each second, send again what the rates of replay runs allow, for ever; `ring` is told each provider that is owed something."""

    async def work() -> None:
        for provider in await runs.work_runs(now()):
            ring(provider)

    await _each_second("replay_failed", work)


async def send_corrections(office: Office) -> None:
    """Each second, send the corrections whose approval broke off, for ever."""

    async def send() -> None:
        if await send_unsent(office):
            _log().warning("corrections_taken_up")

    await _each_second("corrections_failed", send)


async def sweep_files(sweep: Callable[[float], Awaitable[int]], now: Callable[[], float], keep_s: float) -> None:
    """Each second, erase files older than `keep_s` that no message needs, for ever."""

    async def work() -> None:
        swept = await sweep(now() - keep_s)
        if swept:
            _log().info("files_swept", count=swept)

    await _each_second("sweep_files_failed", work)


async def write_conformity(flush: Callable[[float], Awaitable[None]], now: Callable[[], float]) -> None:
    """Each second, write which answers kept their contract and which are in quarantine, for ever."""
    await _each_second("conformity_unwritten", lambda: flush(now()))


async def write_usage(flush: Callable[[float], Awaitable[None]], now: Callable[[], float]) -> None:
    """Every few seconds, write what consumers used, for ever."""
    await _each_second("usage_unwritten", lambda: flush(now()))


async def live_tables(wake: Callable[[Callable[[str], None]], Awaitable[None]], ring: Callable[[str], None]) -> None:
    """Each second, let rows of code tables hold that were approved, and messages go on that were held for them, for ever."""
    await _each_second("code_tables_failed", lambda: wake(ring))


async def forget_shown(ports: Ports) -> None:
    """Drop the nonces and signatures that are too old to be shown again, for ever."""

    async def work() -> None:
        await ports.proofs.forget_shown(ports.now())
        await asyncio.sleep(FORGET_S)

    await _each_second("forget_shown_failed", work)


async def _each_second(failed: str, work: Callable[[], Awaitable[None]]) -> None:
    """A database that is away is asked again a second later."""
    while True:
        try:
            await work()
        except Fault as fault:
            _log().warning(failed, cause=fault.slug)
        await asyncio.sleep(PERIOD_S)


def _log() -> structlog.stdlib.BoundLogger:
    found: structlog.stdlib.BoundLogger = structlog.get_logger().bind(logger="lgsp.timetable")
    return found
