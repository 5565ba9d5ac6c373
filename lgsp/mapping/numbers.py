"""Conversions between text and other scalars; a value that does not convert without loss is an error."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def to_text(value: Any) -> str:
    """The text of a scalar; decimals without an exponent, booleans as true and false."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise _wrong("is no single value")


def to_integer(value: Any) -> int:
    """A whole number from a number or from digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, Decimal | float) and value == int(value):
        return int(value)
    raise _wrong("is no whole number")


def to_decimal(value: Any) -> Decimal | int:
    """A number from a number or from digits with a point."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise _wrong("is no decimal number")


def to_boolean(value: Any) -> bool:
    """A boolean from true/false, True/False or 1/0, as text or not."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _wrong("is neither true nor false")


def _wrong(detail: str) -> MappingError:
    return MappingError([Violation("", detail, "type")])


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "text": to_text,
    "integer": to_integer,
    "decimal": to_decimal,
    "boolean": to_boolean,
}
