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
class Attribute:
    """One attribute of an element."""

    key: str
    name: str
    kind: Kind
    required: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One element in its place. `shape` names a row of Grammar.shapes; `many` makes it a list even where one item came."""

    key: str
    name: str
    shape: str
    required: bool = True
    many: bool = False
    nillable: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element holds: text of a kind, or fields in the contract's order; and attributes.

    Text without attributes is a bare value, everything else an object.
    """

    text: Kind | None = None
    fields: tuple[Field, ...] = ()
    attributes: tuple[Attribute, ...] = ()


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
