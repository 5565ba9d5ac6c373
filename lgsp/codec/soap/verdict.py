"""The XSD verdict on an envelope: libxml2 judges, and its findings become violations in native terms, free of the values.

libxml2 compiles the contract's schemas from texts in memory; an address that is not among them is refused, whatever it names. A compiled
schema keeps its last errors in itself, so threads take turns; compiling one in each thread is no way out, because libxml2 loses included
documents when another thread parses meanwhile (lxml 6.1, seen in tests).
"""

from __future__ import annotations

import re
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.codec.soap.fragment import clark
from lgsp.codec.soap.lexical import pointer_of
from lgsp.codec.soap.tables import CONTENT_KEY, HEADER_KEY, XSI
from lgsp.errors import ContractError, Finding, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.codec.soap.tables import Grammar, Message, Shape

MOST_VIOLATIONS = 50

# libxml2's name of a rule -> the rule of XML Schema part 1 or 2, and what it means for whoever wrote the value.
RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SCHEMAV_CVC_MAXLENGTH_VALID": ("cvc-maxLength", "is too long"),
        "SCHEMAV_CVC_MINLENGTH_VALID": ("cvc-minLength", "is too short"),
        "SCHEMAV_CVC_LENGTH_VALID": ("cvc-length", "has the wrong length"),
        "SCHEMAV_CVC_PATTERN_VALID": ("cvc-pattern", "does not match the pattern"),
        "SCHEMAV_CVC_ENUMERATION_VALID": ("cvc-enumeration", "is not one of the allowed values"),
        "SCHEMAV_CVC_MININCLUSIVE_VALID": ("cvc-minInclusive", "is below the least allowed value"),
        "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("cvc-maxInclusive", "is above the greatest allowed value"),
        "SCHEMAV_CVC_MINEXCLUSIVE_VALID": ("cvc-minExclusive", "is not above the lower bound"),
        "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": ("cvc-maxExclusive", "is not below the upper bound"),
        "SCHEMAV_CVC_TOTALDIGITS_VALID": ("cvc-totalDigits", "has too many digits"),
        "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("cvc-fractionDigits", "has too many decimal places"),
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("cvc-datatype-valid.1.2.1", "is not in the lexical space of its type"),
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": ("cvc-datatype-valid.1.2.2", "is not a list of its item type"),
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": ("cvc-datatype-valid.1.2.3", "fits no member of its union"),
        "SCHEMAV_CVC_ELT_1": ("cvc-elt.1", "is not declared in the contract"),
        "SCHEMAV_CVC_ELT_3_1": ("cvc-elt.3.1", "must not be null"),
        "SCHEMAV_CVC_ELT_3_2_1": ("cvc-elt.3.2.1", "is null and must be empty"),
        "SCHEMAV_CVC_ELT_5_2_2_2_2": ("cvc-elt.5.2.2.2.2", "differs from its fixed value"),
        "SCHEMAV_CVC_COMPLEX_TYPE_2_1": ("cvc-complex-type.2.1", "must be empty"),
        "SCHEMAV_CVC_COMPLEX_TYPE_2_2": ("cvc-complex-type.2.2", "must hold no elements"),
        "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("cvc-complex-type.2.3", "must hold no text"),
        "SCHEMAV_CVC_COMPLEX_TYPE_2_4": ("cvc-complex-type.2.4", "is not expected here"),
        "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("cvc-complex-type.3.2.1", "has an attribute that is not allowed"),
        "SCHEMAV_CVC_COMPLEX_TYPE_4": ("cvc-complex-type.4", "lacks a required attribute"),
        "SCHEMAV_CVC_TYPE_3_1_1": ("cvc-type.3.1.1", "must hold no attributes"),
        "SCHEMAV_CVC_TYPE_3_1_2": ("cvc-type.3.1.2", "must hold no elements"),
        "SCHEMAV_ELEMENT_CONTENT": ("cvc-complex-type.2.4", "is not expected here"),
    },
)
_LIMIT = re.compile(r"allowed (?:maximum|minimum) length of '([0-9]+)'\.$").search
_EXPECTED = re.compile(r"Expected is (?:one of )?\( ([^()]*) \)\.$").search
_MISSING = re.compile(r"Element '[^']*': Missing child element\(s\)\.").match
_ATTRIBUTE = re.compile(r"^Element '[^']*', attribute '([^']*)':").match
_LACKING = re.compile(r"The attribute '([^']*)' is required but missing\.$").search


