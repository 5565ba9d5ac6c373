"""Reads a SOAP request as far as its envelope: encoding, size, version, header blocks, the body's one child; and writes envelopes.

What costs nothing to see is judged before the parser runs: encoding, DOCTYPE, how many tags and attributes there can be at most. Comments
and processing instructions are dropped before any text is cut by them, so that `user@a<!---->.evil` is one text. Nothing is fetched.
"""

from __future__ import annotations

import codecs
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.codec.soap.envelope import NAMES, Envelope
from lgsp.codec.soap.tables import SOAP_11, SOAP_12
from lgsp.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

MOST_TAGS = 100_000
MOST_ATTRIBUTES = 50_000
MEDIA_TYPES: Mapping[str, str] = MappingProxyType({"text/xml": SOAP_11, "application/soap+xml": SOAP_12})
ENCODINGS = frozenset({"utf-8", "utf8", "utf-16", "us-ascii", "ascii"})
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"'][^>]*\?>")
_DOCTYPE = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_NAMED = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}")


class _Nothing(etree.Resolver):
    """Refuses every address that a document names, should libxml2 ever ask."""

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002  # lxml's signature
        raise KeyError(system_url)


_PARSER = etree.XMLParser(
    encoding="utf-8",
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


def read_envelope(body: bytes, media_type: str, charset: str | None) -> tuple[Envelope, bytes]:
    """The envelope, and its document in UTF-8; Fault malformed-body (with line and column), media-type-unsupported or soap-version.

    media_type: without parameters, lower case. charset: the parameter of Content-Type, or None.
    """
    if media_type not in MEDIA_TYPES:
        raise Fault("media-type-unsupported", f"expected {' or '.join(MEDIA_TYPES)}")
    document = _in_utf8(body, charset)
    _refuse_excess(document)
    root = _parsed(document)
    version = _version(root)
    if version != MEDIA_TYPES[media_type]:
        raise Fault("media-type-unsupported", f"an envelope of this version comes as {_media_type(version)}")
    return _envelope(root, version), document


def _in_utf8(body: bytes, charset: str | None) -> bytes:
    """UTF-8 of what mark, Content-Type and XML declaration agree on; where two of them differ, nobody knows what was meant."""
    marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    said = charset.strip().strip('"').lower() if charset else None
    if said is not None and said not in ENCODINGS:
        raise Fault("media-type-unsupported", "the charset must be utf-8 or utf-16")
    encoding = marked or said or ("utf-16" if b"\0" in body[:4] else "utf-8")
    if _family(encoding) == "utf-8":
        document = body.removeprefix(codecs.BOM_UTF8)  # whether it is UTF-8, the parser sees
    else:
        try:
            document = body.decode(encoding).removeprefix("\ufeff").encode()
        except UnicodeError as error:
            raise Fault("malformed-body", "the body is not in the encoding that it is said to be in") from error
    declared = _DECLARATION.match(document[:200].decode(errors="replace"))
    names = [name for name in (marked, said, declared and declared[1].lower()) if name]
    if declared and declared[1].lower() not in ENCODINGS:
        raise Fault("media-type-unsupported", "the encoding must be utf-8 or utf-16")
    if any(_family(name) != _family(encoding) for name in names):
        raise Fault("malformed-body", "byte order mark, Content-Type and XML declaration name different encodings")
    return document


def _family(encoding: str) -> str:
    """Names of one encoding as one; ASCII is UTF-8 that uses little of it."""
    if encoding in {"utf-16", "utf-16le", "utf-16be"}:
        return "utf-16"
    return "utf-8" if encoding in ENCODINGS else encoding


def _refuse_excess(document: bytes) -> None:
    if _DOCTYPE.match(document):
        raise Fault("malformed-body", "the document has a DOCTYPE, which SOAP forbids")
    if len(document) <= MOST_TAGS:
        return
    if document.count(b"<") > MOST_TAGS:
        raise Fault("malformed-body", f"the document has more than {MOST_TAGS} tags")
    if document.count(b'="') + document.count(b"='") > MOST_ATTRIBUTES:
        raise Fault("malformed-body", f"the document has more than {MOST_ATTRIBUTES} attributes")


def _parsed(document: bytes) -> _Element:
    try:
        root = etree.fromstring(document, _PARSER)
    except etree.XMLSyntaxError as error:
        log: Any = error.error_log
        rule = log.last_error.type_name.removeprefix("ERR_").lower().replace("_", " ") if log.last_error is not None else "syntax"
        line, column = error.position
        raise Fault("malformed-body", f"not well-formed XML (line {line}, column {column}: {rule})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Fault("malformed-body", "the document has a DOCTYPE, which SOAP forbids")
    return root


def _version(root: _Element) -> str:
    space, _, local = str(root.tag).rpartition("}")
    if local != "Envelope":
        raise Fault("malformed-body", "the root element is not a SOAP envelope")
    if space[1:] not in (SOAP_11, SOAP_12):
        raise Fault("soap-version", "the envelope's namespace is neither that of SOAP 1.1 nor that of SOAP 1.2")
    return space[1:]


def _envelope(root: _Element, version: str) -> Envelope:
    names = NAMES[version]
    parts = list(root)
    if [part.tag for part in parts] not in ([names.body], [names.header, names.body]):
        raise Fault("malformed-body", "an envelope holds one Header at most and then one Body")
    if len(parts[-1]) > 1:
        raise Fault("malformed-body", f"the Body has {len(parts[-1])} children, expected is one")
    blocks = list(parts[0]) if len(parts) > 1 else []
    if any("}" not in str(block.tag) for block in blocks):
        raise Fault("malformed-body", "a header block has no namespace")
    return Envelope(version, root, blocks, list(parts[-1]))


def _media_type(version: str) -> str:
    return next(media for media, spoken in MEDIA_TYPES.items() if spoken == version)


def read_content_type(value: str) -> tuple[str, Mapping[str, str]]:
    """Media type and parameters of a Content-Type (RFC 9110 section 8.3); a parameter that comes twice is a Fault, as is a broken one."""
    media_type, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    while rest.strip():
        name, equals, rest = rest.partition("=")
        name, rest = name.strip().lower(), rest.lstrip()
        if not equals or name in parameters or not _NAMED.fullmatch(name):
            raise Fault("malformed-request", "the parameters of Content-Type cannot be read")
        text, rest = _value(rest)
        parameters[name] = text
    return media_type.strip().lower(), parameters


def _value(rest: str) -> tuple[str, str]:
    """A token or quoted string, and what follows its semicolon."""
    if not rest.startswith('"'):
        text, _, rest = rest.partition(";")
        return text.strip(), rest
    match = re.match(r'"((?:[^"\\]|\\.)*)"\s*(?:;|$)', rest)
    if match is None:
        raise Fault("malformed-request", "the parameters of Content-Type cannot be read")
    return re.sub(r"\\(.)", r"\1", match[1]), rest[match.end() :]


def write_envelope(version: str, blocks: bytes, content: bytes) -> bytes:
    """An envelope around header blocks and a body child that bring their own namespaces."""
    header = b"<soap:Header>" + blocks + b"</soap:Header>" if blocks else b""
    start = b'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="' + version.encode() + b'">'
    return b"".join((start, header, b"<soap:Body>", content, b"</soap:Body></soap:Envelope>"))
