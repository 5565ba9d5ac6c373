"""What the management door says and reads in one way everywhere: JSON answers, moments in RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lgsp.errors import Fault, Violation, problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.ports.office import DeadGroup

Answer = tuple[Any, int, dict[str, str]]


def json_answer(content: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Content, status and headers, as connexion takes them."""
    return content, code, {"Content-Type": "application/json", **(headers or {})}


def moment(at: float) -> str:
    """POSIX seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(body: Mapping[str, Any], name: str, otherwise: float) -> float:
    """POSIX seconds of an RFC 3339 moment; the stack checks a string, the calendar is checked here."""
    if name not in body:
        return otherwise
    try:
        found = datetime.fromisoformat(body[name])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Fault("body-invalid", errors=[Violation(f"/{name}", "is no moment with a time zone (RFC 3339)", "format")])
    return found.timestamp()


def dead_group(group: DeadGroup, language: str) -> dict[str, Any]:
    """A group of messages at rest, with its cause in words."""
    problem = problems().get(group.cause)
    words = {"title": problem.title[language], "action": problem.action[language]} if problem else {}
    return {
        "provider": group.provider,
        "service": group.service,
        "operation": group.operation,
        "cause": group.cause,
        "blame": group.blame,
        "count": group.count,
        "oldest_at": moment(group.oldest_at),
        "message_ids": list(group.message_ids),
        **words,
    }
