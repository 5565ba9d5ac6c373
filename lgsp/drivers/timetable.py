"""What happens by the clock: each second the backlog is measured, and how late the event loop runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from lgsp.ports import Inspection
    from lgsp.telemetry import Telemetry

PERIOD_S = 1.0
LAG_PERIOD_S = 0.05


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


async def watch_loop(telemetry: Telemetry, tick: Callable[[], int]) -> None:
    """Measure how late a timer fires: whatever blocks the loop blocks every exchange."""
    while True:
        expected = tick() + int(LAG_PERIOD_S * 1e9)
        await asyncio.sleep(LAG_PERIOD_S)
        telemetry.loop_lag.observe(max(0, tick() - expected) / 1e9)
