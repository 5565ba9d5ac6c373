"""SOAP operations as JSON Schemas, for the proofs: names, lists, what must be there, kinds of text; facets stay with the XSD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec.tables import TEXT_KEY, Kind
from lgsp.contract.wsdl_files import WSDL, read_folder, schema_parts
from lgsp.contract.xsd_types import Types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lxml.etree import _Element

    from lgsp.codec.tables import Field, Shape

_TYPES = {Kind.TEXT: "string", Kind.BOOLEAN: "boolean", Kind.INTEGER: "integer", Kind.DECIMAL: "number", Kind.FLOAT: "number"}


def soap_schemas(path: Path) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Operation to the schemas of its request and reply; for a WSDL that read_wsdl reads without findings."""
    folder = read_folder(path)
    types = Types(schema_parts(folder))
    elements = {
        str(root.get("name")): _element(root) for document in folder.documents.values() for root in document.findall(f"{{{WSDL}}}message")
    }
    found = {}
    for document in folder.documents.values():
        for operation in document.findall(f"{{{WSDL}}}portType/{{{WSDL}}}operation"):
            sides = [_side(operation, kind, elements, types) for kind in ("input", "output")]
            found[str(operation.get("name"))] = (sides[0], sides[1])
    return found


def _element(message: _Element) -> str:
    """The Clark name of the one element of a message."""
    part = message.find(f"{{{WSDL}}}part")
    prefix, _, local = str(part.get("element") if part is not None else "").rpartition(":")
    return f"{{{(part.nsmap if part is not None else {}).get(prefix or None, '')}}}{local}"


def _side(operation: _Element, kind: str, elements: Mapping[str, str], types: Types) -> Mapping[str, Any]:
    node = operation.find(f"{{{WSDL}}}{kind}")
    message = str(node.get("message") if node is not None else "").rpartition(":")[2]
    root = types.root(elements.get(message, ""))
    if root is None:
        return {}
    shapes = {name: _schema(shape) for name, shape in types.shapes.items()}
    return {"$ref": f"#/$defs/{root.shape}", "$defs": shapes}


def _schema(shape: Shape) -> Mapping[str, Any]:
    if shape.text is not None and not shape.attributes:
        return {"type": _TYPES[shape.text]}
    members: dict[str, Any] = {field.key: _member(field) for field in shape.fields}
    members |= {attribute.key: {"type": _TYPES[attribute.kind]} for attribute in shape.attributes}
    if shape.text is not None:
        members[TEXT_KEY] = {"type": _TYPES[shape.text]}
    required = [field.key for field in shape.fields if field.required] + [each.key for each in shape.attributes if each.required]
    return {"type": "object", "properties": members, "required": required}


def _member(field: Field) -> Mapping[str, Any]:
    one = {"$ref": f"#/$defs/{field.shape}"}
    return {"type": "array", "items": one} if field.many else one
