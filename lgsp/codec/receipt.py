"""A receipt as JSON values: what it tells its consumer, with its problem in words of their language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import problems
from lgsp.model.happening import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.model.happening import Receipt


def report(receipt: Receipt, language: str, issuer: str, parts: Sequence[Receipt] = ()) -> dict[str, Any]:
    """The receipt as JSON values; `issuer` is the root of the problem types, `language` vi or en, `parts` those of a publication."""
    document: dict[str, Any] = {
        "id": receipt.message_id,
        "sequence": receipt.number,
        "service": receipt.service,
        "operation": receipt.operation,
        "state": receipt.state,
        "attempts": receipt.attempts,
        "acceptedAt": instant(receipt.accepted_at),
        "settledAt": instant(receipt.settled_at),
        "nextTryAt": instant(receipt.due_at) if receipt.state is State.WAITING else None,
        "problem": _problem(receipt, language, issuer) if receipt.cause else None,
        "deliveries": [_delivery(part, language, issuer) for part in parts] or None,
        "reply": None if receipt.reply is None else json.decode(receipt.reply),
    }
    return {name: value for name, value in document.items() if value is not None}


def _delivery(part: Receipt, language: str, issuer: str) -> dict[str, Any]:
    subscriber = part.operation.partition("@")[2].replace(":", "/")
    told = report(part, language, issuer)
    return {"subscriber": subscriber, **{name: value for name, value in told.items() if name not in {"service", "operation"}}}


def _problem(receipt: Receipt, language: str, issuer: str) -> dict[str, Any]:
    problem = problems().get(receipt.cause) or problems()["internal-error"]
    return {
        "type": problem.uri(issuer),
        "title": problem.title[language],
        "status": problem.status,
        "detail": f"{receipt.detail}. {problem.action[language]}" if receipt.detail else problem.action[language],
        "blame": receipt.blame,
        "retryable": problem.retryable,
    }


def instant(at: float | None) -> str | None:
    """POSIX seconds as RFC 3339 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
