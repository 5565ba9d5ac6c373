"""Reads a WSDL 1.1 file into one Wire for each operation of a SOAP binding.

zeep reads the bindings from an outline of the WSDL (its own reading of types drops facets and fails on much that is sound), xmlschema
reads the types, and what both say is compiled into tables that the codec speaks. SOAP 1.1 and 1.2, document/literal, wrapped or bare;
anything else is refused with a Finding that names the construct.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from lgsp.codec import soap
from lgsp.codec.tables import SOAP_11, SOAP_12, Operation
from lgsp.codec.verdict import Verdict
from lgsp.contract.wsdl_files import WSDL, XSD, line_of, read_folder, schema_parts
from lgsp.contract.xsd_types import Types
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lxml.etree import _Element

    from lgsp.codec.tables import Field, Grammar
    from lgsp.contract.wsdl_files import Folder, SchemaPart
    from lgsp.model.agreed import Wire

_VERSIONS = {Soap11Binding: SOAP_11, Soap12Binding: SOAP_12}
_BINDING_NAMESPACES = {SOAP_11: "http://schemas.xmlsoap.org/wsdl/soap/", SOAP_12: "http://schemas.xmlsoap.org/wsdl/soap12/"}

# What zeep raises over a faulty WSDL: its own errors, and those of Python where it trusted the document.
_ZEEP_ERRORS = (
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


def read_wsdl(path: Path, port: str | None = None) -> Mapping[str, Wire]:
    """The operations of one port by their names; without `port`, of the only SOAP binding (1.1 before 1.2).

    Everything is read from the WSDL's own folder. Raises ContractError with every finding (file, line, reason).
    """
    operations, grammar, verdict = read_operations(path, port)
    return MappingProxyType({name: soap.wire(operation, grammar, verdict) for name, operation in operations.items()})


def read_operations(path: Path, port: str | None = None) -> tuple[Mapping[str, Operation], Grammar, Verdict]:
    """The same, not yet bound to a side: the operations of one port by their names, the grammar and the verdict that they share."""
    folder = read_folder(path)
    parts = schema_parts(folder)
    binding = _binding(folder, _outline(folder, parts), port)
    reader = _Reader(folder, binding, Types(parts))
    operations = [operation for name in binding.all() if (operation := reader.operation(name)) is not None]
    reader.refuse_if_faulty()
    grammar = reader.types.grammar(_VERSIONS[type(binding)])
    return MappingProxyType(dict(operations)), grammar, _verdict(folder, grammar)


def _verdict(folder: Folder, grammar: Any) -> Verdict:
    try:
        return Verdict(grammar)
    except ContractError as error:
        raise ContractError([Finding(folder.main, 0, "", item.rule, item.reason) for item in error.findings]) from error


# ---- bindings, by zeep ---------------------------------------------------------------------------------------------------------------


class _Offline(Transport):
    """Gives zeep the documents at hand, and nothing else."""

    binding_classes = (Soap11Binding, Soap12Binding)

    def __init__(self, folder: Path, texts: Mapping[str, bytes]) -> None:
        self._texts = {str(folder / file): text for file, text in texts.items()}

    def __del__(self) -> None:
        """Close nothing: there is no HTTP session that zeep would close here."""

    def load(self, url: str) -> bytes:
        return self._texts[url]


def _outline(folder: Folder, parts: list[SchemaPart]) -> Mapping[str, bytes]:
    """Every document as zeep shall see it: types reduced to the names that message parts may use."""
    schemas = [_names_only(part) for part in parts]
    texts = {}
    for file, root in folder.documents.items():
        if root.tag == f"{{{XSD}}}schema":
            texts[file] = etree.tostring(etree.Element(f"{{{XSD}}}schema"))
            continue
        outline = deepcopy(root)
        for types in outline.findall(f"{{{WSDL}}}types"):
            outline.remove(types)
        types = etree.SubElement(outline, f"{{{WSDL}}}types")
        types.extend(deepcopy(schema) for schema in schemas)
        texts[file] = etree.tostring(outline)
    return texts


def _names_only(part: SchemaPart) -> _Element:
    schema = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": part.namespace} if part.namespace else {})
    for kind in ("element", "complexType", "simpleType"):
        for node in part.root.findall(f"{{{XSD}}}{kind}"):
            tag = "element" if kind == "element" else "complexType"
            etree.SubElement(schema, f"{{{XSD}}}{tag}", {"name": node.get("name") or ""})
    return schema


def _binding(folder: Folder, texts: Mapping[str, bytes], port: str | None) -> Any:
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # zeep warns of what it drops; nothing is dropped silently here
            transport: Any = _Offline(folder.path, texts)
            document = Document(str(folder.path / folder.main), transport, settings=settings)
    except (*_ZEEP_ERRORS, Warning) as error:
        reason = f"zeep cannot read the bindings: {_without(folder.path, error)}"
        raise ContractError([Finding(folder.main, 0, "", "wsdl", reason)]) from error
    ports = {name: item.binding for service in document.services.values() for name, item in service.ports.items()}
    spoken = {name: binding for name, binding in ports.items() if type(binding) in _VERSIONS}
    return _chosen(folder, spoken, port)


def _without(folder: Path, error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).replace(str(folder), '.')}"


def _chosen(folder: Folder, ports: Mapping[str, Any], port: str | None) -> Any:
    names = ", ".join(sorted(ports)) or "none"
    if port is not None:
        if port in ports:
            return ports[port]
        raise ContractError([Finding(folder.main, 0, "", "port", f"there is no SOAP port {port}; there are: {names}")])
    for version in _VERSIONS:
        bindings = {item.name.text: item for item in ports.values() if type(item) is version}
        if len(bindings) == 1:
            return next(iter(bindings.values()))
        if bindings:
            raise ContractError([Finding(folder.main, 0, "", "port", f"there are several SOAP bindings; name a port: {names}")])
    raise ContractError([Finding(folder.main, 0, "", "port", "there is no port with a SOAP binding over HTTP")])


# ---- operations ----------------------------------------------------------------------------------------------------------------------


class _Reader:
    """Turns the operations of one binding into tables; gathers findings."""

    def __init__(self, folder: Folder, binding: Any, types: Types) -> None:
        self.types = types
        self._folder = folder
        self._binding = binding
        self._soap = _BINDING_NAMESPACES[_VERSIONS[type(binding)]]
        self._findings: list[Finding] = []

    def operation(self, name: str) -> tuple[str, Operation] | None:
        found = self._binding.get(name)
        file, node = self._node(name)
        before = len(self._findings)
        self._refuse_constructs(found, file, node)
        if len(self._findings) > before:
            return None
        request = self._body(found.abstract.input_message, f"{name}/input", file, node)
        reply = self._body(found.abstract.output_message, f"{name}/output", file, node)
        faults = tuple(self._faults(found))
        if request is None or reply is None:
            return None
        return name, Operation(_VERSIONS[type(self._binding)], found.soapaction or "", request, reply, faults)

    def refuse_if_faulty(self) -> None:
        found = [*self._folder.findings, *self._findings, *self.types.findings]
        if not found and not self._binding.all():
            found = [Finding(self._folder.main, 0, "", "wsdl", "the binding has no operations")]
        if found:
            raise ContractError(list(dict.fromkeys(found)))

    def _node(self, name: str) -> tuple[str, _Element | None]:
        binding = self._binding.name.localname
        for file, root in self._folder.documents.items():
            for node in root.findall(f"{{{WSDL}}}binding"):
                if node.get("name") == binding:
                    return file, next((item for item in node.findall(f"{{{WSDL}}}operation") if item.get("name") == name), node)
        return self._folder.main, None

    def _refuse_constructs(self, found: Any, file: str, node: _Element | None) -> None:
        for construct, reason in self._constructs(found, node):
            self._findings.append(Finding(file, line_of(node), f"/{found.name}", construct, f"{construct}: {found.name} {reason}"))

    def _constructs(self, found: Any, node: _Element | None) -> Iterator[tuple[str, str]]:
        if found.style != "document":
            yield "rpc", "has style rpc; spoken is document"
        if found.abstract is None or found.abstract.input_message is None:
            yield "notification", "has no input"
        elif found.abstract.output_message is None:
            yield "one-way", "has no output"
        if node is None:
            return
        for item in node.iter(f"{{{self._soap}}}header"):
            yield "soap:header", f"puts part {item.get('part')} into the SOAP header"
        if any(item.get("use") == "encoded" for item in node.iter(f"{{{self._soap}}}body", f"{{{self._soap}}}fault")):
            yield "use=encoded", "uses SOAP encoding; spoken is literal"
        if next(node.iter("{http://schemas.xmlsoap.org/wsdl/mime/}multipartRelated"), None) is not None:
            yield "mime:multipartRelated", "sends attachments"

    def _body(self, message: Any, pointer: str, file: str, node: _Element | None) -> Field | None:
        parts = list(message.parts.items())
        reason = ""
        field = None
        if len(parts) != 1:
            reason = f"message parts: {len(parts)} parts in one body; document style has one"
        elif parts[0][1].element is None:
            reason = f"message parts: part {parts[0][0]} names a type; document style names an element"
        else:
            name = parts[0][1].element.qname.text
            field = self.types.root(name)
            reason = f"no schema declares the element {name}"
        if field is None:
            self._findings.append(Finding(file, line_of(node), f"/{pointer}", "message-part", reason))
        return field

    def _faults(self, found: Any) -> Iterator[Field]:
        """The elements of declared faults; a fault without an element is still a fault, its detail is read untyped."""
        for message in found.abstract.fault_messages.values():
            for part in message.parts.values():
                field = self.types.root(part.element.qname.text) if part.element is not None else None
                if field is not None:
                    yield field


__all__ = ["read_operations", "read_wsdl"]
