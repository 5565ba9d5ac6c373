"""What changed between two WSDLs, and whom it breaks: ports, operations, messages, headers, faults, and the XML types on both sides.

Ports are the same where their names are, or else where they speak the same SOAP version; operations where their names are. What a change
means stands in policy/compatibility.py; types are compared in shapes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.contract.diff.change import change, ranked
from lgsp.contract.diff.shapes import ShapeDiff, Typed
from lgsp.contract.wsdl.files import line_of, read_documents
from lgsp.contract.wsdl.operations import Nodes
from lgsp.contract.wsdl.read import anatomy
from lgsp.contract.wsdl.source import open_source
from lgsp.policy.compatibility import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lgsp.codec.soap.tables import Field, Message, Operation
    from lgsp.contract.diff.change import Change, Comparison
    from lgsp.contract.wsdl.bindings import ReadPort
    from lgsp.contract.wsdl.read import Anatomy
    from lgsp.contract.wsdl.source import Files

    Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Read:
    """One WSDL: its anatomy, where its operations stand, its types, its target namespace."""

    anatomy: Anatomy
    nodes: Nodes
    typed: Typed
    namespace: str
    main: str
    digest: str

    def operations(self, port: ReadPort) -> Mapping[str, Operation | None]:
        """Those of a port by name; None for one that the codec cannot follow (SOAP encoding), so that nothing is known of its types."""
        unread = {name: None for owner, name in self.anatomy.bindings.unspoken if owner == port.name}
        return {**self.anatomy.operations[id(port.binding)], **unread}

    def place(self, port: ReadPort, name: str) -> str:
        """Where a binding's operation stands."""
        file, node = self.nodes.operation(port, name)
        return f"{file}:{line_of(node)}" if node is not None else file

    def root(self, name: str) -> str:
        """Where a global element stands."""
        file, line = self.anatomy.types.place(name)
        return f"{file}:{line}"


def compare_wsdls(base: Path, revision: Path) -> Comparison:
    """Of two files, folders or zips, each with what it imports beside it; raises ContractError with every finding."""
    return compare_sources(open_source(base), open_source(revision))


def compare_sources(base: tuple[Files, str], revision: tuple[Files, str]) -> Comparison:
    """The same of documents and the name of the main one."""
    old, new = _read(*base), _read(*revision)
    return ranked(_changes(old, new), old.namespace, new.namespace)


def _read(files: Files, main: str) -> _Read:
    documents = read_documents(files, main)
    found = anatomy(documents)
    typed = Typed(found.types.shapes, found.types.lines)
    namespace = documents.roots[documents.main].get("targetNamespace") or ""
    return _Read(found, Nodes(documents), typed, f"{{{namespace}}}:", documents.main, documents.digest)


def _changes(old: _Read, new: _Read) -> Iterator[Change]:
    pairs = _pairs(old, new)
    for port in old.anatomy.ports:
        if port.name not in pairs:
            yield change("port-removed", port.name, Side.REQUEST, detail=f"port {port.name} is gone", places=(old.main, ""))
    for port in new.anatomy.ports:
        if port.name not in {other.name for _, other in pairs.values()}:
            yield change("port-added", port.name, Side.REQUEST, detail=f"port {port.name} is new", places=("", new.main))
    for before, after in pairs.values():
        yield from _port(old, new, before, after)


def _pairs(old: _Read, new: _Read) -> Mapping[str, tuple[ReadPort, ReadPort]]:
    """Which port became which, by the name of the old one."""
    named = {port.name: port for port in new.anatomy.ports}
    found: dict[str, tuple[ReadPort, ReadPort]] = {}
    free = [port for port in new.anatomy.ports if port.name not in {each.name for each in old.anatomy.ports}]
    for port in old.anatomy.ports:
        other = named.get(port.name)
        if other is None or other.version != port.version:
            other = next((each for each in free if each.version == port.version), None)
        if other is not None:
            found[port.name] = (port, other)
            free = [each for each in free if each is not other]
    return found


def _port(old: _Read, new: _Read, before: ReadPort, after: ReadPort) -> Iterator[Change]:
    operations = old.operations(before), new.operations(after)
    for name in {**operations[0], **operations[1]}:
        places = tuple(
            read.place(port, name) if name in known else ""
            for read, port, known in zip((old, new), (before, after), operations, strict=True)
        )
        pair: Pair = (places[0], places[1])
        if name not in operations[1]:
            yield change("operation-removed", name, Side.REQUEST, detail=f"{name} is gone", places=pair)
        elif name not in operations[0]:
            yield change("operation-added", name, Side.REQUEST, detail=f"{name} is new", places=pair)
        else:
            yield from _Operation(old, new, name, pair).compared(operations[0][name], operations[1][name])


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation in both."""

    old: _Read
    new: _Read
    name: str
    places: Pair

    def compared(self, old: Operation | None, new: Operation | None) -> Iterator[Change]:
        if old is not None and new is not None:
            yield from self.changes(old, new)
        elif self.old.digest != self.new.digest:
            words = "uses what cannot be read (SOAP encoding); look at it yourself"
            yield change("not-compared", self.name, Side.REQUEST, detail=words, places=self.places)

    def changes(self, old: Operation, new: Operation) -> Iterator[Change]:
        if old.action != new.action:
            words = f"SOAPAction {old.action!r} became {new.action!r}"
            yield change("action-changed", self.name, Side.REQUEST, detail=words, places=self.places)
        yield from self._message(old.request, new.request, Side.REQUEST)
        if old.reply is None or new.reply is None:
            if old.reply is not new.reply:
                rule, words = ("reply-added", "is answered now") if old.reply is None else ("reply-removed", "is not answered any more")
                yield change(rule, self.name, Side.ANSWER, detail=words, places=self.places)
        else:
            yield from self._message(old.reply, new.reply, Side.ANSWER)
        yield from self._faults(old, new)

    def _message(self, old: Message, new: Message, side: Side) -> Iterator[Change]:
        if old.body is None or new.body is None:
            if old.body is not new.body:
                rule, words = ("body-required", "there is a body now") if old.body is None else ("body-removed", "the body is empty now")
                yield change(rule, self.name, side, detail=words, places=self.places)
        else:
            yield from self._root(old.body, new.body, side, "")
        before, after = ({_local(each.name): each for each in message.headers} for message in (old, new))
        for key in {**before, **after}:
            if key not in after or key not in before:
                rule, words = ("header-added", "is new") if key in after else ("header-removed", "is gone")
                yield change(rule, self.name, side, f"/#header/{key}", f"header block {key} {words}", places=self.places)
            else:
                yield from self._root(before[key], after[key], side, f"/#header/{key}")

    def _faults(self, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = ({_local(each.name): each for each in operation.faults} for operation in (old, new))
        for key in {**before, **after}:
            if key not in after or key not in before:
                rule, words = ("refusal-added", "may be answered now") if key in after else ("refusal-removed", "is no longer answered")
                yield change(rule, self.name, Side.ANSWER, detail=f"fault {key} {words}", places=self.places)
            else:
                yield from self._root(before[key], after[key], Side.ANSWER, f"/#fault/{key}")

    def _root(self, old: Field, new: Field, side: Side, at: str) -> Iterator[Change]:
        places = (self.old.root(old.name), self.new.root(new.name))
        if _local(old.name) != _local(new.name):
            words = f"{_local(old.name)} became {_local(new.name)}"
            yield change("element-changed", self.name, side, at, words, places=places)
        for found in ShapeDiff(self.old.typed, self.new.typed).element(old, new, at, places):
            yield change(found.rule, self.name, side, found.pointer, found.detail, places=found.places)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
