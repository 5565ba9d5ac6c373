"""Breaks a sound value at one rule of its JSON Schema at a time: what a contract must refuse, and the place that it must name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from lgsp.contract.schema_view import TYPES, read, types_of
from lgsp.schema import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lgsp.contract.schema_view import Schema

    Path = tuple[str | int, ...]

STRANGER = "not_in_the_contract"
MOST_PLACES = 200
"""So many places of a value are broken; a contract may have more than anybody wants to wait for."""
LONGEST, MOST_ITEMS = 20_000, 1_000
"""No text and no list is made longer to break a limit."""
ODD_TEXTS = ("!", "~ ~", "", "0", "a")
OTHERS: Mapping[str, Any] = {"boolean": True, "object": {}, "array": [], "string": "?", "number": 0.5, "null": None}


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that breaks one rule, and the pointer at which a check must say so."""

    value: Any
    pointer: str
    rule: str


def broken(schema: Mapping[str, Any], value: Any) -> Iterator[Broken]:
    """Every way to break it that can be told from the schema alone; `schema` is self-contained (`$defs`), `value` keeps it."""
    components = schema.get("$defs", {})
    for seen, path, here in islice(_places(schema, (), value, components), MOST_PLACES):
        for rule, wrong in _wrong(seen, here):
            yield Broken(_with(value, path, wrong), pointer(path), rule)


def _places(schema: Any, path: Path, value: Any, components: Mapping[str, Any]) -> Iterator[tuple[Schema, Path, Any]]:
    """The places of the value that `properties` and `items` speak of, from above; what only alternatives say is left alone."""
    seen = read(schema, components)
    yield seen, path, value
    if isinstance(value, dict):
        for name, member in value.items():
            if name in seen.get("properties", {}):
                yield from _places(seen["properties"][name], (*path, name), member, components)
    elif isinstance(value, list) and value and "prefixItems" not in seen:
        yield from _places(seen.get("items", True), (*path, 0), value[0], components)


def _wrong(seen: Schema, value: Any) -> Iterator[tuple[str, Any]]:
    """Rule and value that breaks it, for one place."""
    allowed = types_of(seen)
    if allowed != TYPES:
        yield from ((("type", other) for kind, other in OTHERS.items() if kind not in allowed and not _is_whole(kind, allowed)))
    if isinstance(seen.get("enum"), list) and STRANGER not in seen["enum"] and "string" in allowed:
        yield "enum", STRANGER
    if isinstance(value, dict):
        yield from _wrong_members(seen, value)
    elif isinstance(value, str):
        yield from _wrong_texts(seen, value)
    elif isinstance(value, list):
        yield from _wrong_lists(seen, value)
    elif not isinstance(value, bool) and value is not None:
        yield from _wrong_numbers(seen)


def _is_whole(kind: str, allowed: frozenset[str]) -> bool:
    """One half is no whole number, but a contract of whole numbers means the type all the same; other wrong types say it better."""
    return kind == "number" and "integer" in allowed


def _wrong_members(seen: Schema, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in seen.get("required", ()):
        if name in value:
            yield "required", {other: member for other, member in value.items() if other != name}
    is_closed = seen.get("additionalProperties") is False or seen.get("unevaluatedProperties") is False
    if is_closed and not seen.get("patternProperties") and STRANGER not in seen.get("properties", {}):
        yield "unknown-field", {**value, STRANGER: "?"}


def _wrong_texts(seen: Schema, value: str) -> Iterator[tuple[str, Any]]:
    least, most = seen.get("minLength", 0), seen.get("maxLength", LONGEST)
    if least > 0:
        yield "minLength", value[: int(least) - 1]
    if most < LONGEST:
        yield "maxLength", (value or "x").ljust(int(most) + 1, "x")
    if "pattern" in seen:
        yield from (("pattern", text) for text in _unmatched(str(seen["pattern"])))


def _unmatched(pattern: str) -> Sequence[str]:
    """A text that the pattern does not know; none where Python reads the pattern otherwise than ECMA-262, or it knows them all."""
    try:
        known = re.compile(pattern)
    except re.error:
        return []
    return [text for text in ODD_TEXTS if not known.search(text)][:1]


def _wrong_lists(seen: Schema, value: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    least, most = seen.get("minItems", 0), seen.get("maxItems", MOST_ITEMS)
    if least > 0:
        yield "minItems", list(value[: int(least) - 1])
    if value and most < MOST_ITEMS:
        yield "maxItems", [*value, *[value[0]] * (int(most) + 1 - len(value))]


def _wrong_numbers(seen: Schema) -> Iterator[tuple[str, Any]]:
    for keyword, step in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        limit = seen.get(keyword)
        if limit is not None and (step == 0 or limit + step != limit):
            yield keyword, limit + step


def _with(value: Any, path: Path, new: Any) -> Any:
    """The value with another one at this place."""
    if not path:
        return new
    first, *rest = path
    if isinstance(value, dict):
        return {**value, first: _with(value[first], tuple(rest), new)}
    return [_with(item, tuple(rest), new) if place == first else item for place, item in enumerate(value)]


__all__ = ["STRANGER", "Broken", "broken"]
