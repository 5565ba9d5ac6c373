"""Limits of a simple type become functions that write a value and vouch for its text, or raise Doubt.

They accept less than the XML schema does and never more: what they doubt goes to libxml2, which alone finds violations. So a form here may
be narrower than XSD's (dates of four-digit years, numbers of 18 digits), and an answer is a few tenths of a microsecond away.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.lexical import Doubt
from lgsp.codec.soap.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.codec.soap.tables import Limits

    Vouch = Callable[[Any], str]

_FAR = 10**18 - 1
RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "integer": (-_FAR, _FAR),
        "long": (-(2**63), 2**63 - 1),
        "int": (-(2**31), 2**31 - 1),
        "short": (-(2**15), 2**15 - 1),
        "byte": (-(2**7), 2**7 - 1),
        "nonNegativeInteger": (0, _FAR),
        "positiveInteger": (1, _FAR),
        "nonPositiveInteger": (-_FAR, 0),
        "negativeInteger": (-_FAR, -1),
        "unsignedLong": (0, 2**64 - 1),
        "unsignedInt": (0, 2**32 - 1),
        "unsignedShort": (0, 2**16 - 1),
        "unsignedByte": (0, 2**8 - 1),
    },
)
_DAY = r"[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
# Forms of text with a lexical space of their own; None: any characters.
FORMS: Mapping[str, str | None] = MappingProxyType(
    {
        "string": None,
        "normalizedString": None,
        "token": None,
        "date": _DAY + _ZONE,
        "dateTime": f"{_DAY}T{_TIME}{_ZONE}",
        "base64Binary": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?",
    },
)
STRINGS = frozenset({"string", "normalizedString", "token"})
_TIGHT = r"(?:[^ \t\r\n\0]+(?: [^ \t\r\n\0]+)*)?"
_PLAIN_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?").fullmatch
_MOST_DIGITS = 18
_COMPARED = MappingProxyType({"minInclusive": ge, "maxInclusive": le, "minExclusive": gt, "maxExclusive": lt})
MOST_VALUES = 60


def vouch(kind: Kind, limits: Limits | None) -> Vouch | None:
    """What writes a value of this type if the type surely allows it; None where that cannot be said of any value."""
    if limits is None:
        return None
    if kind is Kind.TEXT:
        return _text(limits) if limits.form in FORMS else None
    if kind is Kind.INTEGER:
        return _integer(limits) if limits.form in RANGES and limits.values is None else None
    if kind is Kind.DECIMAL:
        return _decimal(limits) if limits.values is None else None
    is_bare = not (limits.patterns or limits.values or limits.bounds)
    return {Kind.BOOLEAN: _boolean, Kind.FLOAT: _float}.get(kind) if is_bare else None


def _boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise Doubt


def _float(value: Any) -> str:
    if type(value) is Decimal and value.is_finite():
        return str(value)
    raise Doubt


def _text(limits: Limits) -> Vouch:
    longest = limits.longest if limits.longest is not None else 2**62
    if limits.form == "string" and not limits.tight and not limits.patterns and limits.values is None:
        return _length(limits.shortest, longest)
    if limits.values is not None and len(limits.values) > MOST_VALUES:
        return _listed(limits)
    return _matching(re.compile(text_expression(limits)).fullmatch)


def text_expression(limits: Limits) -> str:
    """An expression whose full matches are texts that keep these limits; it never matches NUL."""
    form = FORMS[limits.form] or (_TIGHT if limits.tight else None)
    tests = [*limits.patterns, *([form] if form else [])]
    if limits.values is not None:
        tests.append("|".join(re.escape(value) for value in sorted(limits.values)))
    if limits.shortest or limits.longest is not None or not tests:
        tests.append(f"[^\\0]{{{limits.shortest},{'' if limits.longest is None else limits.longest}}}")
    *ahead, last = tests
    return "".join(rf"(?=(?:{test})(?:\0|\Z))" for test in ahead) + f"(?:{last})"


def is_matched(kind: Kind | None, limits: Limits | None) -> bool:
    """Whether texts of this type can be judged by `text_expression`."""
    return kind is Kind.TEXT and limits is not None and limits.form in FORMS and len(limits.values or ()) <= MOST_VALUES


_MANY_DIGITS = 9
CONVERT: Mapping[Kind, Callable[[str], Any]] = MappingProxyType(
    {Kind.INTEGER: int, Kind.DECIMAL: Decimal, Kind.BOOLEAN: {"true": True, "false": False}.__getitem__},
)
"""What makes a value of a text that `number_expression` matches."""


def number_expression(kind: Kind, limits: Limits) -> str | None:
    """An expression whose full matches are usual texts of a number or boolean without limits of its own; None where limits are set."""
    if limits.patterns or limits.values or limits.bounds or limits.digits is not None or limits.places is not None:
        return None
    if kind is Kind.INTEGER and limits.form in RANGES:
        least, most = RANGES[limits.form]
        sign = "-?" if least <= -(10**_MANY_DIGITS) else ""
        return f"(?>{sign}(?:0|[1-9][0-9]{{0,{_MANY_DIGITS - 1}}}))" if least <= 0 and most >= 10**_MANY_DIGITS else None
    if kind is Kind.DECIMAL:
        return rf"(?>-?(?:0|[1-9][0-9]{{0,{_MANY_DIGITS}}})(?:\.[0-9]{{1,{_MANY_DIGITS}}})?)"
    return "(?>true|false)" if kind is Kind.BOOLEAN else None


def _length(shortest: int, longest: int) -> Vouch:
    def write(value: Any) -> str:
        if type(value) is str and shortest <= len(value) <= longest:
            return value
        raise Doubt

    return write


def _matching(matches: Callable[[str], Any]) -> Vouch:
    def write(value: Any) -> str:
        if type(value) is str and matches(value):
            return value
        raise Doubt

    return write


def _listed(limits: Limits) -> Vouch:
    """A long enumeration is looked up, and what it holds is tested once, here."""
    matches = re.compile(text_expression(replace(limits, values=None))).fullmatch
    return _matching(frozenset(value for value in limits.values or () if matches(value)).__contains__)


def _integer(limits: Limits) -> Vouch:
    least, most = RANGES[limits.form]
    if limits.digits is not None:
        least, most = max(least, 1 - 10**limits.digits), min(most, 10**limits.digits - 1)
    patterns = [re.compile(pattern).fullmatch for pattern in limits.patterns]
    allows = _within(limits) if limits.bounds else None

    def write(value: Any) -> str:
        if type(value) is not int or not least <= value <= most or (allows and not allows(value)):
            raise Doubt
        text = str(value)
        for passes in patterns:
            if not passes(text):
                raise Doubt
        return text

    return write


def _decimal(limits: Limits) -> Vouch:
    digits = min(limits.digits if limits.digits is not None else _MOST_DIGITS, _MOST_DIGITS)
    places = limits.places if limits.places is not None else _MOST_DIGITS
    patterns = [re.compile(pattern).fullmatch for pattern in limits.patterns]
    allows = _within(limits) if limits.bounds else None

    def write(value: Any) -> str:
        if type(value) is not Decimal and type(value) is not int:
            raise Doubt
        text = str(value)
        found = _PLAIN_NUMBER(text)
        if found is None or (allows and not allows(value)):
            raise Doubt
        after = len(found[2] or "")
        if after > places or len(found[1]) + after > digits:
            raise Doubt
        for passes in patterns:
            if not passes(text):
                raise Doubt
        return text

    return write


def _within(limits: Limits) -> Callable[[Decimal | int], bool]:
    """Whether a number keeps every bound; exclusive ones exclude the bound itself."""
    tests = [(_COMPARED[name], value) for name, value in limits.bounds]
    return lambda value: all(compare(value, bound) for compare, bound in tests)
