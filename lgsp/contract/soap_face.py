"""A WSDL of ours compiled for the SOAP door: what each version of SOAP may ask, and the documents that are published.

It says nothing of REST: `soap_contract` gives the operations of a service whose only contract is a WSDL, its value form being canonical.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec import soap
from lgsp.codec.tables import SOAP_11, SOAP_12
from lgsp.contract.openapi import HttpOperation, OpenApi
from lgsp.contract.published import SOAP_BINDINGS, published_documents
from lgsp.contract.wsdl import read_operations
from lgsp.contract.wsdl_files import WSDL, read_folder
from lgsp.contract.xsd_view import soap_schemas
from lgsp.errors import ContractError, Finding
from lgsp.model.agreed import SoapFace, SoapOperation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.tables import Grammar, Operation
    from lgsp.codec.verdict import Verdict
    from lgsp.contract.wsdl_files import Folder
    from lgsp.errors import Violation

    Compiled = tuple[Mapping[str, Operation], Grammar, Verdict]

WSAM = "http://www.w3.org/2007/05/addressing/metadata"


def read_face(path: Path, names: Collection[str]) -> SoapFace:
    """The face of a service that offers these operations; ContractError with every finding."""
    folder = read_folder(path)
    ports = _ports(folder)
    if not ports:
        raise ContractError([Finding(folder.main, 0, "", "port", "there is no port with a SOAP binding over HTTP")])
    operations: dict[tuple[str, str], SoapOperation] = {}
    for version, port in ports.items():
        compiled = read_operations(path, port)
        missing = [name for name in names if name not in compiled[0]]
        if missing:
            reason = f"port {port} has no operation {', '.join(missing)}"
            raise ContractError([Finding(folder.main, 0, "", "operation", reason, "name one of the WSDL's operations")])
        operations |= {(version, each.element): each for each in _operations(folder, compiled, names)}
    return SoapFace(frozenset(ports), MappingProxyType(operations), published_documents(folder, frozenset(ports.values()), names))


def soap_contract(path: Path, version: str) -> OpenApi:
    """A WSDL in place of an OpenAPI contract: operations that no REST consumer can ask for, with the schemas that the proofs need."""
    folder = read_folder(path)
    service = folder.documents[folder.main].find(f"{{{WSDL}}}service")
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


def _ports(folder: Folder) -> Mapping[str, str]:
    """Version -> the first port that speaks it."""
    found: dict[str, str] = {}
    ports = [port for root in folder.documents.values() for port in root.findall(f"{{{WSDL}}}service/{{{WSDL}}}port")]
    for port, (version, space) in ((port, spoken) for port in ports for spoken in SOAP_BINDINGS.items()):
        if port.find(f"{{{space}}}address") is not None:
            found.setdefault(version, str(port.get("name")))
    return {version: found[version] for version in (SOAP_11, SOAP_12) if version in found}


def _operations(folder: Folder, compiled: Compiled, names: Collection[str]) -> Iterator[SoapOperation]:
    operations, grammar, verdict = compiled
    derived = _derived_actions(folder)
    for name in names:
        asked = operations[name]
        answered = replace(asked, request=asked.reply, reply=asked.request)
        wire = soap.wire(answered, grammar, verdict)
        said, reply_action = derived[name]
        yield SoapOperation(
            name=name,
            element=asked.request.name,
            actions=frozenset({asked.action, said}) if asked.action else frozenset({said}),
            reply_action=reply_action,
            read=_reading(wire.read),
            write=wire.write,
        )


def _reading(read: Any) -> Any:
    def read_request(document: bytes) -> tuple[Mapping[str, str], Any, Sequence[Violation]]:
        value, violations = read(document)
        return {}, value, violations

    return read_request


def _derived_actions(folder: Folder) -> Mapping[str, tuple[str, str]]:
    """Operation -> the actions of request and answer that WS-Addressing 1.0 Metadata (section 4.4.4) derives, or that stand in the WSDL."""
    found = {}
    for root in folder.documents.values():
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
