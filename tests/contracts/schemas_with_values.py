"""Invents JSON Schemas together with values that keep them, for properties that must hold of any contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Invented = tuple[dict[str, Any], st.SearchStrategy[Any]]

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\n\t\r")
TEXTS = st.text(LETTERS, max_size=12)
NAMES = st.sampled_from(["ho_ten", "maHoSo", "@id", "so dinh danh", "1st", "x-y", "Đơn_vị", "_x0041_", "a.b", "item", "key", "#text"])
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
DATES = st.dates().filter(lambda day: day.year >= 1000).map(str)
ZONES = st.sampled_from(["Z", "+07:00", "-03:30"])
MOMENTS = st.builds(lambda day, zone: f"{day}T08:30:00{zone}", DATES, ZONES)
SIMPLE: list[Invented] = [
    ({"type": "string"}, TEXTS),
    ({"type": "string", "enum": ["nam", "nữ", "", "1e3"]}, st.sampled_from(["nam", "nữ", "", "1e3"])),
    ({"type": "string", "pattern": "^[0-9]{3,5}$"}, st.from_regex(r"\A[0-9]{3,5}\Z")),
    ({"type": "string", "format": "date"}, DATES),
    ({"type": "string", "format": "date-time"}, MOMENTS),
    ({"type": "integer"}, st.integers(-(10**17), 10**17)),
    ({"type": "integer", "format": "int32", "minimum": 0, "maximum": 9}, st.integers(0, 9)),
    ({"type": "number"}, NUMBERS),
    ({"type": "number", "format": "double"}, NUMBERS),
    ({"type": "boolean"}, st.booleans()),
]


def _nullable(inner: Invented) -> Invented:
    schema, values = inner
    either = {"anyOf": [schema, {"type": "null"}]}
    return either, st.none() | values


def _list(inner: Invented) -> Invented:
    schema, values = inner
    return {"type": "array", "items": schema}, st.lists(values, max_size=3)


def _map(inner: Invented) -> Invented:
    schema, values = inner
    return {"type": "object", "additionalProperties": schema}, st.dictionaries(TEXTS, values, max_size=3)


def _record(members: dict[str, tuple[Invented, bool]]) -> Invented:
    schema = {
        "type": "object",
        "properties": {name: inner[0] for name, (inner, _) in members.items()},
        "required": [name for name, (_, required) in members.items() if required],
        "additionalProperties": False,
    }
    must = {name: inner[1] for name, (inner, required) in members.items() if required}
    may = {name: inner[1] for name, (inner, required) in members.items() if not required}
    return schema, st.fixed_dictionaries(must, optional=may)


def _choice(options: list[Invented]) -> Invented:
    """Alternatives told apart by a member of their own."""
    tagged = [_record({f"kind{place}": (SIMPLE[5], True), "inner": (inner, True)}) for place, inner in enumerate(options)]
    return {"oneOf": [schema for schema, _ in tagged]}, st.one_of(*(values for _, values in tagged))


def schemas() -> st.SearchStrategy[Invented]:
    """A schema and the strategy of its values."""
    return st.recursive(
        st.sampled_from(SIMPLE),
        lambda inner: st.one_of(
            inner.map(_nullable),
            inner.map(_list),
            inner.map(_map),
            st.dictionaries(NAMES, st.tuples(inner, st.booleans()), min_size=1, max_size=4).map(_record),
            st.lists(inner, min_size=2, max_size=3).map(_choice),
        ),
        max_leaves=6,
    )


def plain(value: Any) -> Any:
    """A value for comparison: numbers by what they are worth, XML's line ends as they are."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
