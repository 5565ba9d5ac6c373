"""Two contracts of one value, JSON Schema and XML Schema: the functions that carry it across, and what would be lost on the way.

A list has an element around its items where it may be empty or absent, so that both are told apart; a map is `entry` elements with a `key`;
of a choice the one element that is there says which. Whatever matches a native value as it is crosses without a function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.lexical import Unwritable
from lgsp.codec.soap.tables import TEXT_KEY, Kind
from lgsp.contract.bridge.form import Sort
from lgsp.contract.bridge.names import xml_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.codec.soap.tables import Field, Message, Shape
    from lgsp.contract.bridge.form import Form

    Carry = Callable[[Any], Any]
    Tell = Callable[[str, str, str], None]  # place, what would be lost, fix

ITEM, ENTRY, KEY, VALUE, RESULT = "item", "entry", "key", "value", "result"
_SIMPLE = {Sort.TEXT: Kind.TEXT, Sort.BOOLEAN: Kind.BOOLEAN, Sort.INTEGER: Kind.INTEGER, Sort.NUMBER: Kind.DECIMAL}
_DATED = {"date-time": "dateTime", "date": "date"}
_FLOATS = frozenset({"float", "double"})


@dataclass(frozen=True, slots=True)
class Crossing:
    """How a value crosses: `down` from JSON to native, `up` back; None: as it is."""

    down: Carry | None = None
    up: Carry | None = None

    @property
    def is_identity(self) -> bool:
        """Whether the value is one and the same on both sides."""
        return self.down is None and self.up is None


SAME = Crossing()


@dataclass(frozen=True, slots=True)
class Way:
    """Where a member goes: native key, how its value crosses; never_absent: a list that must be there, so no element means none."""

    key: str
    crossing: Crossing
    never_absent: bool = False


class Pairs:
    """Pairs forms with the shapes of one grammar. `tell` hears of each loss, with its place in the JSON contract."""

    def __init__(self, shapes: Mapping[str, Shape], tell: Tell) -> None:
        self._shapes = shapes
        self._tell = tell
        self._met: dict[tuple[int, str], _Later] = {}

    def message(self, form: Form, message: Message | None, at: str) -> Crossing:
        """How what one direction carries crosses; an empty body is an object without members."""
        if message is not None and message.body is not None:
            return self.element(form, message.body, at)
        if form.members:
            self._tell(at, "the message has an empty body", "give it an element")
        return SAME

    def element(self, form: Form, field: Field, at: str) -> Crossing:
        """How the content of one element crosses."""
        if form.null and not field.nillable:
            self._tell(at, f"null: the element {field.key} cannot be nil, so null would be lost or become absent", "make it nillable")
        crossing = self._content(form, field.shape, at)
        return _or_null(crossing) if field.nillable else crossing

    def _content(self, form: Form, key: str, at: str) -> Crossing:
        met = self._met.get((id(form), key))
        if met is not None:
            return met.crossing()
        met = self._met[id(form), key] = _Later()
        shape = self._shapes[key]
        found = self._bare(form, shape, at) if shape.is_bare else self._complex(form, shape, at)
        met.settle(found)
        return found

    # ---- simple values ----------------------------------------------------------------------------------------------------------------

    def _bare(self, form: Form, shape: Shape, at: str) -> Crossing:
        if form.sort not in _SIMPLE or shape.listed:
            self._tell(at, f"a {form.sort} has no place in an element that holds text", "give the element a complex type")
        elif shape.text is not _SIMPLE[form.sort]:
            self._other_kind(form, shape, at)
        elif form.sort is Sort.TEXT:
            self._zone(form, shape, at)
        return SAME

    def _other_kind(self, form: Form, shape: Shape, at: str) -> None:
        """Numbers of one kind in the place of another."""
        if form.sort is Sort.NUMBER and shape.text is Kind.FLOAT and form.facets.get("format") in _FLOATS:
            return
        if {form.sort, shape.text} <= {Sort.NUMBER, Sort.INTEGER, Kind.FLOAT, Kind.DECIMAL, Kind.INTEGER}:
            fix = "use xs:integer for integers, xs:decimal for numbers, and xs:double only beside `format: double`"
            self._tell(at, f"precision: {form.sort} stands beside {shape.text}", fix)
        else:
            self._tell(at, f"a {form.sort} stands beside {shape.text}", "use the same kind on both sides")

    def _zone(self, form: Form, shape: Shape, at: str) -> None:
        """JSON's date-time always has a zone and its date never one; XML leaves both open, unless a pattern does not."""
        wanted = _DATED.get(str(form.facets.get("format")))
        if wanted == shape.form and not any(name == "pattern" for name, _ in shape.facets):
            reason = f"zone: xs:{wanted} may come with a zone or without, `format: {form.facets['format']}` says which"
            self._tell(at, reason, "drop the format, or bind the XSD type by a pattern")

    # ---- objects and lists ------------------------------------------------------------------------------------------------------------

    def _complex(self, form: Form, shape: Shape, at: str) -> Crossing:
        if form.sort is Sort.RECORD:
            return self._record(form, shape, at)
        only = shape.fields[0] if len(shape.fields) == 1 and not shape.attributes else None
        if form.sort is Sort.LIST and only is not None and only.many and form.item is not None:
            return _listed(only.key, self.element(form.item, only, f"{at}/items"))
        if form.sort is Sort.MAP and only is not None and only.many and form.item is not None:
            return self._map(form.item, self._shapes[only.shape], only.key, at)
        if form.sort is Sort.CHOICE:
            return self._choice(form, shape, at)
        self._tell(at, f"a {form.sort} has no place in this element", "take the element as the draft has it")
        return SAME

    def _record(self, form: Form, shape: Shape, at: str) -> Crossing:
        fields = {field.key: field for field in shape.fields}
        attributes = {each.key for each in shape.attributes} | ({TEXT_KEY} if shape.text is not None else set())
        ways: dict[str, Way] = {}
        for name, member in form.members.items():
            place = f"{at}/properties/{name}"
            key = name if name in fields else xml_name(name)
            if key in fields:
                crossing = self._member(member, fields[key], place, sure=name in form.required)
                ways[name] = Way(key, crossing, never_absent=fields[key].many and name in form.required)
            elif name in attributes:
                ways[name] = Way(name, SAME)
            else:
                self._tell(place, "the member has no element", f"add an element {xml_name(name)}")
        met = {way.key for way in ways.values()}
        for key in (field.key for field in shape.fields if field.required and field.key not in met):
            self._tell(at, f"the element {key} must be there, and no member gives it", "make it optional, or add the member")
        return _recorded(ways)

    def _member(self, form: Form, field: Field, at: str, *, sure: bool) -> Crossing:
        if field.required and not sure:
            self._tell(at, f"absent: the element {field.key} must be there, the member need not", "set minOccurs to 0")
        if not field.many:
            return self.element(form, field, at)
        if form.sort is not Sort.LIST or form.item is None:
            self._tell(at, f"the element {field.key} may be repeated, a {form.sort} not", "make the member a list")
            return SAME
        if not form.facets.get("minItems", 0) and not sure:
            reason = "empty list: XML tells no empty list from none"
            self._tell(at, reason, "require the list, say `minItems: 1`, or put an element around its items")
        if form.null:
            self._tell(at, "null: a list of elements without one around them cannot be nil", "put a nillable element around its items")
        return _each(self.element(form.item, field, f"{at}/items"))

    def _map(self, item: Form, shape: Shape, key: str, at: str) -> Crossing:
        value = next((field for field in shape.fields if field.key == VALUE), None)
        if value is None or [each.key for each in shape.attributes] != [f"@{KEY}"]:
            self._tell(at, f"the element {key} holds no {KEY} and {VALUE}", "take the element as the draft has it")
            return SAME
        return _mapped(key, self.element(item, value, f"{at}/additionalProperties"))

    def _choice(self, form: Form, shape: Shape, at: str) -> Crossing:
        fields = {field.key: field for field in shape.fields}
        ways = []
        for name, option, check in form.options:
            field = fields.get(xml_name(name))
            if field is None:
                self._tell(at, f"the alternative {name} has no element", f"add an element {xml_name(name)}")
            else:
                ways.append((field.key, self.element(option, field, f"{at}/{name}"), check))
        return _chosen(ways)


