"""The tables that the SOAP codec speaks from: shapes, fields and operations, frozen, with nothing left to parse.

Names are in Clark notation (`{namespace}local`, or `local` without a namespace). Keys are the names in a native value, as README.md beside
this file lays down: the local name, or the Clark name where two namespaces clash; `@` before it for attributes; `#` before the codec's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
TEXT_KEY = "#text"
CONTENT_KEY = "#content"
ANY_KEY = "#any"
HEADER_KEY = "#header"
TYPE_KEY = "@xsi:type"
NIL_KEY = "@xsi:nil"


class Kind(StrEnum):
    """What a text becomes: everything that XSD knows beyond these stays text, exactly as it came."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    QNAME = "qname"


@dataclass(frozen=True, slots=True)
class Limits:
    """What makes a text surely valid for its simple type: who keeps these needs no other judge, who breaks one may still be valid.

    form: local name of the builtin type. tight: blanks would be collapsed, so there must be none to collapse. patterns: Python expressions,
    all of which match the whole text. values: the enumeration. bounds: names of facets with their values. digits, places: totalDigits,
    fractionDigits.
    """

    form: str
    tight: bool = False
    shortest: int = 0
    longest: int | None = None
    patterns: tuple[str, ...] = ()
    values: frozenset[str] | None = None
    bounds: tuple[tuple[str, Decimal], ...] = ()
    digits: int | None = None
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an element; without `limits` only the XML schema can judge it.

    form: local name of the builtin type that it comes from. listed: blanks divide its items. default: what its absence means; fixed: it
    can have no other value. facets: as for Shape.
    """

    key: str
    name: str
    kind: Kind
    required: bool
    limits: Limits | None = None
    form: str = ""
    listed: bool = False
    default: str | None = None
    fixed: bool = False
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One element in its place. `shape` names a row of Grammar.shapes; `many` makes it a list even where one item came.

    least, most: how often it occurs where it does. sure: nothing is asked of the element that its shape does not say. default: what an
    empty element means; fixed: it can have no other value. With the key `#any` it is a wildcard: elements that no contract describes.
    """

    key: str
    name: str
    shape: str
    required: bool = True
    many: bool = False
    nillable: bool = False
    least: int = 1
    most: int | None = 1
    sure: bool = False
    default: str | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """A type that may stand in for another by `xsi:type`: its key in a native value, its name, its row of Grammar.shapes."""

    key: str
    name: str
    shape: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element holds: text of a kind, or fields in the contract's order; and attributes.

    Text without attributes is a bare value, everything else an object. limits: what keeps the text surely valid, if that can be said.
    sure: fields that come in order, as often as each says, are valid content, if `choices` hold: of these keys one, or none where that is
    allowed (the flag: one must be there). lead: how many fields, from the first on, stand in their places in every valid content.
    form: local name of the builtin type of the text. listed: blanks divide its items. loose: the contract leaves the order of elements
    open, so they stand one by one in `#content`; mixed: with text among them. any_attributes: more than those declared may come.
    derived: types that `xsi:type` may name; abstract: one of them must be. facets: of the text, each with its values, the nearest
    restriction first, as the schema has them; `limits` are what the codec makes of them.
    """

    text: Kind | None = None
    fields: tuple[Field, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    limits: Limits | None = None
    choices: tuple[tuple[tuple[str, ...], bool], ...] = ()
    sure: bool = False
    lead: int = 0
    form: str = ""
    listed: bool = False
    loose: bool = False
    mixed: bool = False
    any_attributes: bool = False
    derived: tuple[Derived, ...] = ()
    abstract: bool = False
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether a value is the text itself, without an object around it."""
        return self.text is not None and not (self.attributes or self.any_attributes)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Every shape by its key, and the XML schemas as texts by their address; the first address is the one to compile."""

    shapes: Mapping[str, Shape]
    schemas: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What one direction of an operation carries: the element in the body (None: the body is empty), and declared header blocks."""

    body: Field | None
    headers: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a SOAP binding: version (an envelope namespace), action, and what the body holds in request, reply and faults.

    Without a reply it is one-way. faults: the elements that may stand in a fault's detail.
    """

    version: str
    action: str
    request: Message
    reply: Message | None
    faults: tuple[Field, ...] = ()


def tag_of(name: str, prefixes: Mapping[str, str]) -> str:
    """A Clark name as a tag, by the prefixes of its document."""
    namespace, _, local = name.rpartition("}")
    return f"{prefixes[namespace[1:]]}:{local}" if namespace else local
