"""A WSDL as the hub publishes it: at the hub's address, only with what is offered, with our header block and our fault.

The contract itself stays as it was written. Whatever it imports is served beside it by name (`?xsd=NAME`, `?wsdl=NAME`).
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from lxml import etree

from lgsp.codec.soap.refusal import OURS
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.contract.wsdl.files import WSDL, XSD
from lgsp.model.agreed import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents

SOAP_BINDINGS: Mapping[str, str] = MappingProxyType(
    {SOAP_11: "http://schemas.xmlsoap.org/wsdl/soap/", SOAP_12: "http://schemas.xmlsoap.org/wsdl/soap12/"},
)
OURS_FILE = "lgsp.xsd"
OURS_TEXT = (Path(__file__).parent.parent.parent.parent / "contracts" / "wsdl" / "lgsp.xsd").read_bytes()
HEADER, FAULT = "LgspHeader", "LgspProblem"


def published_documents(read: Documents, ports: Collection[str], names: Collection[str]) -> Mapping[str, bytes]:
    """The WSDL under "", everything that it imports by its path below the WSDL's folder, and our own schema."""
    documents = {file: deepcopy(root) for file, root in read.roots.items()}
    main = documents[read.main]
    for file, root in documents.items():
        _rewrite_links(read, file, root)
        for part in root.iter(f"{{{WSDL}}}portType", f"{{{WSDL}}}binding"):
            _keep_offered(part, names)
    offered = _bindings_of(documents.values(), ports)
    for root in documents.values():
        _keep_ports(root, ports)
        for binding in [node for node in root.findall(f"{{{WSDL}}}binding") if str(node.get("name")) not in offered]:
            root.remove(binding)
        for binding in root.findall(f"{{{WSDL}}}binding"):
            _add_header_and_fault(binding)
        for port_type in root.findall(f"{{{WSDL}}}portType"):
            _declare_fault(port_type)
    _add_messages(main, documents.values())
    texts = {
        ("" if file == read.main else file): etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        for file, root in documents.items()
    }
    return MappingProxyType({**texts, OURS_FILE: OURS_TEXT})


def served_documents(read: Documents, paths: Mapping[str, str]) -> Mapping[str, bytes]:
    """The documents as they are, for a stand-in: links and addresses lead to ADDRESS, each port to its path there."""
    texts: dict[str, bytes] = {}
    for file, original in read.roots.items():
        root = deepcopy(original)
        _rewrite_links(read, file, root)
        for port in root.findall(f"{{{WSDL}}}service/{{{WSDL}}}port"):
            for address in (node for space in SOAP_BINDINGS.values() for node in port.findall(f"{{{space}}}address")):
                address.set("location", ADDRESS + paths.get(str(port.get("name")), "/").removeprefix("/"))
        texts["" if file == read.main else file] = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return MappingProxyType(texts)


def _rewrite_links(read: Documents, file: str, root: _Element) -> None:
    for node in root.iter(*(f"{{{XSD}}}{tag}" for tag in ("import", "include", "redefine"))):
        target = read.target(file, node)
        if target is not None:
            node.set("schemaLocation", f"{ADDRESS}?xsd={quote(target)}")
    for node in root.iter(f"{{{WSDL}}}import"):
        target = read.target(file, node)
        if target is not None:
            node.set("location", f"{ADDRESS}?{'xsd' if target.endswith('.xsd') else 'wsdl'}={quote(target)}")


def _keep_offered(part: _Element, names: Collection[str]) -> None:
    for operation in part.findall(f"{{{WSDL}}}operation"):
        if operation.get("name") not in names:
            part.remove(operation)


def _bindings_of(roots: Collection[_Element], ports: Collection[str]) -> set[str]:
    found = (port for root in roots for port in root.findall(f"{{{WSDL}}}service/{{{WSDL}}}port") if port.get("name") in ports)
    return {str(port.get("binding")).rpartition(":")[2] for port in found}


def _keep_ports(root: _Element, ports: Collection[str]) -> None:
    places = [(service, port) for service in root.findall(f"{{{WSDL}}}service") for port in service.findall(f"{{{WSDL}}}port")]
    for service, port in places:
        if port.get("name") not in ports:
            service.remove(port)
    for address in root.iter(*(f"{{{space}}}address" for space in SOAP_BINDINGS.values())):
        address.set("location", ADDRESS)


def _add_header_and_fault(binding: _Element) -> None:
    space = next(space for space in SOAP_BINDINGS.values() if binding.find(f"{{{space}}}binding") is not None)
    for operation in binding.findall(f"{{{WSDL}}}operation"):
        asked = operation.find(f"{{{WSDL}}}input")
        if asked is not None:
            header = etree.SubElement(asked, f"{{{space}}}header", nsmap={"lgspw": _namespace(binding)})
            header.attrib.update({"message": f"lgspw:{HEADER}", "part": "Lgsp", "use": "literal"})
        if operation.find(f"{{{WSDL}}}output") is not None:
            fault = etree.SubElement(operation, f"{{{WSDL}}}fault", {"name": FAULT})
            etree.SubElement(fault, f"{{{space}}}fault", {"name": FAULT, "use": "literal"})


def _namespace(node: _Element) -> str:
    return str(node.getroottree().getroot().get("targetNamespace") or "")


def _declare_fault(port_type: _Element) -> None:
    for operation in port_type.findall(f"{{{WSDL}}}operation"):
        if operation.find(f"{{{WSDL}}}output") is not None:
            fault = etree.SubElement(operation, f"{{{WSDL}}}fault", nsmap={"lgspw": _namespace(port_type)})
            fault.attrib.update({"name": FAULT, "message": f"lgspw:{FAULT}"})


def _add_messages(main: _Element, roots: Collection[_Element]) -> None:
    """Our two messages in every document that refers to them, and our schema among the types of the first."""
    for root in roots:
        if any(root.find(f"{{{WSDL}}}{kind}") is not None for kind in ("portType", "binding")):
            place = _before_port_types(root)
            for offset, (name, part, element) in enumerate(((HEADER, "Lgsp", "Lgsp"), (FAULT, "problem", "problem"))):
                message = etree.Element(f"{{{WSDL}}}message", {"name": name})
                etree.SubElement(message, f"{{{WSDL}}}part", {"name": part, "element": f"lgsp:{element}"}, nsmap={"lgsp": OURS})
                root.insert(place + offset, message)
    types = main.find(f"{{{WSDL}}}types")
    if types is None:
        types = etree.Element(f"{{{WSDL}}}types")
        main.insert(len(list(_leading(main))), types)
    schema = etree.SubElement(types, f"{{{XSD}}}schema", nsmap={"xs": XSD})
    etree.SubElement(schema, f"{{{XSD}}}import", {"namespace": OURS, "schemaLocation": f"{ADDRESS}?xsd={OURS_FILE}"})


def _before_port_types(root: _Element) -> int:
    for place, node in enumerate(root):
        if node.tag in (f"{{{WSDL}}}portType", f"{{{WSDL}}}binding"):
            return place
    return len(root)


def _leading(root: _Element) -> Iterator[_Element]:
    """Documentation and imports, which stand before the types."""
    for node in root:
        if node.tag not in (f"{{{WSDL}}}documentation", f"{{{WSDL}}}import"):
            return
        yield node
