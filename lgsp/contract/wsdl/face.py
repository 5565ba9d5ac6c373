"""A WSDL of ours compiled for the SOAP door: what each version of SOAP may ask, and the documents that are published.

It says nothing of REST: `soap_contract` gives the operations of a service whose only contract is a WSDL, its value form being canonical.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.lexical import Doubt, Unwritable, pointer_of
from lgsp.contract.openapi.read import HttpOperation, OpenApi
from lgsp.contract.wsdl.files import WSDL, read_documents
from lgsp.contract.wsdl.published import SOAP_BINDINGS, published_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.single import single_document
from lgsp.contract.wsdl.source import open_source
from lgsp.contract.xsd.view import soap_schemas
from lgsp.errors import ContractError, Finding, Violation
from lgsp.model.face import SoapFace, SoapOffer, SoapOperation, Wsdl

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.envelope import Envelope
    from lgsp.codec.soap.speech import Speech
    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.wsdl.read import Port

WSAM = "http://www.w3.org/2007/05/addressing/metadata"


@dataclass(frozen=True, slots=True)
class Crossed:
    """How one operation's values cross where the WSDL has another form than the canonical one.

    read: native request to parameters as texts and canonical value. write: canonical reply to native. Both raise Unwritable.
    """

    read: Callable[[Any], tuple[Mapping[str, str], Any]]
    write: Callable[[Any], Any]


def _unchanged(value: Any) -> tuple[Mapping[str, str], Any]:
    return {}, value


AS_IT_IS = Crossed(_unchanged, lambda value: value)


def _in_its_own_form(_name: str, _speech: Speech) -> Crossed:
    return AS_IT_IS


def read_offer(path: Path, names: Collection[str]) -> SoapOffer:
    """What a service whose contract is this WSDL offers, its face made; ContractError with every finding."""
    documents = read_documents(*open_source(path))
    offer = SoapOffer(published_wsdl(lambda: documents, names), lambda: face_of(documents, names, _in_its_own_form))
    offer.face()
    return offer


def published_wsdl(documents: Callable[[], Documents], names: Collection[str]) -> Wsdl:
    """A WSDL as it is published with these operations; compiles it to know its ports."""

    def published() -> Mapping[str, bytes]:
        read = documents()
        return published_documents(read, frozenset(port.name for port in _ports(read).values()), names)

    return wsdl_offered(published)


def wsdl_offered(documents: Callable[[], Mapping[str, bytes]]) -> Wsdl:
    """The WSDL of published documents, which are written once."""
    written = cache(documents)
    return Wsdl(written, cache(lambda: single_document(written())))


def face_of(documents: Documents, names: Collection[str], crossed: Callable[[str, Speech], Crossed]) -> SoapFace:
    """The compiled face; `crossed` says for each operation how its values cross. ContractError with every finding."""
    ports = _ports(documents)
    operations: dict[tuple[str, str], SoapOperation] = {}
    for version, port in ports.items():
        missing = [name for name in names if name not in port.operations]
        if missing:
            reason = f"port {port.name} has no operation {', '.join(missing)}"
            raise ContractError([Finding(documents.main, 0, "", "operation", reason, "name one of the WSDL's operations")])
        operations |= {(version, each.element): each for each in _operations(documents, port.operations, names, crossed)}
    return SoapFace(frozenset(ports), MappingProxyType(operations))


def _ports(documents: Documents) -> Mapping[str, Port]:
    """The first port of each version of SOAP."""
    contract = contract_of(documents)
    if not contract.ports:
        raise ContractError([Finding(documents.main, 0, "", "port", "there is no port with a SOAP binding over HTTP")])
    return {version: port for version in SOAP_BINDINGS for port in contract.ports[::-1] if port.version == version}


def soap_contract(path: Path, version: str) -> OpenApi:
    """A WSDL in place of an OpenAPI contract: operations that no REST consumer can ask for, with the schemas that the proofs need."""
    documents = read_documents(*open_source(path))
    service = documents.roots[documents.main].find(f"{{{WSDL}}}service")
    title = str(service.get("name")) if service is not None else path.stem
    operations = {name: _unlisted(name, *schemas) for name, schemas in soap_schemas(path).items()}
    return OpenApi({}, title, version, MappingProxyType(operations))


def _unlisted(name: str, request: Mapping[str, Any], reply: Mapping[str, Any]) -> HttpOperation:
    return HttpOperation(
        name=name,
        method="",
        path="",
        media_types=(),
        parameters=(),
        body_required=True,
        request_schema=request,
        reply_schema=reply,
        read_parameters=lambda texts: (texts, ()),
        check_request=_judged_by_the_xsd,
        check_reply=_judged_by_the_xsd,
    )


def _judged_by_the_xsd(_value: Any) -> Sequence[Violation]:
    return ()


def _operations(
    documents: Documents, spoken: Mapping[str, Speech], names: Collection[str], crossed: Callable[[str, Speech], Crossed]
) -> Iterator[SoapOperation]:
    derived = _derived_actions(documents)
    for name in names:
        speech = spoken[name]
        asked = speech.operation
        said, reply_action = derived[name]
        crossing = crossed(name, speech)
        yield SoapOperation(
            name=name,
            element=asked.request.body.name if asked.request.body is not None else "",
            actions=frozenset({asked.action, said}) if asked.action else frozenset({said}),
            reply_action=reply_action,
            read=_reading(speech, crossing),
            write=_nothing if speech.reply is None else _writing(speech.reply.write, crossing),
            recognise=_recognising(speech, crossing),
            fault=speech.fault_element,
            one_way=speech.reply is None,
            binary=speech.binary,
        )


def _recognising(speech: Speech, crossing: Crossed) -> Any:
    def recognise(document: bytes) -> tuple[Mapping[str, str], Any] | None:
        try:
            return crossing.read(speech.request.recognised(document))
        except (Doubt, ValueError, Unwritable):
            return None

    return recognise


def _reading(speech: Speech, crossing: Crossed) -> Any:
    def read_request(envelope: Envelope) -> tuple[Mapping[str, str], Any, Sequence[Violation]]:
        value, violations = speech.request.read(envelope)
        if violations:
            return {}, None, violations
        try:
            return *crossing.read(value), ()
        except Unwritable as flaw:
            return {}, None, (_flaw(flaw),)

    return read_request


def _writing(write: Callable[[Any], tuple[bytes, Sequence[Violation]]], crossing: Crossed) -> Any:
    def write_reply(value: Any) -> tuple[bytes, Sequence[Violation]]:
        try:
            native = crossing.write(value)
        except Unwritable as flaw:
            return b"", (_flaw(flaw),)
        return write(native)

    return write_reply


def _flaw(flaw: Unwritable) -> Violation:
    return Violation(pointer_of(flaw.steps[::-1]), flaw.detail, "codec")


def _nothing(_native: Any) -> tuple[bytes, Sequence[Violation]]:
    return b"", ()


def _derived_actions(documents: Documents) -> Mapping[str, tuple[str, str]]:
    """Operation -> the actions of request and answer that WS-Addressing 1.0 Metadata (section 4.4.4) derives, or that stand in the WSDL."""
    found = {}
    for root in documents.roots.values():
        space = root.get("targetNamespace") or ""
        for port_type in root.findall(f"{{{WSDL}}}portType"):
            for operation in port_type.findall(f"{{{WSDL}}}operation"):
                name, port = str(operation.get("name")), str(port_type.get("name"))
                found[name] = (_action(operation, "input", (space, port, name)), _action(operation, "output", (space, port, name)))
    return found


def _action(operation: Any, side: str, words: tuple[str, str, str]) -> str:
    node = operation.find(f"{{{WSDL}}}{side}")
    space, port, name = words
    declared = node.get(f"{{{WSAM}}}Action") if node is not None else None
    if declared:
        return str(declared)
    default = f"{name}{'Request' if side == 'input' else 'Response'}"
    last = (node.get("name") if node is not None else None) or default
    delimiter = ":" if space.startswith("urn:") else "/"
    return delimiter.join((space.rstrip(delimiter), port, last))
