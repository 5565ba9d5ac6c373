"""Invents a value that keeps a JSON Schema (2020-12): the same one for the same seed, plain enough to be read.

What the contract gives comes first: `examples`, `default`, `const`, `enum`. Optional fields are there near the top and left out further
down, so that recursive schemas end. Not every schema can be met by invention (`not`, `if`, a pattern with a length): what comes out is
judged by the caller, who asks again with another seed.
"""

from __future__ import annotations

import base64
import math
import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from lgsp.contract.letters import matching
from lgsp.contract.schema_view import TYPES, read, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.contract.schema_view import Schema

WORDS = ("Hồ sơ", "một cửa", "xã Thử Nghiệm", "giấy tờ", "đã đối chiếu", "tiếp nhận", "Nguyễn Văn Thử", "kết quả", "bưu chính", "lệ phí")
LIKED = ("object", "array", "string", "integer", "number", "boolean", "null")
OPTIONAL_DEPTH, MAX_DEPTH = 3, 12
MOST_VALUES, MOST_LETTERS = 2_000, 20_000
"""What an invented value has at most; a contract may ask for more than there is memory."""
EPOCH = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)


class Inventor:
    """Makes values for the schemas of one document; `components` are its schemas by name."""

    def __init__(self, components: Mapping[str, Any], seed: int) -> None:
        self._components = components
        self._random = Random(seed)
        self._left = MOST_VALUES

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value that should keep the schema, or nothing once the whole would be too large."""
        self._left -= 1
        if self._left < 0:
            return None
        seen = read(schema, self._components)
        given = _given(seen)
        if given:
            return given[0] if depth == 0 or "enum" not in seen else self._random.choice(given)
        for keyword in ("oneOf", "anyOf"):
            if seen.get(keyword):
                rest, chosen = {name: part for name, part in seen.items() if name != keyword}, self._random.choice(seen[keyword])
                if keyword == "oneOf" and "properties" in rest:
                    rest["properties"] = _of_one(rest, chosen, seen[keyword])
                return self.value({"allOf": [rest, chosen]}, depth)
        return self._typed(seen, depth)

    def _typed(self, seen: Schema, depth: int) -> Any:
        makers: Mapping[str, Callable[[Schema, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda *_: self._random.random() < 0.5,  # noqa: PLR2004  # one of two
            "null": lambda *_: None,
        }
        allowed = types_of(seen)
        wanted = _implied(seen) if allowed == TYPES else next((kind for kind in LIKED if kind in allowed), "null")
        return makers[wanted](seen, depth)

    def _object(self, seen: Schema, depth: int) -> dict[str, Any]:
        fields, required, others = seen.get("properties", {}), seen.get("required", ()), seen.get("additionalProperties", True)
        names = [name for name in fields if name in required or depth < OPTIONAL_DEPTH]
        names += [name for name in required if name not in fields]
        made = {name: self.value(fields.get(name, others), depth + 1) for name in names if depth < MAX_DEPTH}
        for place in range(len(made), min(seen.get("minProperties", 0), MOST_VALUES)):
            made[f"field{place}"] = self.value(others, depth + 1)
        return made

    def _array(self, seen: Schema, depth: int) -> list[Any]:
        first = [self.value(each, depth + 1) for each in seen.get("prefixItems", ())]
        least, most = seen.get("minItems", 0), seen.get("maxItems", math.inf)
        wanted = int(min(most, MOST_VALUES, max(least, len(first), 1 if depth < OPTIONAL_DEPTH else 0)))
        items: list[Any] = first[:wanted]
        for _ in range(10 * (wanted - len(items))):
            if len(items) == wanted:
                break
            item = self.value(seen.get("items", True), depth + 1)
            if not (seen.get("uniqueItems") and item in items):
                items.append(item)
        return items

    def _string(self, seen: Schema, _depth: int) -> str:
        if "pattern" in seen:
            return matching(str(seen["pattern"]), self._random)
        form = FORMATS.get(seen.get("format", ""))
        if form is not None:
            return form(self._random)
        text = self._random.choice(WORDS)
        least, most = min(int(seen.get("minLength", 0)), MOST_LETTERS), seen.get("maxLength", 60)
        while len(text) < least:
            text += " " + self._random.choice(WORDS)
        return text[: max(least, most)].strip().ljust(least, "x")

    def _integer(self, seen: Schema, _depth: int) -> int:
        low, high = _bounds(seen, 1)
        step = int(seen.get("multipleOf", 1)) or 1
        return int(self._multiple(low, high, step))

    def _number(self, seen: Schema, _depth: int) -> float:
        low, high = _bounds(seen, 0.01)
        step = float(seen.get("multipleOf", 0.01))
        return round(float(self._multiple(low, high, step)), 10)

    def _multiple(self, low: float, high: float, step: float) -> float:
        """One between the bounds; the lower bound where the numbers are beyond what can be counted."""
        try:
            first = math.ceil(low / step)
            return self._random.randint(first, max(first, math.floor(high / step))) * step
        except (OverflowError, ZeroDivisionError):
            return low


def _given(seen: Schema) -> Sequence[Any]:
    """Values that the contract itself names."""
    for keyword in ("examples", "enum"):
        if isinstance(seen.get(keyword), list) and seen[keyword]:
            return list(seen[keyword])
    return [seen[keyword] for keyword in ("default", "const") if keyword in seen][:1]


def _of_one(seen: Schema, chosen: Any, options: Sequence[Any]) -> dict[str, Any]:
    """The fields without those that only make another alternative fit too: `oneOf: [{required: [a]}, {required: [b]}]`."""
    wanted = {*seen.get("required", ()), *(chosen.get("required", ()) if isinstance(chosen, dict) else ())}
    others = {name for each in options if isinstance(each, dict) for name in each.get("required", ())} - wanted
    return {name: part for name, part in seen["properties"].items() if name not in others}


def _implied(seen: Schema) -> str:
    """The type that the keywords speak of, where none is declared."""
    hints = {"object": ("properties", "required", "minProperties"), "array": ("items", "prefixItems", "minItems")}
    hints |= {"number": ("minimum", "maximum", "multipleOf")}
    return next((kind for kind, keywords in hints.items() if any(each in seen for each in keywords)), "string")


def _bounds(seen: Schema, step: float) -> tuple[float, float]:
    low = max(seen.get("minimum", -math.inf), seen.get("exclusiveMinimum", -math.inf) + step)
    high = min(seen.get("maximum", math.inf), seen.get("exclusiveMaximum", math.inf) - step)
    if low == -math.inf:
        low = 1 if high >= 1 else high - 100
    return low, min(high, low + 1_000)


def _moment(random: Random) -> datetime:
    return EPOCH + timedelta(minutes=random.randrange(300 * 24 * 60))


FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date": lambda random: _moment(random).date().isoformat(),
    "date-time": lambda random: _moment(random).isoformat(timespec="seconds"),
    "time": lambda random: _moment(random).time().isoformat(timespec="seconds") + "Z",
    "duration": lambda random: f"P{random.randrange(1, 30)}D",
    "email": lambda random: f"nguoi.{random.randrange(1000)}@hoso.example",
    "idn-email": lambda random: f"nguoi.{random.randrange(1000)}@hoso.example",
    "hostname": lambda random: f"may{random.randrange(1000)}.hoso.example",
    "idn-hostname": lambda random: f"may{random.randrange(1000)}.hoso.example",
    "ipv4": lambda random: f"192.0.2.{random.randrange(1, 255)}",
    "ipv6": lambda random: f"2001:db8::{random.randrange(1, 65535):x}",
    "uri": lambda random: f"https://hoso.example/{random.randrange(100_000)}",
    "uri-reference": lambda random: f"/{random.randrange(100_000)}",
    "iri": lambda random: f"https://hoso.example/{random.randrange(100_000)}",
    "iri-reference": lambda random: f"/{random.randrange(100_000)}",
    "uri-template": lambda _: "/hoso/{id}",
    "uuid": lambda random: str(uuid.UUID(int=random.getrandbits(128), version=4)),
    "json-pointer": lambda _: "/hoso/0",
    "relative-json-pointer": lambda _: "0/hoso",
    "regex": lambda _: "^[0-9]{12}$",
    "byte": lambda random: base64.b64encode(random.randbytes(12)).decode(),
}
"""How a text of each format is made; addresses are those that RFC 2606, 3849 and 5737 keep for examples."""
