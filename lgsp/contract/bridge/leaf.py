"""A simple type of XML Schema as JSON Schema: what its text becomes in the codec's hands, and the facets that JSON Schema can say.

Texts keep their lexical form, so dates are strings with or without a zone. Facets that JSON Schema cannot say exactly stay with the XSD,
which judges each value before it is sent.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import Kind
from lgsp.contract.bridge.expression import to_ecma
from lgsp.errors import ContractError
from lgsp.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Facets = Sequence[tuple[str, Sequence[str]]]

Schema = dict[str, Any]

_YEAR = r"-?(?:[1-9][0-9]{3,}|0[0-9]{3})"
_DATE = rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
FORMS: Mapping[str, str] = MappingProxyType(
    {
        "date": _DATE + _ZONE,
        "dateTime": f"{_DATE}T{_TIME}{_ZONE}",
        "time": _TIME + _ZONE,
        "gYear": _YEAR + _ZONE,
        "gYearMonth": f"{_YEAR}-[0-9]{{2}}{_ZONE}",
        "gMonthDay": f"--[0-9]{{2}}-[0-9]{{2}}{_ZONE}",
        "gDay": f"---[0-9]{{2}}{_ZONE}",
        "gMonth": f"--[0-9]{{2}}{_ZONE}",
        "hexBinary": "(?:[0-9A-Fa-f]{2})*",
    },
)
BASE64 = r"^[A-Za-z0-9+/ \t\n\r]*(?:=[ \t\n\r]*){0,2}$"
"""Lines may be parted, as old systems do."""

_RANGES: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {
        "long": (-(2**63), 2**63 - 1),
        "int": (-(2**31), 2**31 - 1),
        "short": (-(2**15), 2**15 - 1),
        "byte": (-(2**7), 2**7 - 1),
        "nonNegativeInteger": (0, None),
        "positiveInteger": (1, None),
        "nonPositiveInteger": (None, 0),
        "negativeInteger": (None, -1),
        "unsignedLong": (0, 2**64 - 1),
        "unsignedInt": (0, 2**32 - 1),
        "unsignedShort": (0, 2**16 - 1),
        "unsignedByte": (0, 2**8 - 1),
    },
)
_FORMATS = MappingProxyType({"int": "int32", "long": "int64", "float": "float", "double": "double"})
_BOUNDS = MappingProxyType(
    {"minInclusive": "minimum", "maxInclusive": "maximum", "minExclusive": "exclusiveMinimum", "maxExclusive": "exclusiveMaximum"},
)
NOT_FINITE = ("INF", "-INF", "NaN")


def leaf_schema(kind: Kind, form: str, facets: Facets, *, listed: bool = False) -> Schema:
    """The schema of a text's native value: its kind, the builtin form that it comes from, its facets; of a list, that of its items."""
    if listed:
        return {"type": "array", "items": leaf_schema(kind, form, ())}
    if kind is Kind.BOOLEAN:
        return {"type": "boolean"}
    if kind is Kind.FLOAT:
        number = {"type": "number", "format": "float" if form == "float" else "double", **_number(facets)}
        return {"anyOf": [number, {"enum": [*NOT_FINITE]}]}
    if kind is Kind.INTEGER:
        return _integer(form, facets)
    return {"type": "number", **_number(facets)} if kind is Kind.DECIMAL else _text(form, facets)


def _number(facets: Facets) -> Schema:
    found: Schema = {}
    for name, values in facets:
        if name in _BOUNDS and _BOUNDS[name] not in found:
            bound = _plain_number(values[0])
            found.update({} if bound is None else {_BOUNDS[name]: bound})
    return found


def _plain_number(text: str) -> int | float | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return int(number) if number == number.to_integral_value() else float(number) if Decimal(repr(float(number))) == number else None


def _integer(form: str, facets: Facets) -> Schema:
    least, most = _RANGES.get(form, (None, None))
    found: Schema = {"type": "integer", **({"format": _FORMATS[form]} if form in _FORMATS else {})}
    own = _number(facets)
    if least is not None and not {"minimum", "exclusiveMinimum"} & own.keys():
        found["minimum"] = least
    if most is not None and not {"maximum", "exclusiveMaximum"} & own.keys():
        found["maximum"] = most
    listed = next((values for name, values in facets if name == "enumeration"), None)
    if listed is not None and all(value.strip().lstrip("+-").isdecimal() for value in listed):
        found["enum"] = [int(value) for value in listed]
    return found | own


def _text(form: str, facets: Facets) -> Schema:
    found: Schema = {"type": "string"}
    if form in FORMS:
        found["pattern"] = rf"^[ \t\n\r]*{FORMS[form]}[ \t\n\r]*$"
    if form == "base64Binary":
        found |= {"contentEncoding": "base64", "pattern": BASE64}
    for name, values in facets:
        if name == "enumeration" and "enum" not in found:
            found["enum"] = list(dict.fromkeys(values))
        if name == "pattern" and form in ("string", "normalizedString", "token") and "pattern" not in found:
            pattern = _pattern(values)
            found.update({"pattern": pattern} if pattern else {})
    if form not in FORMS and form != "base64Binary":
        found |= _lengths(facets)
    if "enum" in found:
        return {name: value for name, value in found.items() if name not in {"pattern", "minLength", "maxLength"}}
    return found


def _lengths(facets: Facets) -> Schema:
    sizes = [(name, int(values[0])) for name, values in facets if name in {"length", "minLength", "maxLength"}]
    least = max((size for name, size in sizes if name != "maxLength"), default=0)
    most = min((size for name, size in sizes if name != "minLength"), default=None)
    return {**({"minLength": least} if least else {}), **({"maxLength": most} if most is not None else {})}


def _pattern(values: Sequence[str]) -> str | None:
    """One pattern that the engine compiles and that means what these alternatives mean; None if there is none."""
    patterns = [to_ecma(value) for value in values]
    if None in patterns:
        return None
    whole = patterns[0] if len(patterns) == 1 else f"^(?:{'|'.join(str(each)[1:-1] for each in patterns)})$"
    try:
        compile_schema({"type": "string", "pattern": whole})
    except ContractError:
        return None
    return whole
