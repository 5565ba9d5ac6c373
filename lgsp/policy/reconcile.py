"""An outcome that nobody knows: when to ask the provider, and what its answer decides.

The contract's `reconcile` says which safe call to ask, `after_s` how long to wait before each question, `confirmations` how many answers
"not there" in a row make it true: one that comes early proves nothing, for the provider may still be working. One "there" is enough.
Asking ends with the message's deadline; then a person decides, as for an operation without `reconcile`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.model.happening import Settlement, State

if TYPE_CHECKING:
    from lgsp.model.agreed import Operation, Reconcile
    from lgsp.model.happening import Due


@dataclass(frozen=True, slots=True)
class Doubt:
    """The facts: how to ask, the time now, when asking ends, how often in a row the message was not there so far."""

    rule: Reconcile
    now: float
    deadline_at: float
    denials: int


def rule_of(operation: Operation | None) -> Reconcile | None:
    """How this operation's outcome is found out: by its last call, since what comes after a call would still have to be made."""
    return operation.calls[-1].reconcile if operation is not None and operation.calls else None


def rule_for(operation: Operation, due: Due) -> Reconcile | None:
    """The same for one message: its only call in doubt must be the last one."""
    last = operation.calls[-1]
    return last.reconcile if due.began - due.finished == {last.name} else None


def first_ask_at(operation: Operation | None, now: float) -> float | None:
    """When to ask after an attempt ended in doubt; None leaves it to a person."""
    rule = rule_of(operation)
    return None if rule is None else now + rule.after_s


def found(doubt: Doubt, reply: bytes | None) -> Settlement:
    """The provider has it: delivered, with what its answer tells where that could be translated."""
    return Settlement(State.DELIVERED, doubt.now, status=200, reply=reply)


def absent(doubt: Doubt) -> Settlement:
    """The provider does not have it; sent again once that is confirmed."""
    denials = doubt.denials + 1
    if denials < doubt.rule.confirmations:
        return _ask_again(doubt, denials, Fault("outcome-unknown", "not found yet"))
    problem = Fault("confirmed-absent").problem
    return Settlement(State.WAITING, doubt.now, doubt.now, problem.blame, problem.slug, "", problem.status)


def silent(doubt: Doubt, fault: Fault) -> Settlement:
    """No answer, or none that says anything: what was counted so far stands."""
    return _ask_again(doubt, doubt.denials, fault)


def undecidable(now: float) -> Settlement:
    """There is nothing to ask (any more): a person decides."""
    problem = Fault("outcome-unknown").problem
    return Settlement(State.UNKNOWN, now, None, problem.blame, problem.slug, "", problem.status)


def _ask_again(doubt: Doubt, denials: int, fault: Fault) -> Settlement:
    ask_at = doubt.now + max(doubt.rule.after_s, fault.retry_after_s or 0.0)
    known = Fault("outcome-unknown").problem
    due_at = ask_at if ask_at <= doubt.deadline_at else None
    detail = fault.detail if fault.slug == known.slug else f"asking failed: {fault.slug}"
    return Settlement(State.UNKNOWN, doubt.now, due_at, known.blame, known.slug, detail, known.status, denials=denials)
