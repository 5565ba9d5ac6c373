"""Values made up for any shape of the codec's tables: the least that a contract asks, or nearly everything that it allows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, TEXT_KEY, TYPE_KEY, Kind

if TYPE_CHECKING:
    from lgsp.codec.soap.tables import Attribute, Field, Grammar, Shape

DEEPEST = -6
TEXT = "chữ & <số>"
NUMBERS = {Kind.BOOLEAN: True, Kind.INTEGER: 1, Kind.DECIMAL: Decimal("1.5"), Kind.FLOAT: Decimal("1.5"), Kind.QNAME: "{urn:q}x"}
FORMS = {
    "date": "2026-11-26+07:00", "dateTime": "2026-11-26T01:02:03Z", "time": "01:02:03", "gYear": "2026", "gYearMonth": "2026-11",
    "gMonth": "--11", "gDay": "---26", "gMonthDay": "--11-26", "duration": "P1D", "hexBinary": "0aFF", "base64Binary": "YQ==",
    "anyURI": "urn:x", "language": "vi", "NCName": "abc", "Name": "abc", "ID": "i1", "IDREF": "i1", "NMTOKEN": "x",
}  # fmt: skip


class Inventor:
    """Of values for one grammar; `full` with what is optional. LookupError where nothing can be made up."""

    def __init__(self, grammar: Grammar, *, full: bool) -> None:
        self._grammar = grammar
        self._full = full

    def value(self, key: str, depth: int = 4) -> Any:
        shape = self._grammar.shapes[key]
        if shape.abstract:
            return self._stand_in(shape, depth)
        if shape.is_bare:
            return text(shape)
        found: dict[str, Any] = {item.key: attribute(item) for item in shape.attributes if item.required or self._full}
        if shape.text is not None:
            return found | {TEXT_KEY: text(shape)}
        return found | (self._loose(shape, depth) if shape.loose else self._fields(shape, depth))

    def _stand_in(self, shape: Shape, depth: int) -> Any:
        if not shape.derived or depth < DEEPEST:
            raise LookupError
        derived = shape.derived[0]
        found = self.value(derived.shape, depth - 1)
        return {TYPE_KEY: derived.key, **(found if isinstance(found, dict) else {TEXT_KEY: found})}

    def _loose(self, shape: Shape, depth: int) -> dict[str, Any]:
        named = [field for field in shape.fields if field.key != ANY_KEY] if depth > 0 else []
        return {CONTENT_KEY: [{field.key: self.value(field.shape, depth - 1)} for field in named]} if named else {}

    def _fields(self, shape: Shape, depth: int) -> dict[str, Any]:
        if depth < DEEPEST:
            raise LookupError
        others = {key for keys, _ in shape.choices for key in keys[1:]}
        chosen = {keys[0] for keys, must in shape.choices if must}
        named = [field for field in shape.fields if field.key not in others and (field.key != ANY_KEY or field.required)]
        wanted = [field for field in named if field.required or field.key in chosen or (self._full and depth > 0)]
        return {field.key: self._field(field, depth) for field in wanted}

    def _field(self, field: Field, depth: int) -> Any:
        if field.key == ANY_KEY:
            raise LookupError
        found = self.value(field.shape, depth - 1)
        return [found] * max(field.least, 1) if field.many else found


def text(shape: Shape | Attribute) -> Any:
    """A text, or a list of one."""
    kind = shape.kind if hasattr(shape, "kind") else shape.text
    one = _one(kind or Kind.TEXT, shape)
    return [one] if shape.listed else one


def _one(kind: Kind, shape: Shape | Attribute) -> Any:
    limits = shape.limits
    if limits is not None and limits.values:
        return min(limits.values)
    if kind in NUMBERS or shape.form in FORMS:
        return NUMBERS.get(kind, FORMS.get(shape.form))
    if shape.listed:
        return "x"
    longest = limits.longest if limits is not None and limits.longest is not None else len(TEXT)
    return TEXT[:longest].ljust(limits.shortest if limits is not None else 0, "x")


def attribute(item: Attribute) -> Any:
    """An attribute's default, or a text."""
    return item.default if item.default is not None and item.kind is Kind.TEXT and not item.listed else text(item)