class Verdict:
    """Judges whole envelopes against one grammar's schemas."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._schema = compile_schema(grammar.schemas)
        self._in_turn = Lock()

    def violations(self, envelope: _Element, message: Message) -> Sequence[Violation]:
        """What breaks the contract in the body and in declared header blocks; pointers start at the value of the body's child."""
        with self._in_turn:
            if self._schema.validate(envelope):
                return ()
            log: Any = self._schema.error_log
            entries = list(log)
        found: dict[str, Violation] = {}
        for entry in entries:
            violation = self._violation(entry, envelope, message)
            found.setdefault(violation.pointer, violation)
            if len(found) == MOST_VIOLATIONS:
                break
        return tuple(found.values())

    def _violation(self, entry: Any, envelope: _Element, message: Message) -> Violation:
        code, detail = RULES.get(entry.type_name, (_rule(entry.type_name), "breaks the contract"))
        path, text = entry.path or "", entry.message or ""
        steps, shape = self._steps(_find(envelope, path.partition("/@")[0]), message)
        expected = _EXPECTED(text)
        names = [_local(name) for name in expected.group(1).split(", ")] if expected else []
        if _MISSING(text):
            detail = "is missing" if len(names) == 1 else f"lacks one of {', '.join(names)}" if names else "is incomplete"
            steps += names if len(names) == 1 and not (shape and shape.loose) else []
        elif names:
            detail += f"; expected is {' or '.join(names)}"
        elif limit := _LIMIT(text):
            detail += f"; the limit is {limit.group(1)}"
        if attribute := _LACKING(text) or _ATTRIBUTE(text):
            steps.append("@" + _local(attribute.group(1)))
        return Violation(pointer_of(steps), detail, code, line=entry.line or 0)

    def _steps(self, node: _Element | None, message: Message) -> tuple[list[str | int], Shape | None]:
        """The native path down to a node, and the node's shape."""
        chain = [] if node is None else [node, *node.iterancestors()][:-1]  # from the node up to the envelope's own child
        if len(chain) < 2:  # noqa: PLR2004  # the header or the body themselves
            return [], None
        start = chain[-2]
        field = next((field for field in (message.body, *message.headers) if field and field.name == start.tag), None)
        steps: list[str | int] = (
            [HEADER_KEY, field.key if field else _local(str(start.tag))] if _local(str(chain[-1].tag)) == "Header" else []
        )
        shape = self.grammar.shapes.get(field.shape) if field else None
        for item in reversed(chain[:-2]):
            shape = self._step(item, shape, steps)
        return steps, shape

    def _step(self, item: _Element, shape: Shape | None, steps: list[str | int]) -> Shape | None:
        """One element further down."""
        shape = self._named(item.getparent(), shape)
        known = next((f for f in shape.fields if f.name == item.tag), None) if shape else None
        key = known.key if known else _local(str(item.tag))
        if shape is not None and shape.loose:
            steps += [CONTENT_KEY, _place(item, mixed=shape.mixed), key]
        else:
            steps.append(key)
            if known and known.many:
                steps.append(sum(1 for _ in item.itersiblings(item.tag, preceding=True)))
        return self.grammar.shapes.get(known.shape) if known else None

    def _named(self, parent: _Element | None, shape: Shape | None) -> Shape | None:
        """The shape that the parent says to have by `xsi:type`, if it may."""
        name = parent.get(f"{{{XSI}}}type") if parent is not None and shape is not None and shape.derived else None
        if name is None or shape is None or parent is None:
            return shape
        called = clark(name, parent)
        return next((self.grammar.shapes[each.shape] for each in shape.derived if each.name == called), shape)


