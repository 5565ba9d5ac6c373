"""Serves any WSDL as a stand-in, nothing else to set up: requests are judged by the XSD, answers are examples or invented and valid.

Each port answers at the path of its address, `?wsdl`, `?singleWsdl` and what they import at every path. `Prefer: code=500, example=NAME`
chooses a fault or an example (`code=400` one that blames the sender). A UsernameToken must be shown where a policy of the WSDL asks for it;
what it is worth, a stand-in cannot tell. Faults of the transport come from the layer around every twin (faults.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lgsp.codec.soap.inbound import MEDIA_TYPES, read_content_type, read_envelope, write_envelope
from lgsp.codec.soap.refusal import CONTENT_TYPES, fault_blocks, fault_element, problem_element, status_of
from lgsp.codec.soap.tables import SOAP_11
from lgsp.contract.wsdl.invent import invented, invented_fault
from lgsp.contract.wsdl.policies import token_operations
from lgsp.contract.wsdl.published import served_documents
from lgsp.contract.wsdl.single import single_document
from lgsp.errors import Fault
from lgsp.model.agreed import ADDRESS, SoapFault
from lgsp.twin.envelopes import judged_blocks, shown_token
from lgsp.twin.negotiation import preferences
from lgsp.twin.rest import Answer, State, asked_of, send_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from lgsp.codec.soap.envelope import Envelope
    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.wsdl.read import Port, WsdlContract
    from lgsp.twin.rest import Asked

NOBODY = ("urn:lgsp:twin", "0", "0")
"""Issuer, message and trace of a problem that a stand-in tells."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An operation that was asked for, by its port, and what came."""

    port: Port
    name: str
    speech: Speech
    envelope: Envelope


@dataclass(slots=True)
class Examples:
    """Values by operation and name, SoapFaults among them; `""` names the one that is given where nobody asks for another."""

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, operation: str) -> Mapping[str, Any]:
        """Those of one operation."""
        return self.values.get(operation, {})


