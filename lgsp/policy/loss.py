"""What is lost: an exchange or attempt whose process died between OPENED and CLOSED, a message that does not open; what its end is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.happening import Closed, Outcome, Settlement, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Due, Opened

SPARE_S = 60.0
"""For what surrounds the calls: commits that wait, clocks of nodes that differ."""


def patience_s(operations: Iterable[Operation]) -> float:
    """Seconds after which no exchange of these can be alive: each call has the total deadline, a login and a repetition among them."""
    return max((o.provider.timeouts.total_s * (2 * len(o.calls) + 1) for o in operations), default=0.0) + SPARE_S


def end_of(opened: Opened, at: float) -> Closed:
    """Its CLOSED row: the provider may have acted, and nobody here can tell. Where the message itself stands, its own state says."""
    problem = Fault("attempt-lost" if opened.attempt else "exchange-lost").problem
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


def unreadable(due: Due, at: float, detail: str, *, in_doubt: bool) -> tuple[Settlement, Closed]:
    """Where a claimed message stands whose payload does not open: for a person; what may have been done already stays `unknown`."""
    problem = Fault("payload-unreadable").problem
    closed = Closed(
        message_id=due.stored.message_id,
        attempt=due.attempt,
        at=at,
        consumer=due.stored.consumer,
        service=due.stored.service,
        operation=due.stored.operation,
        outcome=Outcome.UNKNOWN if in_doubt else Outcome.FAILED,
        status=problem.status,
        blame=problem.blame,
        cause=problem.slug,
        reply_digest=b"",
        duration_us=0,
        stages=(),
        trace_id=due.stored.trace_id,
    )
    state = State.UNKNOWN if in_doubt else State.DEAD
    return Settlement(state, at, None, problem.blame, problem.slug, detail, problem.status), closed
