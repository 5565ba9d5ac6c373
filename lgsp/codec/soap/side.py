"""One direction of one operation: native value to envelope and back, with the contract's XSD as judge; pure.

A writing has two passes: a quick one that judges as it goes, and a careful one. Where the quick one doubts, the careful one names the place
of what cannot be written, and the XSD has the verdict; where the document shows a CR or what XML cannot hold, the careful one only writes
again. A reading parses once; comments and processing instructions are dropped before any text is cut by them, and a DOCTYPE is refused
whatever it declares. A valid envelope in its usual form need not be parsed at all (`recognised`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.envelope import Envelope, open_envelope
from lgsp.codec.soap.fragment import parse
from lgsp.codec.soap.lexical import Doubt, Unwritable, pointer_of, suspicious
from lgsp.codec.soap.quick import QuickWriters
from lgsp.codec.soap.read import Readers
from lgsp.codec.soap.recognise import Recogniser
from lgsp.codec.soap.tables import HEADER_KEY, TEXT_KEY, XML, XSI, Derived
from lgsp.codec.soap.write import Writers
from lgsp.errors import CodecError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lgsp.codec.soap.tables import Field, Grammar, Message
    from lgsp.codec.soap.verdict import Verdict

    Write = Callable[[Any, Callable[[str], None]], Any]


class Side:
    """The compiled closures of one direction.

    A value is that of the element in the body; declared header blocks stand beside its keys as `#header` (README.md tells all).
    """

    def __init__(self, message: Message, version: str, grammar: Grammar, verdict: Verdict) -> None:
        self.message = message
        self.version = version
        self._verdict = verdict
        self._readers = Readers(grammar)
        self._headers = {field.name: (field.key, self._readers.element(field)) for field in message.headers}
        self._read = self._readers.element(message.body) if message.body else _nothing
        self._recogniser = Recogniser(message.body, version, grammar) if message.body and not message.headers else None
        self._read_valid = Readers(grammar, valid=True).element(message.body) if message.body else _nothing
        fields = [field for field in (message.body, *message.headers) if field is not None]
        prefixes = prefixes_of(fields, grammar)
        spaces = declarations_of(prefixes)
        self._start = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{version}"{spaces}>'
        self._head = self._start + "<soap:Body>"
        quick = QuickWriters(grammar, prefixes)
        self._write = quick.element(message.body) if message.body else _write_nothing
        careful = Writers(grammar, prefixes)
        self._write_carefully = careful.element(message.body) if message.body else _write_nothing
        self._write_headers = {field.key: quick.element(field) for field in message.headers}
        self._write_headers_carefully = {field.key: careful.element(field) for field in message.headers}

    # ---- out -----------------------------------------------------------------------------------------------------------------------

    def write(self, native: Any, blocks: Iterable[str] = ()) -> tuple[bytes, Sequence[Violation]]:
        """The envelope of a value, and what in it breaks the contract; without bytes if it cannot be written at all.

        blocks: more header blocks, each the text of an XML element that declares its own namespaces.
        """
        more = tuple(blocks)
        try:
            document = self.vouched(native, more).encode()
        except (Doubt, Unwritable, LookupError, TypeError, UnicodeEncodeError):
            return self._written_carefully(native, more, is_sound=False)
        return self._written_carefully(native, more, is_sound=True) if suspicious(document) else (document, ())

    def vouched(self, native: Any, blocks: Sequence[str] = ()) -> str:
        """The document of a value that is surely valid, without a look at libxml2; Doubt, LookupError or TypeError if not sure."""
        if not (blocks or self._headers):
            return self._document(self._write, native, self._head)
        body, headers = self._divided(native)
        return self._document(self._write, body, self._head_with(headers, blocks, self._write_headers))

    def careful(self, native: Any) -> str:
        """The document of a value, valid or not; Unwritable if it cannot be written at all."""
        return self._document(self._write_carefully, native, self._head)

    def is_valid(self, document: bytes) -> bool:
        """libxml2's verdict on a document of this side."""
        return not self._verdict.violations(parse(document), self.message)

    def _document(self, write: Write, native: Any, head: str) -> str:
        parts = [head]
        write(native, parts.append)
        parts.append("</soap:Body></soap:Envelope>")
        return "".join(parts)

    def _written_carefully(self, native: Any, blocks: Sequence[str], *, is_sound: bool) -> tuple[bytes, Sequence[Violation]]:
        try:
            body, headers = self._divided(native)
            head = self._head_with(headers, blocks, self._write_headers_carefully)
            document = self._document(self._write_carefully, body, head).encode()
        except Unwritable as flaw:
            return b"", (Violation(pointer_of(flaw.steps[::-1]), flaw.detail, "codec"),)
        except RecursionError:
            return b"", (Violation("", "is nested too deeply", "codec"),)
        return document, () if is_sound else self._breaches(document)

    def _divided(self, native: Any) -> tuple[Any, Mapping[str, Any]]:
        if not self._headers or not isinstance(native, dict) or HEADER_KEY not in native:
            return native, {}
        rest = {key: item for key, item in native.items() if key != HEADER_KEY}
        headers = native[HEADER_KEY]
        if not isinstance(headers, dict):
            raise Unwritable("must be an object", HEADER_KEY)
        is_bare = self.message.body is not None and rest.keys() == {TEXT_KEY} and self._is_bare()
        return (rest[TEXT_KEY] if is_bare else rest), headers

    def _is_bare(self) -> bool:
        body = self.message.body
        return body is not None and self._verdict.grammar.shapes[body.shape].is_bare

    def _head_with(self, headers: Mapping[str, Any], blocks: Sequence[str], writers: Mapping[str, Write]) -> str:
        parts = [self._start, "<soap:Header>", *blocks]
        for key, write in writers.items():
            if key in headers:
                _write_block(write, key, headers[key], parts.append)
        unknown = headers.keys() - writers.keys()
        if unknown:
            raise Unwritable("is not in the contract", min(map(str, unknown)), HEADER_KEY)
        return "".join([*parts, "</soap:Header><soap:Body>"]) if len(parts) > 2 else self._head  # noqa: PLR2004  # what it began with

    def _breaches(self, document: bytes) -> Sequence[Violation]:
        try:
            root = parse(document)
        except CodecError:
            return (Violation("", "is nested too deeply or has a text that is too long", "codec"),)
        return self._verdict.violations(root, self.message)

    # ---- in ------------------------------------------------------------------------------------------------------------------------

    def recognised(self, data: bytes) -> Any:
        """The value of a valid envelope in its usual form, without a look at libxml2; Doubt or ValueError if it is not surely one."""
        if self._recogniser is None:
            raise Doubt
        return self._recogniser.read(data)

    def read_once(self, data: bytes) -> tuple[Any, Sequence[Violation]]:
        """The value of an envelope that is no fault, and what in it breaks the contract; CodecError if bytes are none of this side's."""
        with suppress(Doubt, ValueError):
            return self.recognised(data), ()
        return self.read(self.open(data))

    def open(self, data: bytes) -> Envelope:
        """An envelope of this side's SOAP version; CodecError if bytes are none."""
        return open_envelope(data, self.version)

    def read(self, envelope: Envelope) -> tuple[Any, Sequence[Violation]]:
        """The value, and what in the envelope breaks the contract; CodecError if it does not hold this side's element."""
        child = self._child(envelope)
        violations = self._verdict.violations(envelope.root, self.message)
        return self._with_headers(envelope, (self._read if violations else self._read_valid)(child)), violations

    def value(self, envelope: Envelope) -> Any:
        """The value alone, read as it is meant."""
        return self._with_headers(envelope, self._read(self._child(envelope)))

    def violations(self, envelope: Envelope) -> Sequence[Violation]:
        """What in the envelope breaks the contract."""
        self._child(envelope)
        return self._verdict.violations(envelope.root, self.message)

    def _child(self, envelope: Envelope) -> Any:
        child, body = envelope.child, self.message.body
        if body is None and child is not None:
            raise CodecError("the SOAP body is not empty")
        if body is not None and child is None:
            raise CodecError("the SOAP body has 0 children, expected is one")
        if body is not None and child is not None and child.tag != body.name:
            raise CodecError(f"the SOAP body does not hold {body.name}")
        return child

    def _with_headers(self, envelope: Envelope, value: Any) -> Any:
        if not self._headers:
            return value
        found: dict[str, Any] = {}
        for block in envelope.blocks:
            key, read = self._headers.get(str(block.tag), ("", None))
            if read is not None:
                found.setdefault(key, read(block))
        if not found:
            return value
        return {HEADER_KEY: found, **value} if isinstance(value, dict) else {HEADER_KEY: found, TEXT_KEY: value}


