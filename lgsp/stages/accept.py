"""Accept: keep a one-way message, owe it to its provider, and give the consumer a receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.agreed import CHANNELS
from lgsp.model.files import refs_in
from lgsp.model.happening import Reply, Stored
from lgsp.policy.drain import again_s
from lgsp.policy.publication import published_with_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Exchange, KeyClaim, KeyHolder
    from lgsp.ports.engine import Ports


async def accept(exchange: Exchange, claim: KeyClaim | None, ports: Ports) -> tuple[Reply, KeyHolder | None]:
    """Message, parts, payloads, outbox rows and key in one transaction, then the bell; or who holds the key: then nothing was written."""
    reply = _receipt(exchange, again_s(ports.drains.drain(exchange.operation.provider.code)))
    if refs := refs_in(exchange.body):
        await _hold(refs, exchange, ports)
    stored, parts = published_with_parts(_stored(exchange), exchange.operation.pattern, ports.directory.subscriptions(), ports.new_id)
    holder = await ports.outbox.accept(stored, claim, reply, parts)
    if holder is None:
        ports.bell.ring(CHANNELS if parts else exchange.operation.provider.code, (exchange.message_id,))
    return reply, holder


async def _hold(refs: Sequence[str], exchange: Exchange, ports: Ports) -> None:
    """The files that the message names are its consumer's own, and stay until it is settled; held before it is accepted, never after."""
    for ref in refs:
        if await ports.vault.find(ref, exchange.consumer) is None:
            raise Fault("file-unknown", ref)
    await ports.vault.hold(refs, exchange.message_id)


def _stored(exchange: Exchange) -> Stored:
    operation = exchange.operation
    return Stored(
        message_id=exchange.message_id,
        consumer=exchange.consumer,
        service=operation.service,
        major=operation.major,
        operation=operation.name,
        provider=operation.provider.code,
        purpose=exchange.purpose,
        parameters=exchange.parameters,
        request=exchange.body,
        digest=operation.digest,
        order_key=exchange.key_at(operation.order_key),
        business_key=exchange.key_at(operation.business_key),
        accepted_at=exchange.received_at,
        deadline_at=_deadline(operation, exchange.received_at),
        trace_id=exchange.trace_id,
        supersedes=exchange.supersedes,
        skips_dead=operation.skips_dead,
    )


def _deadline(operation: Operation, received_at: float) -> float:
    """By law where the manifest says so in working days, else as long as its retry rule lasts."""
    legal = operation.legal_deadline
    return received_at + operation.retry.deadline_s if legal is None else legal(received_at)


def _receipt(exchange: Exchange, wait_s: int) -> Reply:
    href = f"/receipts/{exchange.message_id}"
    body = {"id": exchange.message_id, "state": "accepted", "href": href}
    return Reply(202, json.encode(body), (("Content-Type", "application/json"), ("Location", href), ("Retry-After", str(wait_s))))
