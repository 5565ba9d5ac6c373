"""The tables that the SOAP codec speaks from: shapes, fields and operations, frozen, with nothing left to parse.

Names are in Clark notation (`{namespace}local`, or `local` without a namespace). Keys are the names in a native value: the local name,
or the Clark name where two namespaces clash; attributes carry `@` before it; the text of an element with attributes is `#text`.
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
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TEXT_KEY = "#text"


class Kind(StrEnum):
    """What a text becomes: everything that XSD knows beyond these stays text, exactly as it came."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"


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
    """One attribute of an element; without `limits` only the XML schema can judge it."""

    key: str
    name: str
    kind: Kind
    required: bool
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One element in its place. `shape` names a row of Grammar.shapes; `many` makes it a list even where one item came.

    least, most: how often it occurs where it does. sure: nothing is asked of the element that its shape does not say.
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element holds: text of a kind, or fields in the contract's order; and attributes.

    Text without attributes is a bare value, everything else an object. limits: what keeps the text surely valid, if that can be said.
    sure: fields that come in order, as often as each says, are valid content, if `choices` hold: of these keys one, or none where that is
    allowed (the flag: one must be there). lead: how many fields, from the first on, stand in their places in every valid content.
    """

    text: Kind | None = None
    fields: tuple[Field, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    limits: Limits | None = None
    choices: tuple[tuple[tuple[str, ...], bool], ...] = ()
    sure: bool = False
    lead: int = 0


@dataclass(frozen=True, slots=True)
class Grammar:
    """Every shape by its key, and the XML schemas as texts by their address; the first address is the one to compile."""

    shapes: Mapping[str, Shape]
    schemas: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a SOAP binding: version (an envelope namespace), action, and what the body holds in request, reply and faults."""

    version: str
    action: str
    request: Field
    reply: Field
    faults: tuple[Field, ...] = ()


def tag_of(name: str, prefixes: Mapping[str, str]) -> str:
    """A Clark name as a tag, by the prefixes of its document."""
    namespace, _, local = name.rpartition("}")
    return f"{prefixes[namespace[1:]]}:{local}" if namespace else local
