"""Settle: after an attempt, say where the stored message stands now, and write that with CLOSED in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lgsp.codec import json
from lgsp.model.agreed import RetryRule
from lgsp.model.happening import Outcome, Settlement, State
from lgsp.policy.lifecycle import lets_pass
from lgsp.policy.reconcile import first_ask_at
from lgsp.policy.retry import Attempt, after_fault

if TYPE_CHECKING:
    from lgsp.errors import Fault
    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Closed, Due
    from lgsp.ports.engine import Ports

OUTCOMES = {State.DELIVERED: Outcome.DELIVERED, State.REFUSED: Outcome.REFUSED, State.UNKNOWN: Outcome.UNKNOWN}
"""How an attempt ended, by the state it led to; everything else failed."""


def delivered(reply: bytes, ports: Ports) -> Settlement:
    """The provider did it; `reply` is its translated and released answer."""
    return Settlement(State.DELIVERED, ports.now(), status=200, reply=reply)


def after(fault: Fault, due: Due, operation: Operation | None, ports: Ports) -> Settlement:
    """What the one retry policy makes of a fault; an operation that is no longer published has no rule but the default one."""
    attempt = Attempt(due.attempt, ports.now(), due.stored.deadline_at, ports.jitter())
    settlement = after_fault(fault, attempt, operation.retry if operation else RetryRule())
    if settlement.state is State.REFUSED:
        settlement = replace(settlement, reply=json.encode(fault.extra))
    if settlement.state is State.UNKNOWN:
        settlement = replace(settlement, due_at=first_ask_at(operation, settlement.at))
    return settlement


async def settle(due: Due, settlement: Settlement, closed: Closed, ports: Ports, fault: Fault | None = None) -> bool:
    """Write both, count the attempt; False if another worker holds the message by now, and then nothing was written."""
    written = await ports.outbox.settle(due, settlement, closed)
    provider = due.stored.provider
    ports.telemetry.attempt_ended(provider, settlement.state.value if written else "fenced", fault)
    if written and settlement.state is not State.WAITING:
        ports.watchers.tell(due.stored.message_id)
    if written and due.stored.order_key and lets_pass(settlement.state, skips_dead=due.stored.skips_dead):
        ports.bell.ring(provider, (due.stored.message_id,))
    return written


async def resolve(due: Due, settlement: Settlement, closed: Closed, ports: Ports) -> bool:
    """Write what an answer decided about an unknown outcome; False if a person or another node was faster, and nothing was written."""
    written = await ports.outbox.resolve(due, settlement, closed)
    if written and settlement.state is not State.UNKNOWN:
        ports.bell.ring(due.stored.provider, (due.stored.message_id,))
        ports.watchers.tell(due.stored.message_id)
    return written
