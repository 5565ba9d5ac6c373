"""XML that no contract describes: elements as text and back, and qualified names with their prefixes resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from lgsp.codec.soap.lexical import Unwritable
from lgsp.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element


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
        raise CodecError("the message is empty") from error
    if start.startswith((b"<!doctype html", b"<html")):
        raise CodecError("the message is an HTML page, not XML") from error
    log: Any = error.error_log
    last = log.last_error
    rule = last.type_name.removeprefix("ERR_").lower().replace("_", " ") if last is not None else "syntax"
    line, column = error.position
    raise CodecError(f"the message is not well-formed XML (line {line}, column {column}: {rule})") from error


def xml_of(node: _Element) -> str:
    """An element as text that stands for itself (exclusive canonical XML); prefixes that its values may mean are declared too."""
    values = " ".join(_values(node))
    meant = [prefix for prefix in node.nsmap if prefix and f"{prefix}:" in values]
    kept = etree.tostring(node, method="c14n", exclusive=True, inclusive_ns_prefixes=meant, with_tail=False)
    return kept.decode()


def _values(node: _Element) -> Sequence[str]:
    return [value for each in node.iter() for value in (each.text or "", *map(str, each.attrib.values()))]


def element_text(value: Any) -> str:
    """What `xml_of` gave, checked and ready to stand in a document; Unwritable if it is anything else than one element."""
    if not isinstance(value, str):
        raise Unwritable("must be the text of one XML element")
    try:
        return xml_of(parse(value.encode()))
    except (CodecError, UnicodeEncodeError) as error:
        raise Unwritable("must be the text of one XML element, well-formed and without a DOCTYPE") from error


def clark(text: str, node: _Element) -> str:
    """A qualified name of a document in Clark notation; as it stands where its prefix means nothing."""
    prefix, _, local = text.strip().rpartition(":")
    space = node.nsmap.get(prefix or None, "")
    if prefix and not space:
        return text
    return f"{{{space}}}{local}" if space else local


__all__ = ["clark", "element_text", "parse", "xml_of"]
