"""Record: CLOSED before the consumer has its answer; refusals before identity only as counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.happening import Closed, KeyAnswer, Outcome
from lgsp.model.parties import SubsystemId

if TYPE_CHECKING:
    from lgsp.model.happening import KeyClaim, Message, Reply
    from lgsp.ports.engine import Ports
    from lgsp.telemetry import Trail


async def record_reply(reply: Reply, claim: KeyClaim | None, ports: Ports, trail: Trail, outcome: Outcome = Outcome.DELIVERED) -> Reply:
    """Write CLOSED for what is answered, and keep the answer under its key; what was REPLAYED is kept there already."""
    row = closed_row(outcome, reply.status, ports, trail, answer=reply.body)
    await ports.log.closed(row, KeyAnswer(claim, reply) if claim else None)
    trail.passed("record_closed")
    ports.telemetry.exchange_ended(trail, outcome, reply.status)
    return reply


async def record_fault(fault: Fault, message: Message, claim: KeyClaim | None, ports: Ports, trail: Trail) -> None:
    """Write how far a message came that was refused or failed; its key is free again unless the provider may have acted."""
    outcome = Outcome.UNKNOWN if fault.may_have_acted else Outcome.FAILED if trail.opened else Outcome.REFUSED
    ports.telemetry.exchange_ended(trail, outcome, fault.problem.status, fault)
    if trail.consumer is None or (fault.slug.startswith("record-") and not trail.opened):  # nor could this be written
        ports.log.refused_unidentified(message.source, fault.slug, message.received_at)
        return
    row = closed_row(outcome, fault.problem.status, ports, trail, fault=fault)
    row = row if trail.opened else replace(row, purpose=message.purpose)
    try:
        await ports.log.closed(row, KeyAnswer(claim, unknown=fault.may_have_acted) if claim and trail.opened else None)
    except Fault as unwritten:
        if not fault.may_have_acted:
            raise
        ports.telemetry.closed_unwritten(trail, unwritten.slug)  # the caller still hears not to resend; the sweep ends it as lost


def closed_row(  # budget: what is known of an end, each by its name
    outcome: Outcome, status: int, ports: Ports, trail: Trail, *, answer: bytes | None = None, fault: Fault | None = None
) -> Closed:
    """The CLOSED row; `status` as the consumer or the receipt tells it, `answer`: the bytes of which it keeps a digest."""
    service, operation = (trail.operation.service, trail.operation.name) if trail.operation else ("", "")
    return Closed(
        message_id=trail.message_id,
        attempt=trail.attempt,
        at=ports.now(),
        consumer=trail.consumer or SubsystemId(""),
        service=service,
        operation=operation,
        outcome=outcome,
        status=status,
        blame=fault.blame if fault else "",
        cause=fault.slug if fault else "",
        reply_digest=b"" if answer is None else ports.digest(answer),
        duration_us=trail.elapsed_us(),
        stages=tuple(trail.stages),
        trace_id=trail.trace_id,
        disclosed=trail.disclosed,
    )
