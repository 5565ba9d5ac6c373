"""What changed between two XML types, place by place: narrower or wider, told as rules of policy/compatibility.py.

Compared are the tables that the codec speaks from (codec/soap/tables.py), so what is told is what travels. Fields are the same where their
local names are; a namespace that changed is told once. A complex type takes no element that it does not name, so a field that is gone is
refused. Facets are compared in facets.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.codec.soap.tables import ANY_KEY
from lgsp.contract.diff.facets import compare_texts, type_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lgsp.codec.soap.tables import Attribute, Field, Shape
    from lgsp.contract.xsd.build import Place


@dataclass(frozen=True, slots=True)
class Difference:
    """One change at one place of a value, with the places of both declarations."""

    pointer: str
    rule: str
    detail: str
    places: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Typed:
    """The types of one WSDL: shapes by their keys, and where each of them and of their fields stands."""

    shapes: Mapping[str, Shape]
    lines: Mapping[tuple[str, str], Place]

    def place(self, shape: str, key: str = "") -> str:
        """File and line."""
        found = self.lines.get((shape, key)) or self.lines.get((shape, ""))
        return f"{found[0]}:{found[1]}" if found else ""


Pair = tuple[str, str]


class ShapeDiff:
    """Compares types of two WSDLs; each pair of types once, so that recursion ends."""

    def __init__(self, base: Typed, revision: Typed) -> None:
        self._base = base
        self._revision = revision
        self._compared: set[Pair] = set()
        self._spaces: set[Pair] = set()

    def element(self, base: Field, revision: Field, at: str, places: Pair) -> Iterator[Difference]:
        """Two declarations of the same element, and all below them."""
        yield from self._names(base.name, revision.name, at, places)
        if base.nillable != revision.nillable:
            rule, words = ("type-widened", "may be nil now") if revision.nillable else ("type-narrowed", "must not be nil now")
            yield Difference(at, rule, words, places)
        yield from _defaults(base, revision, at, places)
        yield from self.shape((base.shape, revision.shape), at)

    def shape(self, pair: Pair, at: str) -> Iterator[Difference]:
        """Two types."""
        if pair in self._compared:
            return
        self._compared.add(pair)
        old, new = self._base.shapes[pair[0]], self._revision.shapes[pair[1]]
        places = (self._base.place(pair[0]), self._revision.place(pair[1]))
        if (old.text is None) != (new.text is None) or old.listed != new.listed:
            yield Difference(at, "type-changed", f"was {_words(old)}, is {_words(new)}", places)
            return
        if old.text is not None:
            yield from self._text(old, new, at, places)
        yield from self._attributes(old, new, at, pair)
        yield from self._fields(old, new, at, pair)
        yield from _model(old, new, at, places)
        yield from self._derived(old, new, at, places)

    def _text(self, old: Shape, new: Shape, at: str, places: Pair) -> Iterator[Difference]:
        yield from (Difference(at, rule, detail, places) for rule, detail in _texts(old, new))

    def _attributes(self, old: Shape, new: Shape, at: str, pair: Pair) -> Iterator[Difference]:
        before, after = ({each.key: each for each in shape.attributes} for shape in (old, new))
        for key in {**before, **after}:
            place, places = f"{at}/{key}", (self._base.place(pair[0], key), self._revision.place(pair[1], key))
            if key not in after:
                yield Difference(place, "field-removed" if new.any_attributes else "field-refused", "is no longer in the contract", places)
            elif key not in before:
                yield _new(place, is_required=after[key].required, is_open=old.any_attributes, places=places)
            else:
                yield from _necessity(before[key].required, after[key].required, place, places)
                yield from _defaults(before[key], after[key], place, places)
                yield from (Difference(place, rule, detail, places) for rule, detail in _texts(before[key], after[key]))

    def _fields(self, old: Shape, new: Shape, at: str, pair: Pair) -> Iterator[Difference]:
        before, after = ({each.key: each for each in shape.fields} for shape in (old, new))
        for key in {**before, **after}:
            place, places = f"{at}/{key}", (self._base.place(pair[0], key), self._revision.place(pair[1], key))
            if key == ANY_KEY:
                yield from _others(key in before, key in after, at, places)
            elif key not in after:
                yield Difference(place, "field-removed" if ANY_KEY in after else "field-refused", "is no longer in the contract", places)
            elif key not in before:
                yield _new(place, is_required=after[key].required, is_open=ANY_KEY in before, places=places)
            else:
                yield from _necessity(before[key].required, after[key].required, place, places)
                yield from _occurrence(before[key], after[key], place, places)
                below = f"{place}/*" if before[key].many or after[key].many else place
                yield from self.element(before[key], after[key], below, places)

    def _names(self, old: str, new: str, at: str, places: Pair) -> Iterator[Difference]:
        spaces = (_space(old), _space(new))
        if spaces[0] != spaces[1] and spaces not in self._spaces:
            self._spaces.add(spaces)
            yield Difference(at, "namespace-changed", f"was in {_said(spaces[0])}, is in {_said(spaces[1])}", places)

    def _derived(self, old: Shape, new: Shape, at: str, places: Pair) -> Iterator[Difference]:
        before, after = ({each.key: each.shape for each in shape.derived} for shape in (old, new))
        for key in {**before, **after}:
            if key not in after or key not in before:
                rule, words = ("alternative-added", "may") if key in after else ("alternative-removed", "must not")
                yield Difference(at, rule, f"type {key} {words} stand here now", places)
            else:
                yield from self.shape((before[key], after[key]), at)
        if old.abstract != new.abstract:
            rule = "alternative-removed" if new.abstract else "alternative-added"
            yield Difference(
                at, rule, "the type itself must not stand here now" if new.abstract else "the type itself may stand here", places
            )


def _texts(old: Shape | Attribute, new: Shape | Attribute) -> Iterator[tuple[str, str]]:
    rule = type_rule(old.form, new.form)
    if rule:
        yield rule, f"was xs:{old.form}, is xs:{new.form}"
    yield from compare_texts(old.facets, new.facets)


def _necessity(was: bool, is_now: bool, place: str, places: Pair) -> Iterator[Difference]:  # the two flags are the whole question
    if is_now and not was:
        yield Difference(place, "field-required", "must be there now", places)
    elif was and not is_now:
        yield Difference(place, "field-optional", "may be absent now", places)


def _occurrence(old: Field, new: Field, place: str, places: Pair) -> Iterator[Difference]:
    """Of an element that may come several times, or may no longer; that it may be absent is told by `required`."""
    if old.many != new.many:
        rule, words = ("one-to-many", "may occur several times now") if new.many else ("many-to-one", "occurs once at most now")
        yield Difference(place, rule, words, places)
        return
    unbounded = float("inf")
    most = (old.most if old.most is not None else unbounded, new.most if new.most is not None else unbounded)
    if most[0] != most[1]:
        rule = "limit-tightened" if most[1] < most[0] else "limit-loosened"
        yield Difference(place, rule, f"maxOccurs: {_times(old.most)} became {_times(new.most)}", places)
    if old.least != new.least:
        rule = "limit-tightened" if new.least > old.least else "limit-loosened"
        yield Difference(place, rule, f"minOccurs: {old.least} became {new.least}", places)


def _model(old: Shape, new: Shape, at: str, places: Pair) -> Iterator[Difference]:
    """The order of what both have, and which of them exclude one another."""
    if old.loose != new.loose:
        yield Difference(at, "order-freed" if new.loose else "order-fixed", "the order of its elements", places)
    elif not old.loose:
        both = {each.key for each in old.fields} & {each.key for each in new.fields}
        before, after = ([each.key for each in shape.fields if each.key in both] for shape in (old, new))
        if before != after:
            moved = next(key for key, other in zip(before, after, strict=True) if key != other)
            yield Difference(at, "order-changed", f"from {moved} on, elements stand in another order", places)
    if old.mixed != new.mixed:
        yield Difference(at, "type-widened" if new.mixed else "type-narrowed", "text among its elements", places)
    if old.sure and new.sure:
        yield from _choices(old, new, at, places)


def _choices(old: Shape, new: Shape, at: str, places: Pair) -> Iterator[Difference]:
    """A choice became another where they share an element."""
    left = list(new.choices)
    for keys, must in old.choices:
        match = next((choice for choice in left if set(choice[0]) & set(keys)), None)
        if match is None:
            yield Difference(at, "rule-removed", f"of {_listed(keys)} not only one may occur now", places)
            continue
        left.remove(match)
        yield from (Difference(at, "alternative-removed", f"{key} is no choice now", places) for key in keys if key not in match[0])
        yield from (Difference(at, "alternative-added", f"{key} may be chosen now", places) for key in match[0] if key not in keys)
        if must != match[1]:
            yield Difference(
                at, *(("field-required", "one must be there now") if match[1] else ("field-optional", "none may be there now")), places
            )
    yield from (Difference(at, "rule-added", f"of {_listed(keys)} only one may occur now", places) for keys, _ in left)


def _defaults(old: Field | Attribute, new: Field | Attribute, at: str, places: Pair) -> Iterator[Difference]:
    if (old.default, old.fixed) == (new.default, new.fixed):
        return
    if new.fixed:
        yield Difference(at, "value-removed" if old.fixed else "values-limited", f"can only be {new.default!r} now", places)
    elif old.fixed:
        yield Difference(at, "values-freed", f"need not be {old.default!r} now", places)
    else:
        yield Difference(at, "default-changed", f"was {old.default!r}, is {new.default!r}", places)


def _others(was: bool, is_now: bool, at: str, places: Pair) -> Iterator[Difference]:  # the two flags are the whole question
    if was and not is_now:
        yield Difference(at, "other-fields-refused", "only the elements of the contract are allowed now", places)
    elif is_now and not was:
        yield Difference(at, "other-fields-allowed", "elements that the contract does not name may occur now", places)


def _new(place: str, *, is_required: bool, is_open: bool, places: Pair) -> Difference:
    if is_required:
        return Difference(place, "field-added-required", "is new and must be there", places)
    return Difference(place, "field-added" if is_open else "field-added-to-closed", "is new", places)


def _words(shape: Shape) -> str:
    if shape.text is None:
        return "an object"
    return f"{'a list of' if shape.listed else 'a'} xs:{shape.form}"


def _space(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def _said(space: str) -> str:
    return space or "no namespace"


def _times(most: int | None) -> str:
    return "unbounded" if most is None else str(most)


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys)
