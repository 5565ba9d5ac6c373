"""The operations of a binding as tables: which element the body holds in each direction, which header blocks, which faults."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.codec.soap.fragment import clark
from lgsp.codec.soap.tables import Message, Operation
from lgsp.contract.wsdl.bindings import BINDING_SPACES
from lgsp.contract.wsdl.files import WSDL, XSD
from lgsp.contract.xsd.parts import SchemaPart
from lgsp.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.codec.soap.tables import Field
    from lgsp.contract.wsdl.bindings import ReadPort
    from lgsp.contract.wsdl.files import Documents
    from lgsp.contract.xsd.types import Types

    Parts = Sequence[tuple[str, Any]]  # names with zeep's parts

_DIRECTIONS = ("input", "output")


class Bindings:
    """Turns the operations of bindings into tables; `unspoken` gathers those that the codec cannot follow, by port and name."""

    def __init__(self, documents: Documents, types: Types) -> None:
        self.unspoken: dict[tuple[str, str], ReadPort] = {}
        self._documents = documents
        self._types = types
        self._nodes = Nodes(documents)

    def operations(self, port: ReadPort) -> Mapping[str, Operation]:
        """Every operation of a port's binding that can be spoken, by its name."""
        found = {}
        for each in port.operations:
            operation = self._operation(port, each)
            if operation is not None:
                found[each.name] = operation
        if not port.operations:
            self._documents.notes.append(Finding(self._documents.main, 0, "", "wsdl", f"the binding of port {port.name} has no operations"))
        return found

    def _operation(self, port: ReadPort, found: Any) -> Operation | None:
        place = self._nodes.operation(port, found.name)
        if found.abstract is None or found.abstract.input_message is None:
            self._documents.note(place, "notification", f"notification: {found.name} has no input; nobody can call it")
            return None
        nameless = [name for message in _messages(found) for name, part in message.parts.items() if not is_whole(part)]
        if nameless:
            self._documents.note(place, "left-out", f"left out: {found.name} has part {nameless[0]} with neither an element nor a type")
            return None
        reasons = self._reasons(port, found)
        if reasons:
            construct, reason = reasons[0]
            self._documents.note(
                place, "zeep", f"{construct}: {found.name} {reason}; zeep speaks it, for consumers only, and nothing judges it"
            )
            self.unspoken[port.name, found.name] = port
            return None
        request, reply = (self._message(port, found, direction) for direction in _DIRECTIONS)
        faults = tuple(self._faults(found))
        return Operation(port.version, found.soapaction or "", request, reply, faults) if request is not None else None

    def _reasons(self, port: ReadPort, found: Any) -> list[tuple[str, str]]:
        """Why the codec cannot speak an operation: construct and sentence."""
        if self._nodes.is_encoded(port, found.name):
            return [("use=encoded", "uses SOAP encoding")]
        reasons = []
        for direction in _DIRECTIONS if found.style != "rpc" else ():
            abstract = getattr(found.abstract, f"{direction}_message")
            parts = self._nodes.body_parts(port, self._nodes.side(port, found.name, direction), abstract) if abstract is not None else []
            if len(parts) > 1:
                reasons.append(("message parts", f"has {len(parts)} parts in the body of its {direction}; document style has one"))
            elif parts and parts[0][1].element is None:
                reasons.append(("message parts", f"has part {parts[0][0]} with a type in its {direction}; document style names an element"))
        return reasons

    # ---- one direction ---------------------------------------------------------------------------------------------------------------

    def _message(self, port: ReadPort, found: Any, direction: str) -> Message | None:
        abstract = getattr(found.abstract, f"{direction}_message")
        if abstract is None:
            return None
        side = self._nodes.side(port, found.name, direction)
        headers = _distinct([field for header in self._nodes.headers(port, side) if (field := self._header(header)) is not None])
        if found.style == "rpc":
            return Message(self._types.root(rpc_name(self._nodes, port, found, direction)), headers)
        parts = self._nodes.body_parts(port, side, abstract)
        return Message(self._types.root(parts[0][1].element.qname.text) if parts else None, headers)

    def _header(self, header: tuple[str, _Element]) -> Field | None:
        """The field of a header block; what cannot be resolved is left out, with a note."""
        name, reason = self._nodes.header_element(header[1])
        field = self._types.root(name) if name else None
        if field is None:
            self._documents.note(
                header, "soap:header", f"soap:header: {reason or f'no schema declares the element {name}'}; it is left out"
            )
            return None
        return replace(field, required=False)

    def _faults(self, found: Any) -> Iterator[Field]:
        """The elements of declared faults; a fault without an element is still a fault, its detail is read untyped."""
        fields: dict[str, Field] = {}
        for message in found.abstract.fault_messages.values():
            for part in message.parts.values():
                field = self._types.root(part.element.qname.text) if part.element is not None else None
                if field is not None:
                    fields[field.name] = field
        yield from _distinct(list(fields.values()))


