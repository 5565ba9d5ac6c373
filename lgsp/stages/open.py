"""Open: OPENED is durable before the provider sees a byte; personal data move only while every access to them leaves its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.agreed import DataClass
from lgsp.model.evidence import Disclosed
from lgsp.model.happening import Opened
from lgsp.policy.disclosure import identifiers_in, mark_of

if TYPE_CHECKING:
    from lgsp.model.happening import Exchange, KeyClaim, KeyHolder
    from lgsp.ports.engine import Ports
    from lgsp.telemetry import Trail

RETRY_S = 10


async def record_opened(exchange: Exchange, claim: KeyClaim | None, ports: Ports, trail: Trail) -> KeyHolder | None:
    """Write OPENED and claim the key; or say who holds the key, and then nothing was written.

    Fault("evidence-behind") for personal data while sealing is overdue.
    """
    operation = exchange.operation
    if operation.data_class is DataClass.PERSONAL and ports.evidence_overdue():
        raise Fault("evidence-behind", retry_after_s=RETRY_S)
    row = Opened(
        message_id=exchange.message_id,
        attempt=trail.attempt,
        at=ports.now(),
        consumer=exchange.consumer,
        provider=operation.provider.code,
        service=operation.service,
        operation=operation.name,
        purpose=exchange.purpose,
        request_digest=ports.digest(exchange.body),
        trace_id=exchange.trace_id,
        disclosed=_asked(exchange, ports),
    )
    holder = await ports.log.opened(row, claim)
    trail.opened = holder is None
    trail.passed("record_opened")
    return holder


def _asked(exchange: Exchange, ports: Ports) -> Disclosed:
    """On what ground it is asked, and whom it names."""
    operation = exchange.operation
    if operation.data_class is not DataClass.PERSONAL:
        return Disclosed(operation.traces.basis)
    found = identifiers_in([exchange.request, dict(exchange.parameters)], operation.traces.identifiers)
    return Disclosed(operation.traces.basis, subjects=" ".join(sorted(mark_of(each, ports.digest) for each in found)))
