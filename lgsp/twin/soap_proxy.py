"""Stands before a real SOAP provider and holds both sides to the WSDL: a wrong request never reaches it, a wrong answer never leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lgsp.codec.soap.inbound import MEDIA_TYPES
from lgsp.errors import CodecError, Fault, Violation
from lgsp.model.agreed import SoapFault
from lgsp.twin.proxy import Provider
from lgsp.twin.soap import SoapTwin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.wsdl.read import WsdlContract
    from lgsp.twin.rest import Answer, Asked
    from lgsp.twin.soap import Heard

ENVELOPES = frozenset({200, 202, 400, 500})


class SoapProxy(SoapTwin):
    """The WSDL in front of its provider. `address`: its endpoint; without a path, that of the port that was called is added."""

    def __init__(self, contract: WsdlContract, documents: Documents, address: str) -> None:
        super().__init__(contract, documents)
        self._provider = Provider(address)
        self._has_path = urlsplit(address).path not in {"", "/"}

    async def answer(self, heard: Heard, asked: Asked) -> Answer:
        """The provider's own answer, if it keeps the WSDL."""
        answer = await asyncio.to_thread(self._provider.send, replace(asked, path="") if self._has_path else asked)
        self.state.ledger.append({"effect": heard.name, "key": f"{asked.method} {asked.path}", "status": answer.status})
        if violations := _violations(heard, answer):
            raise Fault("provider-reply-invalid", heard.name, errors=violations)
        return answer


def _violations(heard: Heard, answer: Answer) -> Sequence[Violation]:
    """What in the answer breaks the WSDL: its status, its media type, its envelope, the typed detail of its fault."""
    if answer.status not in ENVELOPES:
        return [Violation("", f"status {answer.status} is none that SOAP answers with", "status")]
    if heard.speech.reply is None and not answer.body.strip():
        return []
    media = answer.media_type.partition(";")[0].strip().lower()
    if MEDIA_TYPES.get(media) != heard.port.version:
        return [Violation("", f"{media or 'no media type'} is not that of this version of SOAP", "media-type")]
    try:
        value, violations = heard.speech.read(answer.body)
    except CodecError as error:
        return [Violation(error.pointer, str(error), "codec")]
    return violations or list(_in_fault(heard, value, answer.status))


def _in_fault(heard: Heard, value: Any, status: int) -> Sequence[Violation]:
    if not isinstance(value, SoapFault):
        return [] if status in {200, 202} else [Violation("", f"status {status} is that of a fault, and there is none", "status")]
    if value.name and not heard.speech.fault_element(value.name, value.detail):
        return [Violation(f"/{value.name}", "breaks the XSD of the fault that it is declared as", "fault")]
    return []


__all__ = ["SoapProxy"]