class _Later:
    """The crossing of a form that is still being paired, because it contains itself."""

    def __init__(self) -> None:
        self._found: Crossing | None = None

    def settle(self, found: Crossing) -> None:
        self._found = found

    def crossing(self) -> Crossing:
        return self._found if self._found is not None else Crossing(self._down, self._up)

    def _down(self, value: Any) -> Any:
        carry = self._found.down if self._found is not None else None
        return value if carry is None else carry(value)

    def _up(self, value: Any) -> Any:
        carry = self._found.up if self._found is not None else None
        return value if carry is None else carry(value)


# ---- functions that carry ------------------------------------------------------------------------------------------------------------


def _apply(carry: Carry | None, value: Any) -> Any:
    return value if carry is None else carry(value)


def _or_null(crossing: Crossing) -> Crossing:
    def guarded(carry: Carry | None) -> Carry | None:
        return None if carry is None else lambda value: None if value is None else carry(value)

    return Crossing(guarded(crossing.down), guarded(crossing.up))


def _each(crossing: Crossing) -> Crossing:
    def each(carry: Carry | None) -> Carry | None:
        return None if carry is None else lambda values: [carry(value) for value in _list_of(values)]

    return Crossing(each(crossing.down), each(crossing.up))


def _listed(key: str, item: Crossing) -> Crossing:
    def down(values: Any) -> Any:
        found = [_apply(item.down, value) for value in _list_of(values)]
        return {key: found} if found else {}

    return Crossing(down, lambda native: [_apply(item.up, value) for value in native.get(key, ())])


