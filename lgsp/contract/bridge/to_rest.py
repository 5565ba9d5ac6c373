"""From a provider's WSDL alone to an OpenAPI 3.1 contract: names kept, types mapped, faults as problems.

Each operation is `POST /NAME`: SOAP says of no operation that it may be repeated, and its request may be of any shape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lgsp.contract.bridge.shapes import Shapes
from lgsp.contract.bridge.to_soap import RECEIPT
from lgsp.contract.openapi.read import JSON
from lgsp.contract.wsdl.files import WSDL, read_documents
from lgsp.contract.wsdl.read import contract_of
from lgsp.contract.wsdl.source import open_source
from lgsp.errors import ContractError, Finding
from lgsp.schema import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lgsp.codec.soap.tables import Operation
    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.wsdl.read import Port

    Schema = dict[str, Any]

COMPONENTS = "#/components/schemas/"
PROBLEM = "Problem"
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")
_TEXT = {"type": "string"}


def openapi_of(path: Path, port: str | None = None, version: str = "1.0.0") -> dict[str, Any]:
    """The draft of a contract for one port of a WSDL. Raises ContractError with every finding of the WSDL."""
    documents = read_documents(*open_source(path))
    found = contract_of(documents).port(port)
    if not found.operations:
        reason = f"port {found.name} has no operation that the codec speaks, and zeep knows no types to make a contract of"
        raise ContractError([Finding(documents.main, 0, "", "zeep", reason)])
    return document_of(documents, found, version, [*found.operations])


def operation_ids(names: Iterable[str]) -> Mapping[str, str]:
    """Operations' names as rights and addresses may carry them; most names stay as they are."""
    ids: dict[str, str] = {}
    for name in names:
        plain = _NO_NAME.sub("_", name).strip("_")[:50]
        wish = found = plain if plain[:1].isalpha() else f"op_{plain}"
        count = 1
        while found in ids.values():
            count += 1
            found = f"{wish}_{count}"
        ids[name] = found
    return ids


def document_of(documents: Documents, port: Port, version: str, names: Sequence[str]) -> dict[str, Any]:
    """The draft for these operations; ContractError if there are none."""
    if not names:
        raise ContractError([Finding(documents.main, 0, "", "operation", f"the port {port.name} has no operations")])
    grammar = port.operations[names[0]].grammar
    shapes = Shapes(grammar, COMPONENTS)
    said = _documentation(documents)
    ids = operation_ids(names)
    paths = {
        f"/{ids[name]}": {"post": _operation(ids[name], port.operations[name].operation, shapes, said.get(name, ""))} for name in names
    }
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": port.service, **({"description": said[""]} if said.get("") else {}), "version": version},
        "paths": paths,
        "components": {"schemas": {**shapes.named(), PROBLEM: problem_schema()}},
    }


def problem_responses(fault: Schema | None = None) -> dict[str, Any]:
    """What a contract says of everything that is no reply; `fault`: the schema of the provider's own, told along."""
    problem: Schema = {"$ref": COMPONENTS + PROBLEM}
    if fault is not None:
        told = {"type": "object", "properties": {"code": _TEXT, "reason": _TEXT, "name": _TEXT, "detail": fault}}
        problem = {"allOf": [problem, {"type": "object", "properties": {"providerFault": told}}]}
    return {
        "default": {
            "description": "Lỗi theo RFC 9457 / A problem as RFC 9457 has it",
            "content": {"application/problem+json": {"schema": problem}},
        },
    }


def _operation(name: str, operation: Operation, shapes: Shapes, said: str) -> dict[str, Any]:
    faults = [shapes.element(fault) for fault in operation.faults]
    return {
        "operationId": name,
        **({"description": said} if said else {}),
        "requestBody": {"required": True, "content": {JSON: {"schema": shapes.message(operation.request)}}},
        "responses": {
            **_reply(operation, shapes),
            **problem_responses(None if not faults else faults[0] if len(faults) == 1 else {"anyOf": faults}),
        },
    }


def _reply(operation: Operation, shapes: Shapes) -> dict[str, Any]:
    """The answer, or the receipt of an operation that has none: it is kept, and delivered as soon as may be."""
    if operation.reply is None:
        return {"202": {"description": "Giấy nhận / Receipt", "content": {JSON: {"schema": RECEIPT}}}}
    return {"200": {"description": "Trả lời / Reply", "content": {JSON: {"schema": shapes.message(operation.reply)}}}}


def problem_schema() -> Schema:
    """What the hub answers instead of a reply; `providerMessage` are the provider's own words."""
    place = {"type": "object", "required": ["pointer", "detail", "code"], "properties": dict.fromkeys(("pointer", "detail", "code"), _TEXT)}
    return {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _TEXT,
            "instance": {"type": "string", "format": "uri-reference"},
            "traceId": _TEXT,
            "blame": {"enum": ["consumer", "platform", "provider", "national", "network"]},
            "retryable": {"type": "boolean"},
            "providerMessage": _TEXT,
            "errors": {"type": "array", "items": place},
        },
    }


def _documentation(documents: Documents) -> Mapping[str, str]:
    """What the WSDL says for people: of its service (under no name), and of operations by their names."""
    said: dict[str, str] = {}
    for root in documents.roots.values():
        for service in root.findall(f"{{{WSDL}}}service"):
            said.setdefault("", _words(service))
        for operation in root.findall(f"{{{WSDL}}}portType/{{{WSDL}}}operation"):
            said.setdefault(str(operation.get("name")), _words(operation))
    return said


def _words(node: Any) -> str:
    found = node.find(f"{{{WSDL}}}documentation")
    return " ".join("".join(found.itertext()).split()) if found is not None else ""