def is_whole(part: Any) -> bool:
    """Whether a part names an element or a type."""
    return part.element is not None or part.type is not None


def _messages(found: Any) -> list[Any]:
    """The messages of an operation, those of its faults left aside."""
    return [message for message in (found.abstract.input_message, found.abstract.output_message) if message is not None]


def _distinct(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Fields whose keys tell them apart."""
    once = {field.name: field for field in fields}
    count = Counter(field.key for field in once.values())
    return tuple(field if count[field.key] == 1 else replace(field, key=field.name) for field in once.values())


class Nodes:
    """Where the constructs of bindings and messages stand in the documents."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._messages: dict[str, list[_Element]] = {}
        self._operations: dict[tuple[str, str], tuple[str, _Element]] = {}
        for file, root in documents.roots.items():
            for node in root.findall(f"{{{WSDL}}}message"):
                self._messages.setdefault(node.get("name") or "", []).append(node)
            for binding in root.findall(f"{{{WSDL}}}binding"):
                name = _qualified(binding.get("name") or "", root.get("targetNamespace"))
                for node in binding.findall(f"{{{WSDL}}}operation"):
                    self._keep((name, node.get("name") or ""), file, node)

    def _keep(self, key: tuple[str, str], file: str, node: _Element) -> None:
        """The last of those that share a name, as zeep has it."""
        if key in self._operations:
            reason = f"overloaded: {key[1]} occurs several times in its binding; only the last is spoken"
            self._documents.note((file, node), "overloaded", reason, "give each operation a name of its own")
        self._operations[key] = file, node

    def operation(self, port: ReadPort, name: str) -> tuple[str, Any]:
        """File and element of an operation in its binding."""
        return self._operations.get((port.binding.name.text, name), (self._documents.main, None))

    def is_encoded(self, port: ReadPort, name: str) -> bool:
        """Whether the binding asks for SOAP encoding."""
        node = self.operation(port, name)[1]
        space = BINDING_SPACES[port.version]
        return node is not None and any(item.get("use") == "encoded" for item in node.iter(f"{{{space}}}body", f"{{{space}}}fault"))

    def side(self, port: ReadPort, name: str, direction: str) -> tuple[str, Any]:
        """File and element of one direction of an operation in its binding."""
        file, node = self.operation(port, name)
        return file, node.find(f"{{{WSDL}}}{direction}") if node is not None else None

    def body(self, port: ReadPort, side: tuple[str, Any]) -> Any:
        """The soap:body of a direction."""
        return next(side[1].iter(f"{{{BINDING_SPACES[port.version]}}}body"), None) if side[1] is not None else None

    def headers(self, port: ReadPort, side: tuple[str, Any]) -> list[tuple[str, _Element]]:
        """The soap:header elements of a direction, each with its file."""
        return [(side[0], node) for node in side[1].iter(f"{{{BINDING_SPACES[port.version]}}}header")] if side[1] is not None else []

    def body_parts(self, port: ReadPort, side: tuple[str, Any], abstract: Any) -> list[tuple[str, Any]]:
        """The parts of a message that the body holds: those that soap:body names, or all that no header takes."""
        body = self.body(port, side)
        named = body.get("parts") if body is not None else None
        if named is not None:
            return [(name, abstract.parts[name]) for name in named.split() if name in abstract.parts]
        taken = {node.get("part") for _, node in self.headers(port, side) if _local(node.get("message")) == abstract.name.localname}
        attached = self._attached(side)
        return [(name, part) for name, part in abstract.parts.items() if name not in taken | attached]

    def _attached(self, side: tuple[str, Any]) -> set[str | None]:
        """Parts that travel as attachments (MIME binding)."""
        found = side[1].iter("{http://schemas.xmlsoap.org/wsdl/mime/}content") if side[1] is not None else ()
        return {node.get("part") for node in found}

    def header_element(self, header: _Element) -> tuple[str, str]:
        """The Clark name of a header block's element, or why there is none."""
        message, part = header.get("message") or "", header.get("part") or ""
        if not part:
            return "", "names no part of a message"
        for node in self._messages.get(_local(message), ()):
            for each in node.findall(f"{{{WSDL}}}part"):
                if each.get("name") == part:
                    name = each.get("element")
                    return (clark(name, each), "") if name else ("", f"part {part} names a type; a header block is an element")
        return "", f"there is no part {part} in message {message}"


def _qualified(local: str, space: str | None) -> str:
    return f"{{{space}}}{local}" if space else local


def _local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


# ---- rpc/literal -----------------------------------------------------------------------------------------------------------------------


def rpc_name(nodes: Nodes, port: ReadPort, found: Any, direction: str) -> str:
    """The Clark name of the element around the parts (SOAP 1.1, section 7.1; WS-I Basic Profile R2729)."""
    body = nodes.body(port, nodes.side(port, found.name, direction))
    space = (body.get("namespace") if body is not None else None) or ""
    local = found.name if direction == "input" else f"{found.name}Response"
    return f"{{{space}}}{local}" if space else local


def rpc_parts(documents: Documents, ports: Sequence[ReadPort], parts: Sequence[SchemaPart]) -> list[SchemaPart]:
    """Schemas that declare what rpc style leaves unsaid: an element around the parts, unqualified elements for the parts."""
    nodes = Nodes(documents)
    declared = {(part.namespace, node.get("name")) for part in parts for node in part.root.findall(f"{{{XSD}}}element")}
    made: dict[str, dict[str, Parts]] = {}
    spoken = [
        (port, each)
        for port in ports
        for each in port.operations
        if each.style == "rpc" and each.abstract is not None and all(map(is_whole, _parts(each)))
    ]
    for port, found in spoken:
        for direction in _DIRECTIONS:
            abstract = getattr(found.abstract, f"{direction}_message")
            space, _, local = rpc_name(nodes, port, found, direction).removeprefix("{").rpartition("}")
            if abstract is not None and (space, local) not in declared:
                inside = nodes.body_parts(port, nodes.side(port, found.name, direction), abstract)
                made.setdefault(space, {}).setdefault(local, inside)
    return [SchemaPart(space, documents.main, _schema(space, elements)) for space, elements in made.items()]


def _schema(space: str, elements: Mapping[str, Parts]) -> _Element:
    named = {_named(part).namespace for parts in elements.values() for _, part in parts} - {None, XSD}
    prefixes = {uri: f"p{number}" for number, uri in enumerate(sorted(named))} | {XSD: "xs"}
    spaces: Any = {prefix: uri for uri, prefix in prefixes.items()}
    schema = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": space} if space else {}, nsmap=spaces)
    for local, parts in elements.items():
        element = etree.SubElement(schema, f"{{{XSD}}}element", {"name": local})
        inside = etree.SubElement(etree.SubElement(element, f"{{{XSD}}}complexType"), f"{{{XSD}}}sequence")
        for name, part in parts:
            called = _named(part)
            reference = f"{prefixes[called.namespace]}:{called.localname}" if called.namespace else called.localname
            attributes = {"ref": reference} if part.element is not None else {"name": name, "type": reference}
            etree.SubElement(inside, f"{{{XSD}}}element", attributes)
    return schema


def _parts(found: Any) -> list[Any]:
    return [part for message in _messages(found) for part in message.parts.values()]


def _named(part: Any) -> Any:
    return part.element.qname if part.element is not None else part.type.qname


__all__ = ["Bindings", "Nodes", "rpc_name", "rpc_parts"]
