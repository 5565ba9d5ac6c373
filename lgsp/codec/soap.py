"""Speaks one operation of a SOAP binding: native value to envelope and back, with the provider's XSD as judge; pure.

A writing has two passes: a quick one that judges as it goes, and a careful one. Where the quick one doubts, the careful one names the place
of what cannot be written, and the XSD has the verdict; where the document shows a CR or what XML cannot hold, the careful one only writes
again. A reading parses once; comments and processing instructions are dropped before any text is cut by them, and a DOCTYPE is refused
whatever it declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from lgsp.codec.lexical import Doubt, Unwritable, pointer_of, suspicious
from lgsp.codec.quick import QuickWriters
from lgsp.codec.read import Readers, untyped
from lgsp.codec.tables import SOAP_11, SOAP_12, XSI
from lgsp.codec.write import Writers
from lgsp.errors import CodecError, Violation
from lgsp.model.agreed import SoapFault, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.codec.tables import Field, Grammar, Operation
    from lgsp.codec.verdict import Verdict


class _Nothing(etree.Resolver):
    """Refuses every address that a document names, should libxml2 ever ask."""

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002  # lxml's signature
        raise KeyError(system_url)


# `collect_ids=False` would be a little faster, and makes libxml2 load the external DTD in spite of `load_dtd=False` (lxml 6.1).
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    recover=False,
    remove_comments=True,
    remove_pis=True,
)
_PARSER.resolvers.add(_Nothing())


def wire(operation: Operation, grammar: Grammar, verdict: Verdict) -> Wire:
    """The Wire of one operation; `verdict` may be shared by all operations of a grammar."""
    speech = _Speech(operation, grammar, verdict)
    media_type, headers = _transport(operation)
    return Wire(
        method="POST",
        path="",
        media_type=media_type,
        headers=headers,
        write=speech.write,
        decode=speech.decode,
        check_reply=speech.check_reply,
        read_once=speech.read,
    )


def _transport(operation: Operation) -> tuple[str, tuple[tuple[str, str], ...]]:
    action = operation.action.replace("\\", "\\\\").replace('"', '\\"')
    if operation.version == SOAP_12:
        parameter = f'; action="{action}"' if action else ""
        return f"application/soap+xml; charset=utf-8{parameter}", ()
    return "text/xml; charset=utf-8", (("SOAPAction", f'"{action}"'),)


class _Speech:
    """The compiled closures of one operation."""

    def __init__(self, operation: Operation, grammar: Grammar, verdict: Verdict) -> None:
        self._operation = operation
        self._verdict = verdict
        readers = Readers(grammar)
        self._read_valid = Readers(grammar, valid=True).element(operation.reply)
        self._read = readers.element(operation.reply)
        self._faults = {fault.name: readers.element(fault) for fault in operation.faults}
        self._names = _Names(operation.version)
        prefixes = _prefixes(operation.request, grammar)
        spaces = "".join(f' xmlns:{prefix}="{_uri(uri)}"' for uri, prefix in prefixes.items())
        self._head = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{operation.version}"{spaces}><soap:Body>'
        self._write = QuickWriters(grammar, prefixes).element(operation.request)
        self._write_carefully = Writers(grammar, prefixes).element(operation.request)

    # ---- out ---------------------------------------------------------------------------------------------------------------------

    def write(self, native: Any) -> tuple[bytes, Sequence[Violation]]:
        try:
            document = self._document(self._write, native).encode()
        except (Doubt, Unwritable, LookupError, TypeError, UnicodeEncodeError):
            return self._written_carefully(native, is_sound=False)
        return self._written_carefully(native, is_sound=True) if suspicious(document) else (document, ())

    def _document(self, write: Callable[[Any, Callable[[str], None]], None], native: Any) -> str:
        parts = [self._head]
        write(native, parts.append)
        parts.append("</soap:Body></soap:Envelope>")
        return "".join(parts)

    def _written_carefully(self, native: Any, *, is_sound: bool) -> tuple[bytes, Sequence[Violation]]:
        try:
            document = self._document(self._write_carefully, native).encode()
        except Unwritable as flaw:
            return b"", (Violation(pointer_of(flaw.steps[::-1]), flaw.detail, "codec"),)
        except RecursionError:
            return b"", (Violation("", "is nested too deeply", "codec"),)
        return document, () if is_sound else self._breaches(document)

    def _breaches(self, document: bytes) -> Sequence[Violation]:
        try:
            envelope = etree.fromstring(document, _PARSER)
        except etree.XMLSyntaxError:
            return (Violation("", "is nested too deeply or has a text that is too long", "codec"),)
        return self._verdict.violations(envelope, envelope[0][0], self._operation.request)

    # ---- in ----------------------------------------------------------------------------------------------------------------------

    def decode(self, data: bytes) -> Any:
        return self._value(self._body(parse(data)))

    def check_reply(self, data: bytes) -> Sequence[Violation]:
        return self._violations(*self._parsed(data))

    def read(self, data: bytes) -> tuple[Any, Sequence[Violation]]:
        envelope, child = self._parsed(data)
        violations = self._violations(envelope, child)
        is_valid = not violations and child.tag == self._operation.reply.name
        return self._read_valid(child) if is_valid else self._value(child), violations

    def _parsed(self, data: bytes) -> tuple[_Element, _Element]:
        envelope = parse(data)
        return envelope, self._body(envelope)

    def _value(self, child: _Element) -> Any:
        return self._read(child) if child.tag == self._operation.reply.name else self._fault(child)

    def _violations(self, envelope: _Element, child: _Element) -> Sequence[Violation]:
        return () if child.tag == self._names.fault else self._verdict.violations(envelope, child, self._operation.reply)

    def _body(self, envelope: _Element) -> _Element:
        names = self._names
        if envelope.tag != names.envelope:
            _refuse_root(envelope, names.envelope)
        bodies = [part for part in envelope if part.tag == names.body]
        if len(bodies) != 1:
            raise CodecError(f"the envelope has {len(bodies)} bodies, expected is one")
        if len(bodies[0]) != 1:
            raise CodecError(f"the SOAP body has {len(bodies[0])} children, expected is one")
        child: _Element = bodies[0][0]
        if child.tag not in (self._operation.reply.name, self._names.fault):
            raise CodecError(f"the SOAP body does not hold {self._operation.reply.name}")
        return child

    def _fault(self, child: _Element) -> SoapFault:
        names = self._names
        code = _first(child, names.code).rpartition(":")[2]
        detail = child.find(names.detail)
        return SoapFault(code, _first(child, names.reason), None if detail is None else self._detail(detail))

    def _detail(self, detail: _Element) -> Any:
        if not len(detail):
            return detail.text
        read = self._faults.get(str(detail[0].tag))
        return read(detail[0]) if read and len(detail) == 1 else untyped(detail)


class _Names:
    """The tags of one SOAP version, ready to compare."""

    def __init__(self, version: str) -> None:
        self.envelope = f"{{{version}}}Envelope"
        self.body = f"{{{version}}}Body"
        self.fault = f"{{{version}}}Fault"
        if version == SOAP_11:
            self.code, self.reason, self.detail = "faultcode", "faultstring", "detail"
        else:
            space = f"{{{version}}}"
            self.code, self.reason, self.detail = f"{space}Code/{space}Value", f"{space}Reason/{space}Text", f"{space}Detail"


def parse(data: bytes) -> _Element:
    """The root of a document that has no DOCTYPE; CodecError tells why bytes are not one, without repeating them."""
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        _refuse_syntax(data, error)
    if root.getroottree().docinfo.internalDTD is not None:
        raise CodecError("the document has a DOCTYPE, which SOAP forbids")
    return root


def _refuse_syntax(data: bytes, error: etree.XMLSyntaxError) -> NoReturn:
    start = data[:512].lstrip().lower()
    if not start:
        raise CodecError("the answer is empty") from error
    if start.startswith((b"<!doctype html", b"<html")):
        raise CodecError("the answer is an HTML page, not XML") from error
    log: Any = error.error_log
    last = log.last_error
    rule = last.type_name.removeprefix("ERR_").lower().replace("_", " ") if last is not None else "syntax"
    line, column = error.position
    raise CodecError(f"the answer is not well-formed XML (line {line}, column {column}: {rule})") from error


def _refuse_root(root: _Element, expected: str) -> NoReturn:
    if str(root.tag).rpartition("}")[2].lower() == "html":
        raise CodecError("the answer is an HTML page, not a SOAP envelope")
    raise CodecError(f"the root element is not {expected}")


def _first(node: _Element, path: str) -> str:
    text: str = (node.findtext(path) or "").strip()
    return text


def _prefixes(start: Field, grammar: Grammar) -> Mapping[str, str]:
    """Namespace -> prefix for everything that can occur below a field, in the order of first use."""
    spaces: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        field = waiting.pop(0)
        spaces.setdefault(_space(field.name))
        if field.nillable:
            spaces.setdefault(XSI)
        if field.shape not in seen:
            seen.add(field.shape)
            shape = grammar.shapes[field.shape]
            spaces.update(dict.fromkeys(_space(item.name) for item in shape.attributes))
            waiting.extend(shape.fields)
    spaces.pop("", None)
    return {uri: "xsi" if uri == XSI else f"n{index}" for index, uri in enumerate(spaces)}


def _space(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def _uri(uri: str) -> str:
    return uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


__all__ = ["parse", "wire"]
