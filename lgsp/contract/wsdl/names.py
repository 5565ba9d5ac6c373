"""Names in a WSDL that point into the wrong namespace, as often in the wild: mended where only one thing has that name, with a note."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lgsp.codec.soap.fragment import clark
from lgsp.contract.wsdl.files import WSDL, XSD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.xsd.parts import SchemaPart

    Names = Mapping[tuple[str, str], set[str]]  # kind and local name -> namespaces

# Element of WSDL -> its attributes that name something, and what they name.
REFERENCES = {
    f"{{{WSDL}}}input": {"message": "message"},
    f"{{{WSDL}}}output": {"message": "message"},
    f"{{{WSDL}}}fault": {"message": "message"},
    f"{{{WSDL}}}binding": {"type": "portType"},
    f"{{{WSDL}}}port": {"binding": "binding"},
    f"{{{WSDL}}}part": {"element": "element", "type": "type"},
}
_KINDS = {f"{{{XSD}}}element": "element", f"{{{XSD}}}complexType": "type", f"{{{XSD}}}simpleType": "type"}


def known_names(documents: Documents, parts: Sequence[SchemaPart]) -> Names:
    """The namespaces in which each name is defined."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for root in documents.roots.values():
        for kind in ("message", "portType", "binding"):
            for node in root.findall(f"{{{WSDL}}}{kind}"):
                found[kind, node.get("name") or ""].add(root.get("targetNamespace") or "")
    for part in parts:
        for node in part.root:
            if node.tag in _KINDS:
                found[_KINDS[str(node.tag)], node.get("name") or ""].add(part.namespace)
    return found


def wrong_names(root: _Element, names: Names) -> Iterator[tuple[_Element, str, str, str]]:
    """Attributes of a document that name nothing, but would in one other namespace: element, attribute, that namespace, local name."""
    for node in root.iter(*REFERENCES):
        for attribute, kind in REFERENCES[str(node.tag)].items():
            said = node.get(attribute)
            if said is None:
                continue
            space, _, local = clark(said, node).removeprefix("{").rpartition("}")
            spaces = names.get((kind, local), set())
            if space not in {*spaces, XSD} and len(spaces) == 1:
                yield node, attribute, next(iter(spaces)), local


__all__ = ["known_names", "wrong_names"]
