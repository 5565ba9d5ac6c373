"""Reconcile: what a provider's answer to "do you have it?" makes of a message whose outcome is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault, MappingError
from lgsp.policy.reconcile import Doubt, absent, found, rule_for, silent, undecidable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Due, Exchange, Settlement
    from lgsp.ports.engine import Ports


def doubt_of(due: Due, operation: Operation, ports: Ports) -> Doubt:
    """The facts of the decision; a Fault where nothing can be asked."""
    rule = rule_for(operation, due)
    if rule is None:
        raise Fault("outcome-unknown", "nothing can be asked")
    return Doubt(rule, ports.now(), due.stored.deadline_at, due.denials)


def judge(native: Any, scope: Mapping[str, Any], doubt: Doubt, exchange: Exchange) -> Settlement:
    """Found or absent, as the asked call's `absent_when` says; one that declares none finds what it answers about."""
    is_absent = doubt.rule.call.absent_when
    seen = {**native, "known": scope["known"]} if isinstance(native, dict) else {"known": scope["known"]}
    if is_absent is not None and is_absent(seen):
        return absent(doubt)
    return found(doubt, _told(native, scope, exchange.operation))


def unanswered(fault: Fault, due: Due, operation: Operation | None, ports: Ports) -> Settlement:
    """The question failed: ask again, or leave it to a person."""
    if operation is None or rule_for(operation, due) is None:
        return undecidable(ports.now())
    return silent(doubt_of(due, operation, ports), fault)


def _told(native: Any, scope: Mapping[str, Any], operation: Operation) -> bytes | None:
    """The answer as the operation's own reply, if mapping and contract take it for one; another call answered, so they may not."""
    try:
        canonical = operation.to_canonical({**scope, "value": native})
    except MappingError:
        return None
    return None if operation.check_reply(canonical) else json.encode(canonical)
