"""Receipts: what a consumer may know about a message that the hub keeps for it, the provider's translated answer included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.drivers.doors.problems import problem_type
from lgsp.errors import Fault, problems
from lgsp.model.happening import Reply, State

if TYPE_CHECKING:
    from lgsp.model.happening import Receipt
    from lgsp.model.parties import SubsystemId
    from lgsp.ports.engine import Receipts

UNDER_WAY = frozenset({State.ACCEPTED, State.WAITING, State.DELIVERING})


async def receipt_reply(message_id: str, consumer: SubsystemId, receipts: Receipts, language: str, issuer: str) -> Reply:
    """The receipt, or Fault("not-found") where this consumer has none of that id."""
    receipt = await receipts.receipt(message_id, consumer)
    if receipt is None:
        raise Fault("not-found")
    headers = [("Content-Type", "application/json"), ("Content-Language", language), ("Cache-Control", "no-store")]
    if receipt.state in UNDER_WAY:
        headers.append(("Retry-After", "2"))
    return Reply(200, json.encode(_document(receipt, language, issuer)), tuple(headers))


def _document(receipt: Receipt, language: str, issuer: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": receipt.message_id,
        "service": receipt.service,
        "operation": receipt.operation,
        "state": receipt.state,
        "attempts": receipt.attempts,
        "acceptedAt": _instant(receipt.accepted_at),
        "settledAt": _instant(receipt.settled_at),
        "nextTryAt": _instant(receipt.due_at) if receipt.state is State.WAITING else None,
    }
    if receipt.cause:
        problem = problems()[receipt.cause]
        document["problem"] = {
            "type": problem_type(problem, issuer),
            "title": problem.title[language],
            "detail": f"{receipt.detail}. {problem.action[language]}" if receipt.detail else problem.action[language],
            "blame": receipt.blame,
            "retryable": problem.retryable,
        }
    if receipt.reply is not None:
        document["reply"] = json.decode(receipt.reply)
    return {name: value for name, value in document.items() if value is not None}


def _instant(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
