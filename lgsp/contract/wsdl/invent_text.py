"""Invents the text of a simple type of XML Schema: by its enumeration, pattern, bounds and lengths, else something a person can read."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from rstr import Rstr

from lgsp.codec.soap.tables import Kind
from lgsp.contract.xsd.regex import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from lgsp.codec.soap.tables import Attribute, Shape

WORDS = ("Hồ sơ", "một cửa", "xã Thử Nghiệm", "giấy tờ", "đã đối chiếu", "tiếp nhận", "Nguyễn Văn Thử", "kết quả", "lệ phí")
EPOCH = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
RANGES: Mapping[str, tuple[int | None, int | None]] = {
    "long": (None, 2**63 - 1), "int": (None, 2**31 - 1), "short": (None, 2**15 - 1), "byte": (None, 127),
    "nonPositiveInteger": (None, 0), "negativeInteger": (None, -1), "unsignedByte": (0, 255), "unsignedShort": (0, 2**16 - 1),
}  # fmt: skip
SPAN = 1_000
PATTERN_TRIES = 20


def text_of(item: Shape | Attribute, random: Random) -> Any:
    """The native value of a text: bool, int, Decimal or str; a list of them where blanks divide it."""
    facets = Facets(item.facets)
    if not item.listed:
        return _one(item, facets, random)
    count = max(facets.size("minLength", 1), facets.size("length", 1))
    found = [_one(item, Facets(()), random) for _ in range(count)]
    return ["-".join(each.split()) if isinstance(each, str) else each for each in found]  # a blank would part it


class Facets:
    """Facets by name, of each the nearest restriction's; of bounds and lengths all are heeded."""

    def __init__(self, pairs: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        self._pairs = pairs

    def values(self, name: str) -> tuple[str, ...]:
        """What the nearest restriction says."""
        return next((values for each, values in self._pairs if each == name), ())

    def size(self, name: str, default: int) -> int:
        """A whole number."""
        found = self.values(name)
        return int(found[0]) if found and found[0].strip().isdecimal() else default

    @property
    def lengths(self) -> tuple[int, int | None]:
        """The shortest and the longest text."""
        exact = self.size("length", -1)
        if exact >= 0:
            return exact, exact
        longest = self.size("maxLength", -1)
        return self.size("minLength", 0), None if longest < 0 else longest

    def bound(self, names: tuple[str, str], step: Decimal) -> Decimal | None:
        """The nearest inclusive bound, or an exclusive one moved inwards by `step`."""
        for place, name in enumerate(names):
            for text in self.values(name):
                try:
                    return Decimal(text.strip()) + place * step
                except InvalidOperation:
                    return None
        return None


def _one(item: Shape | Attribute, facets: Facets, random: Random) -> Any:
    kind = item.kind if hasattr(item, "kind") else (item.text or Kind.TEXT)
    listed = facets.values("enumeration") or tuple(sorted((item.limits.values if item.limits else None) or ()))
    if listed:
        return _native(random.choice(listed), kind)
    if kind is Kind.BOOLEAN:
        return random.random() < 0.5  # noqa: PLR2004  # one of two
    if kind is Kind.QNAME:
        return "{urn:lgsp:any}ten"
    if kind is not Kind.TEXT:
        return _number(item, kind, facets, random)
    return _text(item.form, facets, random)


def _native(text: str, kind: Kind) -> Any:
    if kind is Kind.INTEGER:
        return int(text)
    if kind in {Kind.DECIMAL, Kind.FLOAT} and text.strip() not in {"INF", "-INF", "NaN"}:
        return Decimal(text.strip())
    return text.strip() in {"true", "1"} if kind is Kind.BOOLEAN else text


def _number(item: Shape | Attribute, kind: Kind, facets: Facets, random: Random) -> Any:
    places = 0 if kind is Kind.INTEGER else min(facets.size("fractionDigits", 2), 6)
    step = Decimal(1).scaleb(-places)
    low, high = facets.bound(("minInclusive", "minExclusive"), step), facets.bound(("maxInclusive", "maxExclusive"), -step)
    least, most = RANGES.get(item.form, (None, None))
    low = Decimal(least) if low is None and least is not None else low
    high = Decimal(most) if high is None and most is not None else high
    digits = facets.size("totalDigits", 0)
    if digits:
        widest = Decimal(10) ** (digits - places) - step if digits > places else step
        high = min(high, widest) if high is not None else widest
    if low is None:
        low = Decimal(1) if high is None or high >= 1 else high - SPAN
    high = min(high, low + SPAN) if high is not None else low + SPAN
    steps = max(int((high - low) / step), 0)
    if patterned := _patterned(facets, random):
        return _native(patterned, kind)
    value = low + random.randint(0, steps) * step
    return int(value) if kind is Kind.INTEGER else value


def _text(form: str, facets: Facets, random: Random) -> str:
    if patterned := _patterned(facets, random):
        return patterned
    bound = facets.values("minInclusive") or facets.values("maxInclusive")
    if bound:
        return bound[0]
    shortest, longest = facets.lengths
    if form in {"hexBinary", "base64Binary"}:
        size = max(shortest, min(12, longest if longest is not None else 12))
        raw = random.randbytes(size)
        return raw.hex() if form == "hexBinary" else base64.b64encode(raw).decode()
    if form in FORMS:
        return _fitted(FORMS[form](random), shortest, longest)
    text = random.choice(WORDS)
    while len(text) < shortest:
        text += " " + random.choice(WORDS)
    return _fitted(text, shortest, longest)


def _fitted(text: str, shortest: int, longest: int | None) -> str:
    cut = text if longest is None else text[:longest]
    return cut.strip().ljust(shortest, "x") if cut.strip() else cut.strip().ljust(max(shortest, 1 if longest != 0 else 0), "x")


def _patterned(facets: Facets, random: Random) -> str | None:
    """A text of the nearest pattern that has an allowed length."""
    patterns = [found for found in map(translate, facets.values("pattern")) if found is not None]
    if not patterns:
        return None
    shortest, longest = facets.lengths
    found = ""
    for _ in range(PATTERN_TRIES):
        found = str(Rstr(random).xeger(random.choice(patterns)))
        if shortest <= len(found) and (longest is None or len(found) <= longest):
            break
    return found


def _moment(random: Random) -> datetime:
    return EPOCH + timedelta(minutes=random.randrange(300 * 24 * 60))


def _number_text(least: int, most: int) -> Callable[[Random], str]:
    return lambda random: str(random.randint(least, most))


FORMS: Mapping[str, Callable[[Random], str]] = {
    "date": lambda random: _moment(random).date().isoformat(),
    "dateTime": lambda random: _moment(random).isoformat(timespec="seconds").replace("+00:00", "Z"),
    "time": lambda random: _moment(random).time().isoformat(timespec="seconds"),
    "gYear": lambda _: "2026",
    "gYearMonth": lambda random: _moment(random).date().isoformat()[:7],
    "gMonth": lambda _: "--11",
    "gDay": lambda _: "---26",
    "gMonthDay": lambda _: "--11-26",
    "duration": lambda random: f"P{random.randrange(1, 30)}D",
    "anyURI": lambda random: f"https://hoso.example/{random.randrange(100_000)}",
    "language": lambda _: "vi",
    "NCName": lambda random: f"ten{random.randrange(1000)}",
    "Name": lambda random: f"ten{random.randrange(1000)}",
    "ID": lambda random: f"id{random.randrange(10**9)}",
    "IDREF": lambda random: f"id{random.randrange(10**9)}",
    "ENTITY": lambda random: f"ten{random.randrange(1000)}",
    "NMTOKEN": lambda random: f"ten{random.randrange(1000)}",
    "token": lambda random: random.choice(WORDS),
}
"""How a text of each builtin type is made; addresses are those that RFC 2606 keeps for examples."""
