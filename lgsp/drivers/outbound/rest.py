"""What a REST provider's answer means, before its body is read: RFC 9110 statuses in our errors."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.errors import BusinessRefusal, Fault, JsonError, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.drivers.outbound.connection import Answer

DENIED = frozenset({401, 403, 407})
BUSY = frozenset({408, 425, 429, 503})
SENT_ELSEWHERE = frozenset({307, 308})
"""Nothing was done here (RFC 9110 section 15.4); after 301, 302 and 303 nobody can tell, many answer a form that way when it is done."""
GATEWAY = frozenset({502, 504})
MOST_TOLD_BYTES = 64 << 10


def judge_rest(answer: Answer) -> None:
    """Return if the body is the answer; raise what the status says otherwise."""
    status = answer.status
    if status < 300:  # noqa: PLR2004  # 2xx
        return
    if status in DENIED:
        raise Fault("provider-denied", f"status {status}")
    if status in BUSY:
        raise Fault("provider-busy", f"status {status}", retry_after_s=retry_after_s(answer))
    if status in GATEWAY:
        raise OutcomeUnknown("provider-failed", f"status {status} from a gateway before it")
    if status >= 500:  # noqa: PLR2004  # 5xx
        raise Fault("provider-failed", f"status {status}")
    if status >= 400:  # noqa: PLR2004  # 4xx
        raise BusinessRefusal("provider-refused", f"status {status}")
    if status in SENT_ELSEWHERE:
        raise Fault("provider-not-understood", f"status {status}: redirects are not followed")
    raise OutcomeUnknown("provider-not-understood", f"status {status}: what was asked may be done, and its result lie elsewhere")


def refusal_of(answer: Answer) -> Mapping[str, Any]:
    """What a refused consumer is told of the provider's own answer, where both speak one form: its status, and its body if that is JSON."""
    detail: Mapping[str, Any] = {}
    if len(answer.body) <= MOST_TOLD_BYTES and "json" in answer.headers.get("content-type", "").lower():
        with contextlib.suppress(JsonError):
            detail = {"detail": json.decode(answer.body)}
    return {"providerFault": {"status": answer.status, **detail}}


def retry_after_s(answer: Answer) -> float | None:
    """Seconds of Retry-After; the date form is rare at these providers and left to the back-off."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None
