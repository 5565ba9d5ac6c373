"""The ports of a WSDL as zeep reads them, from an outline of the documents: what it would stumble over is left out, types are names only.

zeep knows services, ports, bindings, port types and messages. It drops `soap:body/@parts`, stops the whole document at a header that it
cannot resolve, and its own reading of types drops facets and fails on much that is sound: those are read from the documents themselves.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from lgsp.codec.tables import SOAP_11, SOAP_12
from lgsp.contract.wsdl_files import WSDL, XSD
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.contract.wsdl_files import Documents
    from lgsp.contract.xsd_parts import SchemaPart

VERSIONS = {Soap11Binding: SOAP_11, Soap12Binding: SOAP_12}
BINDING_SPACES = {SOAP_11: "http://schemas.xmlsoap.org/wsdl/soap/", SOAP_12: "http://schemas.xmlsoap.org/wsdl/soap12/"}
MIME = "http://schemas.xmlsoap.org/wsdl/mime/"
_NAMED = {f"{{{XSD}}}{kind}" for kind in ("element", "complexType", "simpleType")}
_ROOT = PurePosixPath("/lgsp")

# What zeep raises over a faulty WSDL: its own errors, and those of Python where it trusted the document.
_FAULTS = (
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
        self._texts = {str(_ROOT / file): text for file, text in texts.items()}

    def __del__(self) -> None:
        """Close nothing: there is no HTTP session that zeep would close here."""

    def load(self, url: str) -> bytes:
        return self._texts[url]


def read_ports(documents: Documents, parts: Sequence[SchemaPart]) -> list[ReadPort]:
    """Every port with a SOAP binding over HTTP, in the WSDL's order. Raises ContractError where zeep cannot read the bindings."""
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # zeep warns of what it drops; nothing is dropped silently here
            transport: Any = _Offline(_outline(documents, parts))
            document = Document(str(_ROOT / documents.main), transport, settings=settings)
    except (*_FAULTS, Warning) as error:
        reason = f"zeep cannot read the bindings: {type(error).__name__}: {str(error).replace(f'{_ROOT}/', '')}"
        raise ContractError([Finding(documents.main, 0, "", "wsdl", reason)]) from error
    return [
        ReadPort(service.name, name, VERSIONS[type(port.binding)], (port.binding_options or {}).get("address") or "", port.binding)
        for service in document.services.values()
        for name, port in service.ports.items()
        if type(port.binding) in VERSIONS
    ]


# ---- the outline -----------------------------------------------------------------------------------------------------------------------


def _outline(documents: Documents, parts: Sequence[SchemaPart]) -> Mapping[str, bytes]:
    """Every document as zeep shall see it."""
    types = etree.Element(f"{{{WSDL}}}types")
    types.extend(_names_only(parts, _used(documents)))
    texts = {}
    for file, root in documents.roots.items():
        if root.tag == f"{{{XSD}}}schema":
            texts[file] = etree.tostring(etree.Element(f"{{{XSD}}}schema"))
            continue
        attributes: Any = dict(root.attrib.items())
        spaces: Any = root.nsmap
        outline = etree.Element(root.tag, attributes, nsmap=spaces)
        outline.extend(deepcopy(child) for child in root if child.tag != f"{{{WSDL}}}types")
        outline.append(deepcopy(types))
        _simplify(outline)
        texts[file] = etree.tostring(outline)
    return texts


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


__all__ = ["BINDING_SPACES", "MIME", "ReadPort", "read_ports"]
