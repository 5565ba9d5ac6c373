"""Resume: from a message to the exchange that it is: one that was just admitted, or the next attempt of a stored one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Fault
from lgsp.model.agreed import MAILBOX, SUBSCRIBERS, Pattern
from lgsp.model.happening import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.model.agreed import Operation
    from lgsp.model.happening import Due, Message, Stored
    from lgsp.model.parties import Right
    from lgsp.ports.engine import Ports

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def admitted(message: Message, right: Right, operation: Operation, parameters: Mapping[str, Any], request: Any) -> Exchange:
    """The exchange of a message that a consumer just sent; `parameters` and `request` are valid."""
    gives_way = operation.pattern in {Pattern.ONE_WAY, Pattern.MAILBOX}
    if message.supersedes is not None and not (gives_way and UUID.fullmatch(message.supersedes)):
        raise Fault("malformed-request", "Lgsp-Supersedes names a stored message by its id, and goes with a stored message")
    return Exchange(
        message.id,
        message.received_at,
        right.consumer,
        operation,
        right,
        message.purpose,
        parameters,
        request,
        message.body if message.speech is None else json.encode(request),
        message.trace_id,
        supersedes=message.supersedes,
        speech=message.speech,
    )


def published(stored: Stored, ports: Ports) -> Operation:
    """Its operation; Fault("operation-withdrawn") if that is no longer published."""
    operation = ports.catalogue.current().operations.get((stored.service, stored.major, stored.operation))
    if operation is None:
        raise Fault("operation-withdrawn", f"{stored.service}/{stored.major}/{stored.operation}")
    return operation


def resumed(due: Due, operation: Operation, right: Right) -> Exchange:
    """The exchange of this attempt; Fault("attempts-used-up") where the last of them broke off or died, and nobody could settle it.

    What an addressee fetches, and a publication, is lent as often as it takes: its deadline ends it.
    """
    keyed = {call.name for call in operation.calls if call.key is not None}
    counts = operation.provider.kind not in {MAILBOX, SUBSCRIBERS}
    if counts and due.attempt > operation.retry.attempts and due.began <= keyed:  # what no key protects becomes `unknown` at its call
        raise Fault("attempts-used-up", "its worker died each time")
    stored = due.stored
    return Exchange(
        stored.message_id,
        stored.accepted_at,
        stored.consumer,
        operation,
        right,
        stored.purpose,
        stored.parameters,
        json.decode(stored.request),
        stored.request,
        stored.trace_id,
        due,
    )
