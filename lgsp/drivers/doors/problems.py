"""Faults as RFC 9457 problems, in Vietnamese or English, from the one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import Blame
from lgsp.model.happening import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.errors import Fault

LANGUAGES = ("vi", "en")
PROXY_ERRORS = {
    "provider-unreachable": "connection_refused",
    "provider-timeout": "connection_timeout",
    "provider-cut": "connection_terminated",
    "provider-failed": "http_response_incomplete",
    "provider-not-understood": "http_protocol_error",
    "provider-reply-invalid": "http_protocol_error",
}
"""RFC 9209 error types of what happened between the hub and a provider."""


def language_of(accept_language: str) -> str:
    """The first of our languages that the header names by weight; Vietnamese where it names none (RFC 9110 section 12.5.4)."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.lower().split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if tag[:2] in LANGUAGES and quality > 0:
            wanted.append((-quality, place, tag[:2]))
    return min(wanted)[2] if wanted else LANGUAGES[0]


def problem_reply(fault: Fault, language: str, issuer: str, message_id: str, trace_id: str) -> Reply:
    """The problem as an HTTP answer."""
    problem = fault.problem
    detail = f"{fault.detail}. {problem.action[language]}" if fault.detail else problem.action[language]
    body: dict[str, Any] = {
        "type": problem.uri(issuer),
        "title": problem.title[language],
        "status": problem.status,
        "detail": detail,
        "instance": f"urn:uuid:{message_id}",
        "traceId": trace_id,
        "blame": fault.blame,
        "retryable": problem.retryable,
        **({"messageId": message_id} if fault.may_have_acted else {}),  # whom to ask about: GET /receipts/{messageId}
        **fault.extra,
    }
    if fault.errors:
        body["errors"] = [{"pointer": v.pointer, "detail": v.detail, "code": v.code} for v in fault.errors]
    head = (("Content-Type", "application/problem+json"), ("Content-Language", language))
    return Reply(problem.status, json.encode(body), (*head, *fault_headers(fault)))


def fault_headers(fault: Fault) -> Sequence[tuple[str, str]]:
    """What a Fault says in HTTP headers, whatever its body looks like."""
    headers = list(fault.headers)
    if fault.retry_after_s is not None:
        headers.append(("Retry-After", str(max(1, round(fault.retry_after_s)))))
    if fault.problem.status == 401:  # noqa: PLR2004  # RFC 6750 section 3 wants the challenge
        error = "" if fault.slug in {"token-missing", "session-missing"} else ' error="invalid_token"'
        headers.append(("WWW-Authenticate", f"Bearer{error}"))
    if fault.slug in PROXY_ERRORS and fault.blame is not Blame.PLATFORM:
        headers.append(("Proxy-Status", f"lgsp; error={PROXY_ERRORS[fault.slug]}"))
    return headers
