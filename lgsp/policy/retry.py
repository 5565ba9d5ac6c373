"""What one failed attempt of a stored message leads to: again at T, refused, unknown or dead. The only retry policy of the hub.

Full jitter (Brooker, "Exponential Backoff and Jitter"): the wait is uniform in [0, min(cap, first * 2**(attempt - 1))), and never
shorter than the provider's Retry-After. A deadline ends it: a message that cannot be tried again in time comes to rest for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import BusinessRefusal, Fault
from lgsp.model import RetryRule, Settlement, State

if TYPE_CHECKING:
    from lgsp.errors import Problem


@dataclass(frozen=True, slots=True)
class Attempt:
    """The facts of an attempt that failed: its number (from 1), the time now, the message's deadline, a uniform draw in [0, 1)."""

    number: int
    now: float
    deadline_at: float
    jitter: float


def after_fault(fault: Fault, attempt: Attempt, rule: RetryRule) -> Settlement:
    """Decide; the first reason that holds wins."""
    if isinstance(fault, BusinessRefusal):
        return _rest(State.REFUSED, fault, attempt)
    if fault.may_have_acted:
        return _rest(State.UNKNOWN, fault, attempt)
    if not fault.retryable:
        return _rest(State.DEAD, fault, attempt)
    if attempt.number >= rule.attempts:
        return _rest(State.DEAD, fault, attempt, Fault("attempts-used-up").problem)
    due_at = attempt.now + wait_s(attempt, rule, fault.retry_after_s)
    if due_at > attempt.deadline_at:
        return _rest(State.DEAD, fault, attempt, Fault("deadline-passed").problem)
    return Settlement(State.WAITING, attempt.now, due_at, fault.blame, fault.slug, fault.detail, fault.problem.status)


def wait_s(attempt: Attempt, rule: RetryRule, retry_after_s: float | None) -> float:
    """Seconds until the next attempt."""
    ceiling_s = min(rule.cap_s, rule.first_s * 2.0 ** min(attempt.number - 1, 64))
    return max(attempt.jitter * ceiling_s, retry_after_s or 0.0)


def _rest(state: State, fault: Fault, attempt: Attempt, reason: Problem | None = None) -> Settlement:
    detail = fault.detail if reason is None else f"{reason.slug}; last: {fault.detail or fault.slug}"
    return Settlement(state, attempt.now, None, fault.blame, fault.slug, detail, fault.problem.status)