def _mapped(key: str, item: Crossing) -> Crossing:
    def down(members: Any) -> Any:
        found = [{f"@{KEY}": name, VALUE: _apply(item.down, value)} for name, value in _object_of(members).items()]
        return {key: found} if found else {}

    def up(native: Any) -> Any:
        entries = native.get(key, ())
        found = {entry[f"@{KEY}"]: _apply(item.up, entry[VALUE]) for entry in entries}
        if len(found) < len(entries):
            raise Unwritable("has a key twice")
        return found

    return Crossing(down, up)


def _chosen(ways: list[tuple[str, Crossing, Callable[[Any], Any]]]) -> Crossing:
    by_key = {key: crossing for key, crossing, _ in ways}

    def down(value: Any) -> Any:
        for key, crossing, check in ways:
            if not check(value):
                return {key: _apply(crossing.down, value)}
        raise Unwritable("fits none of the alternatives")

    def up(native: Any) -> Any:
        for key, value in native.items():
            return _apply(by_key[key].up, value)
        raise Unwritable("holds none of the alternatives")

    return Crossing(down, up)


def _recorded(ways: Mapping[str, Way]) -> Crossing:
    if all(name == way.key and way.crossing.is_identity and not way.never_absent for name, way in ways.items()):
        return SAME
    down = _members([(name, way.key, way.crossing.down) for name, way in ways.items()])
    up = _members([(way.key, name, way.crossing.up) for name, way in ways.items()])
    lists = [name for name, way in ways.items() if way.never_absent]
    return Crossing(down, (lambda native: {**{name: [] for name in lists}, **up(native)}) if lists else up)


def _members(ways: list[tuple[str, str, Carry | None]]) -> Carry:
    def carry_all(value: Any) -> Any:
        found = {}
        for name, key, carry in ways:
            if name in _object_of(value):
                try:
                    found[key] = _apply(carry, value[name])
                except Unwritable as flaw:
                    flaw.steps.append(name)
                    raise
        return found

    return carry_all


def _list_of(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unwritable("must be a list")
    return value


def _object_of(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unwritable("must be an object")
    return value
