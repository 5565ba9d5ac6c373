"""The outbox: messages owed to providers, and their payloads."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select, text

from lgsp.drivers.store import claimed, rows, tables
from lgsp.drivers.store.claims import COLUMNS
from lgsp.drivers.store.core import ADMISSION_S, Unreadable
from lgsp.drivers.store.log import holder_of
from lgsp.drivers.store.plan import Work
from lgsp.errors import Fault
from lgsp.model.happening import State
from lgsp.policy import loss
from lgsp.policy.lifecycle import COMES_AGAIN, RESOLUTIONS, SETTLEMENTS
from lgsp.policy.turns import served_last

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from lgsp.drivers.store.core import Core
    from lgsp.model.happening import Closed, Due, KeyClaim, KeyHolder, Reply, Settlement, Stored

_DUE_PROVIDERS = text(
    f"WITH RECURSIVE owed(provider) AS (SELECT min(provider) FROM message WHERE {tables.DUE} AND due_at <= :now "  # noqa: S608 -- constants
    f"UNION ALL SELECT (SELECT min(m.provider) FROM message m WHERE m.{tables.DUE} AND m.due_at <= :now AND m.provider > owed.provider) "
    "FROM owed WHERE owed.provider IS NOT NULL) SELECT provider FROM owed WHERE provider IS NOT NULL"
)
"""From one provider to the next by the index, however many messages each is owed."""


class Outbox:
    """The port Outbox.

    settled: what came to rest here, by provider, since it was last told (drains.py). served: whose turn was the last here, by provider.
    """

    core: Core
    settled: Counter[str]
    served: dict[str, str]

    async def accept(self, stored: Stored, claim: KeyClaim | None, reply: Reply, parts: Sequence[Stored] = ()) -> KeyHolder | None:
        """Outbox."""
        cipher = self.core.cipher
        taken = None if claim is None else rows.take_key_row(claim, stored.message_id, stored.accepted_at, cipher, reply)
        payload = rows.payload_row(stored, cipher, self.core.retain_s)
        supersede = rows.supersede_row(stored, cipher)
        more = [(rows.message_row(each, cipher), rows.payload_row(each, cipher, self.core.retain_s)) for each in parts]
        work = Work(message=rows.message_row(stored, cipher), payload=payload, take_key=taken, supersede=supersede, more=more)
        result = await self.core.hot.write(work, ADMISSION_S)
        if result is False:
            raise Fault("not-supersedable", f"message {stored.supersedes}")
        return None if result is True else await holder_of(self.core, result)

    async def claim(self, provider: str, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Outbox."""
        after = self.served.get(provider, "")
        given = await self.claimed(Work(claim=(provider, now, now + lease_s, limit, after)))
        self.served[provider] = served_last((due.stored.consumer for due in given), after)
        return given

    async def claim_unknown(self, limit: int, now: float, lease_s: float) -> Sequence[Due]:
        """Outbox."""
        return await self.claimed(Work(claim_unknown=(now, now + lease_s, limit)))

    async def claim_finished(self, provider: str, limit: int, now: float) -> Sequence[Due]:
        """Outbox."""
        return await self.claimed(Work(claim_finished=(provider, now, limit)))

    async def claimed(self, work: Work) -> Sequence[Due]:
        """What a claim of any kind gives out, opened; what does not open comes to rest for a person, and its neighbours go on."""
        messages, requests, calls = await self.core.claims.write(work)
        bodies = {bytes(message_id): sealed for message_id, sealed in requests}
        made: defaultdict[bytes, list[tuple[str, bool]]] = defaultdict(list)
        for message_id, name, finished in calls:
            made[bytes(message_id)].append((name, bool(finished)))
        given: list[Due] = []
        for row in messages:
            message_id = bytes(row[1])
            try:
                given.append(await self._due(row, bodies.get(message_id, b""), made[message_id]))
            except Unreadable as fault:
                await self._rest(claimed.remains(row, made[message_id]), fault, in_doubt=work.claim_unknown is not None)
        return given

    async def _rest(self, due: Due, fault: Unreadable, *, in_doubt: bool) -> None:
        """`dead`, or `unknown` and not asked about any more; where this cannot be written, it comes again when its lease ends."""
        log = structlog.get_logger().bind(logger="lgsp.store")
        log.error("payload_unreadable", message_id=due.stored.message_id, detail=fault.detail)
        settlement, closed = loss.unreadable(due, self.core.now(), fault.detail, in_doubt=in_doubt)
        with contextlib.suppress(Fault):
            await (self.resolve if in_doubt else self.settle)(due, settlement, closed)

    async def stored(self, message_id: str) -> Stored | None:
        """Outbox."""
        if not rows.is_id(message_id):
            return None
        message, payload = tables.message, tables.payload
        query = select(*[message.c[name] for name in COLUMNS], payload.c.request).join(
            payload, payload.c.message_id == message.c.message_id
        )
        async with self.core.transaction() as connection:
            row = (await connection.execute(query.where(message.c.message_id == message_id))).one_or_none()
        if row is None:
            return None
        seq, _, *facts, request = row
        return (await self._due((seq, rows.id_in(message_id), *facts), request, [])).stored

    async def due_providers(self, now: float) -> Sequence[str]:
        """Outbox."""
        async with self.core.transaction() as connection:
            return [row.provider for row in await connection.execute(_DUE_PROVIDERS, {"now": now})]

    async def begin_call(self, due: Due, call: str, *, finished: bool) -> None:
        """Outbox; Fault("request-in-progress") if another worker holds the message by now: this one must not go on."""
        row = (rows.id_in(due.stored.message_id), due.lease, due.attempt, self.core.now(), call, finished)
        if not await self.core.hot.write(Work(call=row)):
            raise Fault("request-in-progress", "another worker holds the message by now")

    async def settle(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Outbox."""
        if settlement.state not in SETTLEMENTS:
            raise ValueError(f"no attempt ends as {settlement.state}")
        reply = None
        if settlement.reply is not None:
            message_id = due.stored.message_id
            reply = (rows.id_in(message_id), self.core.cipher.seal(settlement.reply, rows.reply_aad(message_id)))
        forgotten = (rows.id_in(due.stored.message_id), due.lease) if settlement.state in COMES_AGAIN else None
        work = Work(log=rows.closed_row(closed, settlement), settle=rows.settle_row(due, settlement), reply=reply, forget_calls=forgotten)
        work.wake = rows.wake_row(due, settlement)
        written: bool = await self.core.hot.write(work)
        if written and settlement.state is not State.WAITING:
            self.settled[due.stored.provider] += 1
        return written

    async def resolve(self, due: Due, settlement: Settlement, closed: Closed) -> bool:
        """Outbox."""
        if settlement.state not in RESOLUTIONS:
            raise ValueError(f"no unknown outcome is resolved as {settlement.state}")
        message_id, reply = due.stored.message_id, None
        if settlement.reply is not None:
            reply = (rows.id_in(message_id), self.core.cipher.seal(settlement.reply, rows.reply_aad(message_id)))
        forgotten = (rows.id_in(message_id),) if settlement.state is State.WAITING else None
        log, resolve = rows.closed_row(closed, settlement), rows.resolve_row(due, settlement)
        wake = rows.wake_row(due, settlement)
        written: bool = await self.core.hot.write(Work(log=log, resolve=resolve, reply=reply, forget_doubts=forgotten, wake=wake))
        return written

    async def _due(self, row: Any, sealed: bytes, calls: list[tuple[str, bool]]) -> Due:
        if not sealed:
            raise Unreadable("payload-unreadable", "it is gone")
        plaintext = await self.core.open(sealed, rows.request_aad(rows.id_out(row[1])))
        return claimed.due(row, plaintext, calls)
