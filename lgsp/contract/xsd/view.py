"""SOAP operations as JSON Schemas, for the proofs: names, lists, what must be there, kinds of text; facets stay with the XSD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, TEXT_KEY, Kind
from lgsp.contract.wsdl.read import read_contract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lgsp.codec.soap.tables import Attribute, Field, Grammar, Message, Shape

_TYPES = {
    Kind.TEXT: "string",
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "number",
    Kind.FLOAT: "number",
    Kind.QNAME: "string",
}


def soap_schemas(path: Path, port: str | None = None) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Operation to the schemas of its request and reply; for a WSDL that read_contract reads without findings."""
    found = read_contract(path).port(port)
    unjudged: dict[str, Any] = {name: ({}, {}) for name in found.by_zeep}
    return unjudged | {
        name: (_side(speech.operation.request, speech.grammar), _side(speech.operation.reply, speech.grammar))
        for name, speech in found.operations.items()
    }


def _side(message: Message | None, grammar: Grammar) -> Mapping[str, Any]:
    if message is None or message.body is None:
        return {"type": "object", "properties": {}}
    return {"$ref": f"#/$defs/{message.body.shape}", "$defs": {name: _schema(shape) for name, shape in grammar.shapes.items()}}


def _schema(shape: Shape) -> Mapping[str, Any]:
    if shape.text is not None and shape.is_bare:
        return _text(shape.text, is_list=shape.listed)
    members: dict[str, Any] = {} if shape.loose else {field.key: _member(field) for field in shape.fields}
    if shape.loose:
        members[CONTENT_KEY] = {"type": "array"}
    members |= {attribute.key: _attribute(attribute) for attribute in shape.attributes}
    if shape.text is not None:
        members[TEXT_KEY] = _text(shape.text, is_list=shape.listed)
    required = [] if shape.loose else [field.key for field in shape.fields if field.required]
    required += [each.key for each in shape.attributes if each.required]
    return {"type": "object", "properties": members, "required": required}


def _text(kind: Kind, *, is_list: bool) -> Mapping[str, Any]:
    return {"type": "array", "items": {"type": _TYPES[kind]}} if is_list else {"type": _TYPES[kind]}


def _attribute(attribute: Attribute) -> Mapping[str, Any]:
    return _text(attribute.kind, is_list=attribute.listed)


def _member(field: Field) -> Mapping[str, Any]:
    if field.key == ANY_KEY:
        return {"type": "array", "items": {"type": "string"}}
    one = {"$ref": f"#/$defs/{field.shape}"}
    return {"type": "array", "items": one} if field.many else one
