"""The message log, the counts of refusals before identity, the shared counters of quotas."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text, update

from lgsp.drivers.store import rows, tables
from lgsp.drivers.store.core import ADMISSION_S, SWEPT
from lgsp.drivers.store.plan import Work
from lgsp.policy import loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from lgsp.drivers.store.core import Core
    from lgsp.model.agreed import Quota
    from lgsp.model.happening import Closed, KeyAnswer, KeyClaim, KeyHolder, Opened, Receipt
    from lgsp.model.parties import SubsystemId

SOURCES_A_FLUSH = 10_000
"""Beyond so many different sources between two flushes the rest is counted as `other`: a flood cannot fill memory or table."""

SCAN_ROWS = 20_000
"""How much of the log one sweep looks at; at a sweep each second that is the rate at which it catches up."""


class Log:
    """The ports MessageLog and QuotaLeases."""

    core: Core

    def __init__(self, core: Core) -> None:
        self.core = core
        self._refusals: Counter[tuple[str, int, str]] = Counter()

    async def opened(self, row: Opened, claim: KeyClaim | None = None) -> KeyHolder | None:
        """MessageLog."""
        patience_s = math.inf if row.attempt else ADMISSION_S
        if claim is None:
            await self.core.hot.write(rows.opened_row(row), patience_s)
            return None
        taken = rows.take_key_row(claim, row.message_id, row.at, self.core.cipher)
        return await holder_of(self.core, await self.core.hot.write(Work(log=rows.opened_row(row), take_key=taken), patience_s))

    async def closed(self, row: Closed, answer: KeyAnswer | None = None) -> None:
        """MessageLog."""
        written = rows.closed_row(row)
        if answer is None:
            await self.core.hot.write(written)
        else:
            await self.core.hot.write(rows.answer_work(written, row.message_id, answer, self.core.cipher))

    async def close_lost(self, before: float, at: float) -> int:
        """MessageLog; the log is read once, in the order of its numbers, up to a mark that every node sees."""
        async with self.core.transaction() as connection:
            mark = await connection.scalar(select(tables.epoch.c.value).where(tables.epoch.c.name == SWEPT)) or 0
            until = await connection.scalar(_PASSED, {"mark": mark, "rows": SCAN_ROWS, "before": before})
            if until is None:
                return 0
            lost = [rows.opened_of(row) for row in await connection.execute(_LOST, {"mark": mark, "until": until})]
        return await self._close(lost, mark, until, at)

    async def _close(self, lost: Sequence[Opened], mark: int, until: int, at: float) -> int:
        """Of nodes that sweep at once the one that moves the mark writes."""
        epoch, keys = tables.epoch.c, tables.idempotency.c
        async with self.core.transaction() as connection:
            moved = update(tables.epoch).where(epoch.name == SWEPT, epoch.value == mark).values(value=until)
            if (await connection.execute(moved)).rowcount == 0:
                return 0
            for opened in lost:
                closed = rows.closed_row(loss.end_of(opened, at))
                await connection.execute(insert(tables.log).values(rows.named(closed)))
                if not opened.attempt:
                    held = (keys.message_id == opened.message_id, text(tables.OPEN_KEY))
                    await connection.execute(update(tables.idempotency).where(*held).values(state=rows.UNKNOWN))
        return len(lost)

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
        granted: int = await self.core.hot.write(Work(lease=row), ADMISSION_S)
        return granted


_NEXT = "id > :mark AND id <= (SELECT min(id) FROM log WHERE id > :mark) + :rows"
_PASSED = text(
    f"SELECT max(id) FROM log WHERE {_NEXT} AND id < coalesce("  # noqa: S608 -- constants
    f"(SELECT id FROM log WHERE {_NEXT} AND at >= :before ORDER BY id LIMIT 1), 9223372036854775807)"
)
"""The last row before the first young one: what is young is not looked at, however much it is."""
_LOST = text(
    "SELECT message_id, attempt, at, consumer, provider, service, operation, trace_id FROM log o WHERE id > :mark AND id <= :until "
    "AND event = 'opened' AND NOT EXISTS (SELECT 1 FROM log c WHERE c.message_id = o.message_id AND c.event = 'closed' "
    "AND c.attempt = o.attempt AND c.id > o.id AND NOT EXISTS (SELECT 1 FROM log n WHERE n.message_id = o.message_id "
    "AND n.event = 'opened' AND n.id > o.id AND n.id < c.id))"
)


async def ended_exchange(connection: AsyncConnection, message_id: str, consumer: SubsystemId) -> Receipt | None:
    """What the log tells of a request-reply of this consumer that reached its provider."""
    table = tables.log
    query = select(table).where(table.c.message_id == message_id, table.c.consumer == consumer, table.c.attempt == 0)
    found = (await connection.execute(query.order_by(table.c.id))).all()
    opened = [row for row in found if row.event == "opened"]
    return rows.exchange_receipt(opened[0], [row for row in found if row.event == "closed"]) if opened else None


async def holder_of(core: Core, row: Any) -> KeyHolder | None:
    """Who holds a key, from what the plan returned."""
    if row is None:
        return None
    plaintext = None if row[3] is None else await core.open(row[3], rows.answer_aad(rows.id_out(row[0])))
    return rows.key_holder(row, plaintext, core.now())