def _nothing(_node: Any) -> dict[str, Any]:
    return {}


def _write_nothing(native: Any, _put: Callable[[str], None]) -> None:
    if native not in (None, {}):
        raise Unwritable("must be empty: the contract has no element for the body")


def _write_block(write: Write, key: str, value: Any, put: Callable[[str], None]) -> None:
    try:
        write(value, put)
    except Unwritable as flaw:
        flaw.steps += [key, HEADER_KEY]
        raise


def prefixes_of(start: Iterable[Field], grammar: Grammar) -> Mapping[str, str]:
    """Namespace -> prefix for everything that can occur below these fields, in the order of first use."""
    spaces: dict[str, None] = {}
    seen: set[str] = set()
    waiting: list[Field | Derived] = list(start)
    needs_xsi = False
    while waiting:
        found = waiting.pop(0)
        spaces.setdefault(_space(found.name))
        needs_xsi = needs_xsi or isinstance(found, Derived) or found.nillable
        if found.shape in seen or not found.shape:
            continue
        seen.add(found.shape)
        shape = grammar.shapes[found.shape]
        spaces.update(dict.fromkeys(_space(item.name) for item in shape.attributes))
        needs_xsi = needs_xsi or shape.abstract
        waiting += [*shape.fields, *shape.derived]
    spaces.pop("", None)
    return {uri: "xml" if uri == XML else f"n{index}" for index, uri in enumerate(spaces)} | ({XSI: "xsi"} if needs_xsi else {})


def declarations_of(prefixes: Mapping[str, str]) -> str:
    """Prefixes as attributes of a start tag; `xml` needs none."""
    return "".join(f' xmlns:{prefix}="{_uri(uri)}"' for uri, prefix in prefixes.items() if prefix != "xml")


def _space(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def _uri(uri: str) -> str:
    return uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


__all__ = ["Side", "declarations_of", "prefixes_of"]