def _place(item: _Element, *, mixed: bool) -> int:
    """The index of an element in the `#content` of its parent."""
    before = list(item.itersiblings(preceding=True))
    parent = item.getparent()
    texts = sum(1 for each in before if each.tail) + bool(parent is not None and parent.text)
    return len(before) + (texts if mixed else 0)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _rule(type_name: str) -> str:
    return type_name.removeprefix("SCHEMAV_").lower().replace("_", "-")


def _find(envelope: _Element, path: str) -> _Element | None:
    spaces = {prefix: uri for node in envelope.iter() for prefix, uri in node.nsmap.items() if prefix}
    try:
        found = envelope.getroottree().xpath(path, namespaces=spaces)
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and len(found) == 1 and isinstance(found[0], etree._Element) else None  # noqa: SLF001


class _Texts(etree.Resolver):
    """Resolves addresses among the texts at hand; raising keeps libxml2 from looking anywhere else."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002  # lxml's signature
        if system_url not in self._texts:
            raise KeyError(system_url)
        return self.resolve_string(self._texts[system_url], context, base_url=system_url)


class SchemaFault(ContractError):
    """libxml2 refuses the schemas; places: address of a text, line in it, reason."""

    def __init__(self, places: Sequence[tuple[str, int, str]]) -> None:
        super().__init__([Finding(address, line, "", "xsd-libxml2", reason) for address, line, reason in places])
        self.places = tuple(places)


def compile_schema(schemas: Mapping[str, bytes]) -> etree.XMLSchema:
    """One libxml2 schema from texts by address, the first being the root; SchemaFault if libxml2 refuses it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    parser.resolvers.add(_Texts(schemas))
    address, text = next(iter(schemas.items()))
    try:
        return etree.XMLSchema(etree.fromstring(text, parser, base_url=address))
    except etree.XMLSchemaParseError as error:
        log: Any = error.error_log
        places = [(entry.filename or "", entry.line or 0, f"libxml2 cannot compile the schemas: {entry.message}") for entry in log]
        raise SchemaFault(places or [(address, 0, f"libxml2 cannot compile the schemas: {error}")]) from error
    except (etree.LxmlError, KeyError) as error:
        raise SchemaFault([(address, 0, f"libxml2 cannot compile the schemas: {error}")]) from error


def gathering_schema(namespace: str, parts: Mapping[str, str]) -> bytes:
    """A schema that does nothing but import others; `parts`: namespace -> address."""
    target = f" targetNamespace={_quoted(namespace)}" if namespace else ""
    return f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{target}>{_imports(parts)}</xs:schema>'.encode()


def _imports(parts: Mapping[str, str]) -> str:
    return "".join(
        f'<xs:{"import" if uri else "include"} {f"namespace={_quoted(uri)} " if uri else ""}schemaLocation="{address}"/>'
        for uri, address in parts.items()
    )


def envelope_schema(version: str, parts: Mapping[str, str]) -> bytes:
    """The XSD of a SOAP envelope whose body holds declared elements; `parts`: namespace -> address of its schema.

    Header blocks are judged where the contract declares them.
    """
    imports = "".join(
        f'<xs:import {f"namespace={_quoted(uri)} " if uri else ""}schemaLocation="{address}"/>' for uri, address in parts.items()
    )
    more = '<xs:anyAttribute namespace="##any" processContents="skip"/>'
    many = 'minOccurs="0" maxOccurs="unbounded"'
    loose = f'<xs:sequence><xs:any namespace="##any" processContents="lax" {many}/></xs:sequence>'
    body = f'<xs:sequence><xs:any namespace="##any" processContents="strict" {many}/></xs:sequence>'
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{version}" elementFormDefault="qualified">{imports}'
        f'<xs:element name="Envelope"><xs:complexType><xs:sequence>'
        f'<xs:element name="Header" minOccurs="0"><xs:complexType>{loose}{more}</xs:complexType></xs:element>'
        f'<xs:element name="Body"><xs:complexType>{body}{more}</xs:complexType></xs:element>'
        f"</xs:sequence>{more}</xs:complexType></xs:element></xs:schema>"
    ).encode()


def _quoted(uri: str) -> str:
    escaped = uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'"{escaped}"'


__all__ = ["SchemaFault", "Verdict", "compile_schema", "envelope_schema", "gathering_schema"]
