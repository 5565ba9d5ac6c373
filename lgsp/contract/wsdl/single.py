"""A published WSDL as one document that needs no other: the schemas that it reaches stand inside, one for each namespace (`?singleWsdl`).

WSDLs that it imports are taken in where they have its namespace. A `wsdl:definitions` has only one: what imports one of another cannot be
one document, and stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lxml import etree

from lgsp.contract.wsdl.files import SCHEMA, WSDL, XSD, read_documents
from lgsp.contract.wsdl.source import ZipFiles
from lgsp.contract.xsd.build import lent
from lgsp.contract.xsd.parts import SchemaPart, schema_parts
from lgsp.model.agreed import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents

MAIN = "0.wsdl"
TYPES = f"{{{WSDL}}}types"
ORDER = tuple(f"{{{WSDL}}}{kind}" for kind in ("documentation", "types", "message", "portType", "binding", "service"))
_CLEAN = etree.XMLParser(ns_clean=True, resolve_entities=False, no_network=True, huge_tree=False)
_LINK = re.compile(re.escape(ADDRESS) + r"\?(?:xsd|wsdl)=([^\"'&<>]+)")
_FORMS = ((f"{{{XSD}}}element", "elementFormDefault"), (f"{{{XSD}}}attribute", "attributeFormDefault"))


def linked(texts: Mapping[str, bytes]) -> ZipFiles:
    """What `published_documents` gave, as files that name one another; the WSDL is MAIN."""
    flat = {name: f"{place}.{'xml' if name else 'wsdl'}" for place, name in enumerate(sorted(texts))}
    return ZipFiles({flat[name]: _LINK.sub(lambda found: flat[unquote(found[1])], text.decode()).encode() for name, text in texts.items()})


def single_document(texts: Mapping[str, bytes]) -> bytes:
    """What `published_documents` gave, as one document."""
    read = read_documents(linked(texts), MAIN)
    roots = _of_one_namespace(read)
    if roots is None:
        return texts[""]
    types = _around(etree.Element(TYPES, nsmap={"wsdl": WSDL}), map(etree.tostring, _schemas(schema_parts(read))))
    children = [child for root in roots for child in root if child.tag in ORDER and child.tag != TYPES]
    inside = [(TYPES, types), *((str(child.tag), etree.tostring(child, with_tail=False)) for child in children)]
    whole = _around(roots[0], (text for _, text in sorted(inside, key=lambda each: ORDER.index(each[0]))))
    return etree.tostring(etree.fromstring(whole, _CLEAN), xml_declaration=True, encoding="UTF-8")


def _of_one_namespace(read: Documents) -> list[_Element] | None:
    """The main WSDL and those that it imports; None where one has another namespace."""
    taken = [MAIN]
    for file in taken:  # it grows on the way
        links = read.roots[file].findall(f"{{{WSDL}}}import")
        taken += [target for target in (read.target(file, node) for node in links) if target is not None and target not in taken]
    roots = [read.roots[file] for file in taken]
    wsdls = [root for root in roots if root.tag != SCHEMA]
    return wsdls if len({root.get("targetNamespace") for root in wsdls}) == 1 else None


def _around(element: _Element, inside: Iterable[bytes]) -> bytes:
    """An element's tags around these texts: lxml would drop prefixes that only attributes use where it moves nodes."""
    spaces: Any = element.nsmap
    empty = etree.Element(element.tag, {str(name): str(value) for name, value in element.attrib.items()}, nsmap=spaces)
    empty.text = ""
    start, end = etree.tostring(empty).rsplit(b"</", 1)
    return b"".join((start, *inside, b"</", end))


# ---- schemas ---------------------------------------------------------------------------------------------------------------------------


def _schemas(parts: Sequence[SchemaPart]) -> Iterator[_Element]:
    """One xs:schema for each namespace, with the imports that it needs."""
    filled = [part for part in (*parts, *lent(parts)) if any(node.tag != f"{{{XSD}}}annotation" for node in part.root)]
    spaces = dict.fromkeys(part.namespace for part in filled)
    for space in spaces:
        members = [part for part in filled if part.namespace == space]
        schema = members[0].root if len(members) == 1 else _merged(members)
        for link in schema.findall(f"{{{XSD}}}import"):
            schema.remove(link)
        for place, other in enumerate(name for name in spaces if name != space and _mentions(schema, name)):
            schema.insert(place, etree.Element(f"{{{XSD}}}import", {"namespace": other} if other else {}))
        yield schema


def _mentions(schema: _Element, space: str) -> bool:
    return not space or any(space in node.nsmap.values() or "xml:" in (node.get("ref") or "") for node in schema.iter(etree.Element))


def _merged(members: Sequence[SchemaPart]) -> _Element:
    """Several schemas of one namespace as one; where they differ in their defaults of form, each element says its own."""
    first = members[0].root
    named: dict[tuple[str, str], bytes] = {}
    for part in members:
        for tag, default in _FORMS:
            if part.root.get(default, "unqualified") != first.get(default, "unqualified"):
                _say_form(part.root, tag, part.root.get(default, "unqualified"))
        for child in part.root.iterchildren(etree.Element):
            name = child.get("name") or str(len(named))
            named.setdefault((str(child.tag), name), etree.tostring(child, with_tail=False))  # of two of one name the first counts
    return etree.fromstring(_around(first, named.values()), _CLEAN)


def _say_form(schema: _Element, tag: str, form: str) -> None:
    for node in schema.iter(tag):
        if node.getparent() is not schema and node.get("name") and node.get("form") is None:
            node.set("form", form)


__all__ = ["single_document"]
