"""What a SOAP provider's answer means, before its body is read: a fault is an answer, whatever its status (SOAP 1.1 section 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgsp.drivers.outbound.rest import judge_rest

if TYPE_CHECKING:
    from lgsp.drivers.outbound.connection import Answer

XML = ("text/xml", "application/soap+xml", "application/xml", "multipart/related")


def judge_soap(answer: Answer) -> None:
    """Return if the body should be an envelope; a gateway's page or a bare status is judged as in REST."""
    if answer.status in {200, 202} or (answer.status in {400, 500} and answer.headers.get("content-type", "").lower().startswith(XML)):
        return
    judge_rest(answer)
