"""Lexical forms of XSD: text to value and back, by kind; no number passes through a float on its way in."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

BOOLEANS = MappingProxyType({"true": True, "1": True, "false": False, "0": False})
BLANKS = " \t\r\n"
MOST_DIGITS = 4000
SHORT = 20

_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}").fullmatch
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?").fullmatch


class Unwritable(Exception):
    """A value that the contract cannot carry; never leaves the codec. `steps` are the keys from the inside out."""

    def __init__(self, detail: str, *steps: str | int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.steps = list(steps)


class Doubt(Exception):
    """A value that the tables alone cannot vouch for; never leaves the codec, which then asks the XML schema."""


def pointer_of(steps: list[str | int]) -> str:
    """The JSON pointer (RFC 6901) of keys and indexes, outermost first."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


# ---- text to value: what is not in the lexical space stays text, and the XSD verdict tells where -----------------------------------


def _boolean(text: str) -> Any:
    return BOOLEANS.get(text.strip(BLANKS), text)


def _integer(text: str) -> Any:
    if len(text) < SHORT and text.isascii() and text.isdigit():
        return int(text)
    bare = text.strip(BLANKS)
    return int(bare) if _INTEGER(bare) else text


def _decimal(text: str) -> Any:
    bare = text.strip(BLANKS)
    return Decimal(bare) if _DECIMAL(bare) else text


def _float(text: str) -> Any:
    bare = text.strip(BLANKS)
    return Decimal(bare) if _FLOAT(bare) else text


READ: MappingProxyType[Kind, Callable[[str], Any] | None] = MappingProxyType(
    {Kind.TEXT: None, Kind.BOOLEAN: _boolean, Kind.INTEGER: _integer, Kind.DECIMAL: _decimal, Kind.FLOAT: _float, Kind.QNAME: None},
)


def listed(convert: Callable[[str], Any] | None) -> Callable[[str], Any]:
    """Text divided by blanks, item by item."""
    return (lambda text: [convert(item) for item in text.split()]) if convert is not None else str.split


# ---- value to text -----------------------------------------------------------------------------------------------------------------


def _write_boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise Unwritable("must be true or false")


def _write_integer(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > MOST_DIGITS * 3:
            raise Unwritable("has too many digits")
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < MOST_DIGITS and value == value.to_integral_value():
        return format(value.to_integral_value(), "f")
    raise Unwritable("must be an integer")


def _write_decimal(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite() and _exponent(value) > -MOST_DIGITS and value.adjusted() < MOST_DIGITS:
        return format(value, "f")
    if isinstance(value, int):
        return _write_integer(value)
    raise Unwritable("must be a finite decimal number")


def _write_float(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, float):
        return {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(repr(value), repr(value))
    if isinstance(value, str) and value in {"INF", "-INF", "NaN"}:
        return value
    return _write_integer(value)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


WRITE: MappingProxyType[Kind, Callable[[Any], str]] = MappingProxyType(
    {Kind.BOOLEAN: _write_boolean, Kind.INTEGER: _write_integer, Kind.DECIMAL: _write_decimal, Kind.FLOAT: _write_float},
)


# ---- text inside XML ---------------------------------------------------------------------------------------------------------------

# XML 1.0, production 2: what no document can hold, not even escaped. Lone surrogates are among it.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
CONTROLS = bytes(n for n in range(32) if n not in b"\t\n")
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def quick(text: str) -> str:
    """Text as element content, for documents that prove free of controls when they are done (see `suspicious`)."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def careful(text: str) -> str:
    """Text as element content, character by character; CR becomes a reference, or the parser at the other end would turn it into LF."""
    if _FORBIDDEN(text):
        raise Unwritable("has a character that XML cannot hold")
    return quick(text).replace("\r", "&#13;")


def attribute(text: str) -> str:
    """Text as an attribute's value; blanks become references, or normalisation would turn them into spaces."""
    if _FORBIDDEN(text):
        raise Unwritable("has a character that XML cannot hold")
    return text.translate(_ATTRIBUTE)


def suspicious(document: bytes) -> bool:
    """Whether a finished document (UTF-8) may have a CR or what XML cannot hold, so that it must be written carefully.

    Noncharacters begin with EF; so do some letters, which costs them the second pass and nothing else.
    """
    return b"\xef" in document or len(document.translate(None, CONTROLS)) != len(document)
