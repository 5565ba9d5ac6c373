"""What changed between two JSON Schemas (2020-12), place by place: narrower or wider, told as rules of policy/compatibility.py.

Places are JSON pointers into the value, `*` for every item. References are followed, each pair of them once, so that recursion ends;
`allOf` is read as one schema. What cannot be compared by its meaning (conditions, negations) is compared by its text.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.schema_view import LOWER, TYPES, UPPER, read, reference, types_of
from lgsp.policy.compatibility import Side
from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Schema = Mapping[str, Any]

RULES = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType")
OPAQUE = ("not", "if", "then", "else", "contains", "propertyNames", "patternProperties", "dependentRequired", "dependentSchemas")
OPAQUE_TOO = ("unevaluatedProperties", "unevaluatedItems")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change at one place of a value: rule of policy/compatibility.py, and what became of what."""

    pointer: str
    rule: str
    detail: str


class SchemaDiff:
    """Compares schemas of two documents; `base` and `revision` are their `components/schemas`."""

    def __init__(self, base: Mapping[str, Any], revision: Mapping[str, Any], side: Side) -> None:
        self._base = base
        self._revision = revision
        self._side = side
        self._compared: set[tuple[str, str]] = set()

    def compare(self, base: Any, revision: Any, at: str = "") -> Iterator[Difference]:
        """Every difference of the values that the two schemas allow, as far as it can be seen."""
        pair = (reference(base), reference(revision))
        if any(pair):
            if pair in self._compared:
                return
            self._compared.add(pair)
        old, new = read(base, self._base), read(revision, self._revision)
        if old == new and not any(pair) and not _refers(old):
            return
        yield from self._types(old, new, at)
        if not types_of(old) & types_of(new):
            return
        yield from _values(old, new, at)
        yield from _limits(old, new, at)
        yield from _texts(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._items(old, new, at)
        yield from self._alternatives(old, new, at)

    # ---- keywords --------------------------------------------------------------------------------------------------------------------

    def _types(self, old: Schema, new: Schema, at: str) -> Iterator[Difference]:
        before, after = types_of(old), types_of(new)
        if before == after:
            return
        rule = "type-narrowed" if after < before else "type-widened" if after > before else "type-changed"
        yield Difference(at, rule, f"was {_words(before)}, is {_words(after)}")

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[Difference]:
        before, after = self._seen(old, self._base), self._seen(new, self._revision)
        required = set(old.get("required", ())), set(new.get("required", ()))
        for name in {**before, **after}:
            place = f"{at}/{escape(name)}"
            if name in before and name in after:
                yield from _necessity(name in required[0], name in required[1], place)
                yield from self.compare(before[name], after[name], place)
            elif name in before:
                closed = new.get("additionalProperties") is False
                yield Difference(place, "field-refused" if closed else "field-removed", "is no longer in the contract")
            else:
                yield _new_field(place, is_required=name in required[1], is_closed=old.get("additionalProperties") is False)
        yield from self._others(old.get("additionalProperties", True), new.get("additionalProperties", True), at)

    def _others(self, old: Any, new: Any, at: str) -> Iterator[Difference]:
        if old is not False and new is False:
            yield Difference(at, "other-fields-refused", "only the fields of the contract are allowed now")
        elif old is False and new is not False:
            yield Difference(at, "other-fields-allowed", "fields that the contract does not name may occur now")
        elif isinstance(old, dict) or isinstance(new, dict):
            yield from self.compare(old, new, f"{at}/*")

    def _items(self, old: Schema, new: Schema, at: str) -> Iterator[Difference]:
        before, after = old.get("prefixItems", ()), new.get("prefixItems", ())
        for place in range(max(len(before), len(after))):
            first = before[place] if place < len(before) else old.get("items", True)
            second = after[place] if place < len(after) else new.get("items", True)
            yield from self.compare(first, second, f"{at}/{place}")
        if "items" in old or "items" in new:
            yield from self.compare(old.get("items", True), new.get("items", True), f"{at}/*")

    def _alternatives(self, old: Schema, new: Schema, at: str) -> Iterator[Difference]:
        for keyword in ("oneOf", "anyOf"):
            before, after = _named(old.get(keyword, ())), _named(new.get(keyword, ()))
            if not before or not after:
                if before or after:
                    yield Difference(at, "rule-removed" if before else "rule-added", keyword)
                continue
            yield from self._matched(before, after, at)

    def _matched(self, before: dict[str, Any], after: dict[str, Any], at: str) -> Iterator[Difference]:
        gone, come = [name for name in before if name not in after], [name for name in after if name not in before]
        for name in [name for name in before if name in after]:
            yield from self.compare(before[name], after[name], at)
        for name, other in zip(gone, come, strict=False):  # what has no equal is held against what stands in its place
            yield from self.compare(before[name], after[other], at)
        for name in gone[len(come) :]:
            yield Difference(at, "alternative-removed", name)
        for name in come[len(gone) :]:
            yield Difference(at, "alternative-added", name)

    def _seen(self, schema: Schema, components: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields that travel on this side (OpenAPI: readOnly never in a request, writeOnly never in an answer)."""
        hidden = "readOnly" if self._side is Side.REQUEST else "writeOnly"
        named = {**dict.fromkeys(schema.get("required", ()), True), **schema.get("properties", {})}
        return {name: part for name, part in named.items() if read(part, components).get(hidden) is not True}


def _necessity(was: bool, is_now: bool, place: str) -> Iterator[Difference]:  # the two flags are the whole question
    if is_now and not was:
        yield Difference(place, "field-required", "must be there now")
    elif was and not is_now:
        yield Difference(place, "field-optional", "may be absent now")


def _new_field(place: str, *, is_required: bool, is_closed: bool) -> Difference:
    if is_required:
        return Difference(place, "field-added-required", "is new and must be there")
    return Difference(place, "field-added-to-closed" if is_closed else "field-added", "is new")


def _values(old: Schema, new: Schema, at: str) -> Iterator[Difference]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is not None:
        yield Difference(at, "values-limited", f"only {len(after)} values are allowed now")
    elif before is not None and after is None:
        yield Difference(at, "values-freed", "any value is allowed now")
    elif before is not None and after is not None:
        yield from (Difference(at, "value-removed", shown) for key, shown in before.items() if key not in after)
        yield from (Difference(at, "value-added", shown) for key, shown in after.items() if key not in before)


def _allowed(schema: Schema) -> dict[bytes, str] | None:
    """The enumerated values by their JSON texts, in order; None where there is no enumeration."""
    values = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else None
    return None if values is None else {json.encode(value): json.encode(value).decode() for value in values}


def _limits(old: Schema, new: Schema, at: str) -> Iterator[Difference]:
    for keywords, sign in ((UPPER, 1), (LOWER, -1)):
        for keyword in keywords:
            before, after = (_bound(schema, keyword, sign) for schema in (old, new))
            if before != after:
                rule = "limit-tightened" if after < before else "limit-loosened"
                yield Difference(at, rule, f"{keyword}: {_said(before, sign)} became {_said(after, sign)}")


def _bound(schema: Schema, keyword: str, sign: int) -> tuple[float, int]:
    """Smaller is tighter: the bound, signed, and 0 for one that excludes its own value (1 includes it)."""
    exclusive = {"maximum": "exclusiveMaximum", "minimum": "exclusiveMinimum"}.get(keyword, "")
    bounds = [(sign * schema[keyword], 1)] if keyword in schema else []
    bounds += [(sign * schema[exclusive], 0)] if exclusive in schema else []
    return min(bounds, default=(math.inf, 1))


def _said(bound: tuple[float, int], sign: int) -> str:
    value, includes = bound
    return "none" if value == math.inf else f"{sign * value}" + ("" if includes else " (excluded)")


def _texts(old: Schema, new: Schema, at: str) -> Iterator[Difference]:
    """Keywords whose meanings are not compared: there, gone, or another text."""
    for keyword in (*RULES, *OPAQUE, *OPAQUE_TOO):
        before, after = old.get(keyword), new.get(keyword)
        if before != after:
            rule = "rule-added" if before is None else "rule-removed" if after is None else "rule-changed"
            yield Difference(at, rule, keyword)
    if old.get("default") != new.get("default"):
        yield Difference(at, "default-changed", "default")
    if new.get("deprecated") is True and old.get("deprecated") is not True:
        yield Difference(at, "field-deprecated", "is deprecated now")


def _words(types: frozenset[str]) -> str:
    shown = types - {"integer"} if "number" in types else types
    return "anything" if types == TYPES else " or ".join(sorted(shown)) or "nothing"


def _refers(schema: Schema) -> bool:
    """Whether a reference stands anywhere in it: equal texts may then mean different things."""
    return b'"$ref"' in json.encode(schema)


def _named(options: Sequence[Any]) -> dict[str, Any]:
    """Alternatives by what tells them apart: the name of what they reference, their title, or their text."""
    names = [reference(option) or _title(option) or json.encode(option).decode() for option in options]
    doubled = {name for name, times in Counter(names).items() if times > 1}
    return {f"{name} #{place}" if name in doubled else name: options[place] for place, name in enumerate(names)}


def _title(schema: Any) -> str:
    return str(schema.get("title", "")) if isinstance(schema, dict) else ""
