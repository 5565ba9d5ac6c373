"""What one failed attempt of a stored message leads to: again at T, refused, unknown, held or dead. The only retry policy of the hub.

Full jitter (Brooker, "Exponential Backoff and Jitter"): the wait is uniform in [0, min(cap, first * 2**(attempt - 1))), and never
shorter than the provider's Retry-After. A deadline ends it: a message that cannot be tried again in time comes to rest for a person.
A call that the hub itself did not make, because the provider's circuit is open, the provider is held, all its places are taken or the proof
of it would be missing, ends no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import BusinessRefusal, Fault
from lgsp.model.happening import Settlement, State

if TYPE_CHECKING:
    from lgsp.errors import Problem
    from lgsp.model.agreed import RetryRule


NOT_MADE = frozenset({"circuit-open", "provider-held", "no-free-place", "evidence-behind"})
"""Faults of calls that the provider was spared."""

EXPIRED = frozenset({"mailbox-expired"})
"""Faults of messages whose time is over and which no person can bring on their way again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The facts of an attempt that failed: its number (from 1), the time now, the message's deadline, a uniform draw in [0, 1)."""

    number: int
    now: float
    deadline_at: float
    jitter: float


HELD = frozenset({"code-unknown"})
"""Faults that a person mends here, and then the message goes on by itself."""


def after_fault(fault: Fault, attempt: Attempt, rule: RetryRule) -> Settlement:
    """Decide; the first reason that holds wins."""
    if isinstance(fault, BusinessRefusal) or fault.slug in EXPIRED:
        return _rest(State.EXPIRED if fault.slug in EXPIRED else State.REFUSED, fault, attempt)
    if fault.may_have_acted or not fault.retryable or fault.slug in HELD:
        return _rest(State.UNKNOWN if fault.may_have_acted else State.HELD if fault.slug in HELD else State.DEAD, fault, attempt)
    if fault.slug in NOT_MADE:
        return _again(fault, attempt, attempt.now + (fault.retry_after_s or 0.0) + attempt.jitter * rule.first_s)
    if attempt.number >= rule.attempts:
        return _rest(State.DEAD, fault, attempt, Fault("attempts-used-up").problem)
    due_at = attempt.now + wait_s(attempt, rule, fault.retry_after_s)
    if due_at > attempt.deadline_at:
        return _rest(State.DEAD, fault, attempt, Fault("deadline-passed").problem)
    return _again(fault, attempt, due_at)


def wait_s(attempt: Attempt, rule: RetryRule, retry_after_s: float | None) -> float:
    """Seconds until the next attempt."""
    ceiling_s = min(rule.cap_s, rule.first_s * 2.0 ** min(attempt.number - 1, 64))
    return max(attempt.jitter * ceiling_s, retry_after_s or 0.0)


def _again(fault: Fault, attempt: Attempt, due_at: float) -> Settlement:
    return Settlement(State.WAITING, attempt.now, due_at, fault.blame, fault.slug, fault.detail, fault.problem.status)


def _rest(state: State, fault: Fault, attempt: Attempt, reason: Problem | None = None) -> Settlement:
    detail = fault.detail if reason is None else f"{reason.slug}; last: {fault.detail or fault.slug}"
    return Settlement(state, attempt.now, None, fault.blame, fault.slug, detail, fault.problem.status)
