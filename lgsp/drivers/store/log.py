"""The message log, the counts of refusals before identity, the shared counters of quotas."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lgsp.drivers.store import rows
from lgsp.drivers.store.plan import Work

if TYPE_CHECKING:
    from lgsp.drivers.store.core import Core
    from lgsp.model import Closed, KeyAnswer, KeyClaim, KeyHolder, Opened, Quota, SubsystemId

SOURCES_A_FLUSH = 10_000
"""Beyond so many different sources between two flushes the rest is counted as `other`: a flood cannot fill memory or table."""


class Log:
    """The ports MessageLog and QuotaLeases."""

    core: Core

    def __init__(self, core: Core) -> None:
        self.core = core
        self._refusals: Counter[tuple[str, int, str]] = Counter()

    async def opened(self, row: Opened, claim: KeyClaim | None = None) -> KeyHolder | None:
        """MessageLog."""
        if claim is None:
            await self.core.hot.write(rows.opened_row(row))
            return None
        taken = rows.take_key_row(claim, row.message_id, row.at, self.core.cipher)
        return await holder_of(self.core, await self.core.hot.write(Work(log=rows.opened_row(row), take_key=taken)))

    async def closed(self, row: Closed, answer: KeyAnswer | None = None) -> None:
        """MessageLog."""
        written = rows.closed_row(row)
        if answer is None:
            await self.core.hot.write(written)
        else:
            await self.core.hot.write(rows.answer_work(written, row.message_id, answer, self.core.cipher))

    def refused_unidentified(self, source: str, slug: str, at: float) -> None:
        """MessageLog."""
        known = len(self._refusals) < SOURCES_A_FLUSH
        self._refusals[source if known else "other", int(at // 60) * 60, slug] += 1

    async def flush_refusals(self) -> None:
        """Add what was counted to the table; what cannot be written is counted on."""
        counted, self._refusals = self._refusals, Counter()
        if not counted:
            return
        written = False
        try:
            await self.core.hot.write(Work(refusals=[(*key, count) for key, count in counted.items()]))
            written = True
        finally:
            if not written:
                self._refusals.update(counted)

    async def lease(self, consumer: SubsystemId, service: str, window: int, quota: Quota, wanted: int) -> int:
        """QuotaLeases."""
        row = (consumer, service, window, quota.q, min(wanted, quota.q))
        granted: int = await self.core.hot.write(Work(lease=row))
        return granted


async def holder_of(core: Core, row: Any) -> KeyHolder | None:
    """Who holds a key, from what the plan returned."""
    if row is None:
        return None
    plaintext = None if row[3] is None else await core.open(row[3], rows.answer_aad(rows.id_out(row[0])))
    return rows.key_holder(row, plaintext, core.now())
