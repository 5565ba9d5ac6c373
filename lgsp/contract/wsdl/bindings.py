"""The ports of a WSDL as zeep reads them, from an outline of the documents: what it would stumble over is left out, types are names only.

zeep knows services, ports, bindings, port types and messages. It drops `soap:body/@parts`, stops the whole document at a header that it
cannot resolve, and its own reading of types drops facets and fails on much that is sound: those are read from the documents themselves.
"""

from __future__ import annotations

import re
import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.contract.wsdl.files import SCHEMA, WSDL, XSD, line_of
from lgsp.contract.wsdl.names import known_names, wrong_names
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.xsd.parts import SchemaPart

VERSIONS = {Soap11Binding: SOAP_11, Soap12Binding: SOAP_12}
BINDING_SPACES = {SOAP_11: "http://schemas.xmlsoap.org/wsdl/soap/", SOAP_12: "http://schemas.xmlsoap.org/wsdl/soap12/"}
MIME = "http://schemas.xmlsoap.org/wsdl/mime/"
_NAMED = {f"{{{XSD}}}{kind}" for kind in ("element", "complexType", "simpleType")}
ROOT = PurePosixPath("/lgsp")

# What zeep raises over a faulty WSDL: its own errors, and those of Python where it trusted the document.
ZEEP_FAULTS = (
    ZeepError,
    etree.LxmlError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class ReadPort:
    """One port as zeep knows it."""

    service: str
    name: str
    version: str
    address: str
    binding: Any

    @property
    def operations(self) -> list[Any]:
        """The operations of its binding, in the WSDL's order."""
        return list(self.binding.all().values())


class _Offline(Transport):
    """Gives zeep the documents at hand, and nothing else."""

    binding_classes = (Soap11Binding, Soap12Binding)

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = {str(ROOT / file): text for file, text in texts.items()}

    def __del__(self) -> None:
        """Close nothing: there is no HTTP session that zeep would close here."""

    def load(self, url: str) -> bytes:
        return self._texts[url]


def read_ports(documents: Documents, parts: Sequence[SchemaPart]) -> list[ReadPort]:
    """Every port with a SOAP binding over HTTP, in the WSDL's order. Raises ContractError where zeep cannot read the bindings."""
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        with warnings.catch_warnings(record=True) as dropped:
            warnings.simplefilter("always")
            transport: Any = _Offline(_outline(documents, parts))
            document = Document(str(ROOT / documents.main), transport, settings=settings)
    except ZEEP_FAULTS as error:
        reason = f"zeep cannot read the bindings: {type(error).__name__}: {str(error).replace(f'{ROOT}/', '')}"
        raise ContractError([Finding(documents.main, 0, "", "wsdl", reason)]) from error
    for warning in dropped:
        documents.notes.append(_dropped(documents, str(warning.message)))
    return [
        ReadPort(service.name, name, VERSIONS[type(port.binding)], (port.binding_options or {}).get("address") or "", port.binding)
        for service in document.services.values()
        for name, port in service.ports.items()
        if type(port.binding) in VERSIONS
    ]


_QUOTED = re.compile(r"'(?:\{[^}]*\})?([^']*)'").search


def _dropped(documents: Documents, warning: str) -> Finding:
    """What zeep leaves out because it refers to nothing; nothing is dropped silently here."""
    named = _QUOTED(warning)
    kinds = [f"{{{WSDL}}}{kind}" for kind in ("message", "operation", "binding") if kind in warning]
    nodes = ((file, node) for file, root in documents.roots.items() for kind in kinds for node in root.iter(kind))
    found = next(((file, node) for file, node in nodes if named and node.get("name") == named[1]), (documents.main, None))
    return Finding(found[0], line_of(found[1]), "", "left-out", f"left out: {' '.join(warning.split())}")


# ---- the outline -----------------------------------------------------------------------------------------------------------------------


def _outline(documents: Documents, parts: Sequence[SchemaPart]) -> Mapping[str, bytes]:
    """Every document as zeep shall see it."""
    types = etree.Element(f"{{{WSDL}}}types")
    types.extend(_names_only(parts, _used(documents)))
    names = known_names(documents, parts)
    texts = {}
    for file, root in documents.roots.items():
        if root.tag == SCHEMA:
            texts[file] = etree.tostring(etree.Element(SCHEMA))
            continue
        wrong = list(wrong_names(root, names))
        outline = _copy(root, dict.fromkeys(space for _, _, space, _ in wrong))
        outline.append(deepcopy(types))
        _mend(documents, file, outline, wrong)
        _simplify(outline)
        texts[file] = etree.tostring(outline)
    return texts


def _copy(root: _Element, spaces: Iterable[str]) -> _Element:
    """A document without its types, its root declaring prefixes for more namespaces.

    Copied whole, and by its text where prefixes are added: libxml2 drops a part's own prefix for a namespace that its new parent calls
    otherwise, and what attributes say by that prefix would then name nothing.
    """
    outline = deepcopy(root)
    for types in outline.findall(f"{{{WSDL}}}types"):
        outline.remove(types)
    declared = "".join(f" xmlns:mend{number}={quoteattr(space)}" for number, space in enumerate(spaces) if space)
    if not declared:
        return outline
    start = f"<{outline.prefix}:definitions" if outline.prefix else "<definitions"
    return etree.fromstring(etree.tostring(outline).replace(start.encode(), f"{start}{declared}".encode(), 1))


def _mend(documents: Documents, file: str, outline: _Element, wrong: Sequence[tuple[_Element, str, str, str]]) -> None:
    prefixes = {space: prefix for prefix, space in outline.nsmap.items()}
    for node, attribute, space, local in wrong:
        said = node.get(attribute) or ""
        reason = f"{attribute} {said} names nothing; {local} of namespace {space or '(none)'} is taken"
        documents.note((file, node), "namespace-mismatch", reason, "correct the namespace")
        meant = f"{prefixes[space]}:{local}" if space else local
        for each in outline.iter(node.tag):
            if each.get(attribute) == said:
                each.set(attribute, meant)


def _used(documents: Documents) -> set[str]:
    """Local names of the elements and types that message parts name."""
    names = (
        part.get(kind) or "" for root in documents.roots.values() for part in root.iter(f"{{{WSDL}}}part") for kind in ("element", "type")
    )
    return {name.strip().rpartition(":")[2] for name in names}


def _names_only(parts: Sequence[SchemaPart], used: set[str]) -> Iterator[_Element]:
    for part in parts:
        schema = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": part.namespace} if part.namespace else {})
        for node in part.root:
            if node.tag in _NAMED and node.get("name") in used:
                tag = "element" if node.tag == f"{{{XSD}}}element" else "complexType"
                etree.SubElement(schema, f"{{{XSD}}}{tag}", {"name": node.get("name") or ""})
        yield schema


def _simplify(outline: _Element) -> None:
    """Take out headers, and put the SOAP body of a multipart message in its place."""
    for space in BINDING_SPACES.values():
        for header in list(outline.iter(f"{{{space}}}header")):
            _parent(header).remove(header)
        for multipart in list(outline.iter(f"{{{MIME}}}multipartRelated")):
            body = next(multipart.iter(f"{{{space}}}body"), None)
            if body is not None:
                _parent(multipart).replace(multipart, deepcopy(body))


def _parent(node: _Element) -> Any:
    return node.getparent()


__all__ = ["BINDING_SPACES", "ROOT", "ZEEP_FAULTS", "ReadPort", "read_ports"]