class SoapTwin:
    """The ASGI application. `seed` makes every answer; `state` is what the ledger shows."""

    def __init__(self, contract: WsdlContract, documents: Documents, seed: int = 0, examples: Examples | None = None) -> None:
        self.contract = contract
        self.paths = {port.name: _path(port.address) for port in contract.ports}
        self._documents = served_documents(documents, self.paths)
        self._wanted = token_operations(documents)
        self._seed = seed
        self._examples = examples or Examples()
        self.state = State()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        asked = await asked_of(scope, receive)
        version = MEDIA_TYPES.get(asked.headers.get("content-type", "").partition(";")[0].strip().lower(), SOAP_11)
        try:
            answer = self._document(asked) if asked.method == "GET" else await self.answer(self.judged(asked), asked)
        except Fault as fault:
            answer = refusal(fault, version)
        await send_answer(send, answer)

    def judged(self, asked: Asked) -> Heard:
        """The operation that is asked for; a Fault where the request breaks the contract."""
        ports = self._ports(asked)
        if asked.method != "POST":
            raise Fault("method-not-allowed", headers=(("Allow", "GET, POST"),))
        media_type, parameters = read_content_type(asked.headers.get("content-type", ""))
        envelope, _ = read_envelope(asked.body, media_type, parameters.get("charset"))
        spoken = [port for port in ports if port.version == envelope.version]
        if not spoken:
            raise Fault("soap-version", extra={"versions": sorted({port.version for port in ports})})
        action = parameters.get("action", "") or asked.headers.get("soapaction", "").strip().strip('"')
        heard = _dispatched(spoken, envelope, action)
        judged_blocks(envelope, heard.speech)
        if heard.name in self._wanted.get(heard.port.name, ()):
            shown_token(envelope, time.time())
        if action and heard.speech.operation.action not in {"", action}:
            raise Fault("action-mismatch")
        _, violations = heard.speech.request.read(envelope)
        if violations:
            raise Fault("body-invalid", errors=violations)
        return heard

    async def answer(self, heard: Heard, asked: Asked) -> Answer:
        """What a provider would say; every call is an effect in the ledger."""
        chosen = self._chosen(heard, preferences(asked.headers.get("prefer", "")))
        self.state.ledger.append({"effect": heard.name, "key": f"{asked.method} {asked.path}", "status": chosen.status})
        return chosen

    # ---- documents and ports -----------------------------------------------------------------------------------------------------------

    def _ports(self, asked: Asked) -> list[Port]:
        path = unquote(asked.path)
        found = [port for port in self.contract.ports if unquote(self.paths[port.name]) == path]
        if not found and path != "/":
            raise Fault("not-found", f"the WSDL's ports are at {', '.join(sorted(set(self.paths.values())))}")
        return found or list(self.contract.ports)

    def _document(self, asked: Asked) -> Answer:
        self._ports(asked)
        kind, name = next(iter(asked.query.items()), ("", ""))
        single = kind.lower() == "singlewsdl" and not name
        if kind.lower() not in {"wsdl", "xsd"} and not single:
            raise Fault("method-not-allowed", "an envelope comes by POST; ?wsdl gives the WSDL", headers=(("Allow", "POST"),))
        text = single_document(self._documents) if single else self._documents.get(name)
        if text is None:
            raise Fault("not-found")
        here = f"http://{asked.headers.get('host', 'localhost')}/"
        return Answer(200, "text/xml; charset=utf-8", text.replace(ADDRESS.encode(), here.encode()))

    # ---- the answer --------------------------------------------------------------------------------------------------------------------

    def _chosen(self, heard: Heard, wanted: Mapping[str, str]) -> Answer:
        code, name = wanted.get("code", "200"), wanted.get("example")
        version = heard.port.version
        examples, declared = self._examples.of(heard.name), {each.key: each for each in heard.speech.operation.faults}
        is_fault = code in {"400", "500"} or (name in declared and name not in examples)
        if code not in {"200", "202", "400", "500"}:
            raise Fault("malformed-request", "Prefer: SOAP answers with code 200, 400 (a fault of the sender) or 500 (of the receiver)")
        if name is not None and name not in (declared if code in {"400", "500"} else {**declared, **examples}):
            told = ", ".join([*declared, *(each for each in examples if each)]) or "none"
            raise Fault("malformed-request", f"Prefer: there is no fault or example of this name; there are: {told}")
        applied = ", ".join(f"{each}={wanted[each]}" for each in ("code", "example") if each in wanted)
        headers = {"Preference-Applied": applied} if applied else {}
        if is_fault:
            fault = self._fault(heard, name, "Client" if code == "400" else "Server")
            return Answer(_status(fault, version), CONTENT_TYPES[version], heard.speech.faults.write(version, fault), headers)
        if heard.speech.reply is None:
            return Answer(202, headers=headers)
        value = examples[name or ""] if (name or "") in examples else self._invented(heard)
        if isinstance(value, SoapFault):
            return Answer(_status(value, version), CONTENT_TYPES[version], heard.speech.faults.write(version, value), headers)
        return Answer(200, CONTENT_TYPES[version], heard.speech.reply.write(value)[0], headers)

    def _invented(self, heard: Heard) -> Any:
        side = heard.speech.reply
        value, violations = ({}, ()) if side is None else invented(side, heard.speech, heard.name, self._turn())
        if violations or value is None:
            raise Fault("no-example", f"{heard.name}: give the answer an example, as {heard.name}.xml in --examples", errors=violations)
        return value

    def _fault(self, heard: Heard, name: str | None, code: str) -> SoapFault:
        """A declared fault, the first one where none is named; a plain one where none is declared."""
        declared = [each for each in heard.speech.operation.faults if name in {None, each.key}]
        value = invented_fault(heard.speech, declared[0], self._turn()) if declared else None
        reason = "Lỗi theo yêu cầu (Prefer) / A fault to order (Prefer)"
        return SoapFault(code, reason) if value is None else SoapFault(code, reason, value, name=declared[0].key)

    def _turn(self) -> int:
        return self._seed * 7_919 + len(self.state.ledger)


def _dispatched(ports: list[Port], envelope: Envelope, action: str) -> Heard:
    """The operation of the body's element; of several, or where the body is empty, that of the action."""
    element = str(envelope.bodies[0].tag) if envelope.bodies else None
    found = [
        Heard(port, name, speech, envelope)
        for port in ports
        for name, speech in port.operations.items()
        if (speech.operation.request.body.name if speech.operation.request.body else None) == element
    ]
    by_action = [heard for heard in found if heard.speech.operation.action == action]
    if found:
        return (by_action or found)[0]
    local = (element or "").rpartition("}")[2]
    if any(local == name or local == name + "Request" for port in ports for name in port.by_zeep):
        raise Fault("no-example", f"{local} has SOAP encoding or several parts in its body, which a stand-in does not speak")
    raise Fault("malformed-body", "the element in the Body asks for no operation of this port")


def _path(address: str) -> str:
    """The path of an address; people leave all kinds of words in its place."""
    try:
        return "/" + urlsplit(address.strip()).path.lstrip("/")
    except ValueError:
        return "/"


def _status(fault: SoapFault, version: str) -> int:
    return 400 if version != SOAP_11 and fault.code.partition(".")[0] in {"Client", "Sender"} else 500


def refusal(fault: Fault, version: str) -> Answer:
    """What the stand-in itself says no to, as the hub would say it."""
    content = fault_element(fault, version, problem_element(fault, NOBODY))
    document = write_envelope(version, fault_blocks(fault, version), content)
    return Answer(status_of(fault, version), CONTENT_TYPES[version], document, dict(fault.headers))


__all__ = ["Examples", "Heard", "SoapTwin", "refusal"]
