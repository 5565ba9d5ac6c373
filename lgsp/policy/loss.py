"""An exchange whose process died between OPENED and CLOSED: how long to wait for it, and what its end is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.happening import Closed, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Opened

SPARE_S = 60.0
"""For what surrounds the calls: commits that wait, clocks of nodes that differ."""


def patience_s(operations: Iterable[Operation]) -> float:
    """Seconds after which no exchange of these can be alive: each call has the total deadline, a login and a repetition among them."""
    return max((o.provider.timeouts.total_s * (2 * len(o.calls) + 1) for o in operations), default=0.0) + SPARE_S


def end_of(opened: Opened, at: float) -> Closed:
    """Its CLOSED row: the provider may have acted, and nobody here can tell."""
    problem = Fault("exchange-lost").problem
    return Closed(
        message_id=opened.message_id,
        attempt=opened.attempt,
        at=at,
        consumer=opened.consumer,
        service=opened.service,
        operation=opened.operation,
        outcome=Outcome.UNKNOWN,
        status=problem.status,
        blame=problem.blame,
        cause=problem.slug,
        reply_digest=b"",
        duration_us=max(0, int((at - opened.at) * 1e6)),
        stages=(),
        trace_id=opened.trace_id,
    )
