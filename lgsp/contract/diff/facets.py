"""What changed between two simple types: the builtin type they come from, their enumerations, bounds, lengths and patterns."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Facets = Sequence[tuple[str, tuple[str, ...]]]  # the nearest restriction first; values of one are alternatives

PARENTS: Mapping[str, str] = {
    "normalizedString": "string",
    "token": "normalizedString",
    "language": "token",
    "Name": "token",
    "NMTOKEN": "token",
    "NCName": "Name",
    "ID": "NCName",
    "IDREF": "NCName",
    "ENTITY": "NCName",
    "integer": "decimal",
    "nonPositiveInteger": "integer",
    "negativeInteger": "nonPositiveInteger",
    "nonNegativeInteger": "integer",
    "positiveInteger": "nonNegativeInteger",
    "unsignedLong": "nonNegativeInteger",
    "unsignedInt": "unsignedLong",
    "unsignedShort": "unsignedInt",
    "unsignedByte": "unsignedShort",
    "long": "integer",
    "int": "long",
    "short": "int",
    "byte": "short",
}
"""XSD part 2, figure of section 3: what each builtin type restricts; all texts are strings (`string`) at last."""
ANY = frozenset({"string", "anySimpleType"})
UPPER = ("maxInclusive", "maxExclusive", "maxLength", "totalDigits", "fractionDigits")
LOWER = ("minInclusive", "minExclusive", "minLength")
TEXTS = ("pattern", "whiteSpace")


def type_rule(old: str, new: str) -> str:
    """Narrower, wider or another builtin type; empty where it is the same."""
    if old == new:
        return ""
    if new in _above(old):
        return "type-widened"
    return "type-narrowed" if old in _above(new) else "type-changed"


def _above(form: str) -> set[str]:
    found = set(ANY)
    while form in PARENTS:
        form = PARENTS[form]
        found.add(form)
    return found


def compare_texts(old: Facets, new: Facets) -> Iterator[tuple[str, str]]:
    """Rule and words of each change of the facets."""
    yield from _values(_enumeration(old), _enumeration(new))
    for names, sign in ((UPPER, 1), (LOWER, -1)):
        for name in names:
            yield from _bound(name, (_tightest(old, name, sign), _tightest(new, name, sign)), sign)
    for name in TEXTS:
        before, after = ([values for facet, values in facets if facet == name] for facets in (old, new))
        if before != after:
            rule = "rule-added" if not before else "rule-removed" if not after else "rule-changed"
            yield rule, f"{name}: {_said(before)} became {_said(after)}"


def _values(before: list[str] | None, after: list[str] | None) -> Iterator[tuple[str, str]]:
    if before is None and after is not None:
        yield "values-limited", f"only {len(after)} values are allowed now"
    elif before is not None and after is None:
        yield "values-freed", "any value is allowed now"
    elif before is not None and after is not None:
        yield from (("value-removed", repr(value)) for value in before if value not in after)
        yield from (("value-added", repr(value)) for value in after if value not in before)


def _enumeration(facets: Facets) -> list[str] | None:
    """What every restriction with an enumeration lists, in the order of the nearest."""
    lists = [values for name, values in facets if name == "enumeration"]
    return [value for value in lists[0] if all(value in other for other in lists)] if lists else None


def _bound(name: str, bounds: tuple[Decimal | str | None, Decimal | str | None], sign: int) -> Iterator[tuple[str, str]]:
    before, after = bounds
    if before == after:
        return
    words = f"{name}: {before if before is not None else 'none'} became {after if after is not None else 'none'}"
    if before is None or after is None:
        yield "limit-tightened" if before is None else "limit-loosened", words
    elif isinstance(before, Decimal) and isinstance(after, Decimal):
        yield "limit-tightened" if sign * after < sign * before else "limit-loosened", words
    else:
        yield "rule-changed", words  # dates and durations: which is tighter is not said here


def _tightest(facets: Facets, name: str, sign: int) -> Decimal | str | None:
    """The bound that holds; `length` bounds from both sides."""
    texts = [value for facet, values in facets for value in values if facet == name or (facet == "length" and name.endswith("Length"))]
    if not texts:
        return None
    try:
        return sign * min(sign * Decimal(text) for text in texts)
    except InvalidOperation:
        return texts[0]


def _said(texts: list[tuple[str, ...]]) -> str:
    return " and ".join("|".join(values) for values in texts) or "none"
