"""Native value to XML text with care: closures in the contract's order, which name the place of whatever cannot be written.

This is the way of values that `quick` doubts; it writes the same bytes. What stands in a start tag is written by `start`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lgsp.codec.soap.fragment import element_text
from lgsp.codec.soap.lexical import Unwritable, careful
from lgsp.codec.soap.start import Start, qualified, text_writer
from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, NIL_KEY, TEXT_KEY, TYPE_KEY, XSI, Kind, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.codec.soap.tables import Field, Grammar, Shape

    Put = Callable[[str], None]
    Write = Callable[[Any, Put], None]
    Place = tuple[str, bool, str, str, Write | None, str | None]  # key, required, start tag, end tag, closure, what is written if absent

_ABSENT = object()


class Writers:
    """The closures of one grammar, one for each element, made once."""

    def __init__(self, grammar: Grammar, prefixes: Mapping[str, str]) -> None:
        self._grammar = grammar
        self._prefixes = prefixes
        self._contents: dict[str, Write] = {}

    def element(self, field: Field) -> Write:
        """What writes one element of a field, tags included."""
        shape = self._grammar.shapes[field.shape]
        tag = self._tag(field.name)
        write = self._whole(f"<{tag}", field.shape, f"</{tag}>")
        if field.default:
            write = _not_empty(write)
        if shape.derived or shape.abstract:
            write = self._typed(tag, shape, write)
        return self._nillable(tag, shape, write) if field.nillable else write

    def _tag(self, name: str) -> str:
        return tag_of(name, self._prefixes)

    def _whole(self, start: str, key: str, end: str) -> Write:
        shape = self._grammar.shapes[key]
        if shape.is_bare:
            if shape.text is Kind.QNAME:
                return _qualified_leaf(start, end, is_list=shape.listed)
            return _leaf(f"{start}>", text_writer(shape.text, careful, is_list=shape.listed), end)
        if shape.attributes or shape.any_attributes:
            return _with_start(start, Start(shape, self._prefixes), self._inside(key, shape), end)
        return _pair(f"{start}>", self._content(key), end)

    def _inside(self, key: str, shape: Shape) -> Write:
        if shape.text is None:
            return self._content(key)
        if shape.text is Kind.QNAME:
            return _text_inside(lambda value: qualified(value, "v", is_list=shape.listed)[1], shape)
        return _text_inside(text_writer(shape.text, careful, is_list=shape.listed), shape)

    def _typed(self, tag: str, shape: Shape, write: Write) -> Write:
        name = self._tag(f"{{{XSI}}}type")
        types = {}
        for each in shape.derived:
            start = f'<{tag} {name}="{self._tag(each.name)}"'
            types[each.key] = (self._whole(start, each.shape, f"</{tag}>"), self._grammar.shapes[each.shape].is_bare)
        return _typed(types, None if shape.abstract else write)

    def _nillable(self, tag: str, shape: Shape, write: Write) -> Write:
        nil = f'<{tag} {self._tag(f"{{{XSI}}}nil")}="true"'
        if not (shape.attributes or shape.any_attributes or shape.derived):
            return _nillable(write, f"{nil}/>")
        name = self._tag(f"{{{XSI}}}type")
        types = {each.key: (f'{nil} {name}="{self._tag(each.name)}"', self._grammar.shapes[each.shape]) for each in shape.derived}
        starts = {key: (text, Start(each, self._prefixes)) for key, (text, each) in {"": (nil, shape), **types}.items()}
        return _nillable_object(write, f"{nil}/>", starts)

    def _content(self, key: str) -> Write:
        """The content of a shape; shapes may contain themselves, so a closure looks the finished one up when it runs."""
        if key in self._contents:
            return self._contents[key]

        def later(value: Any, put: Put) -> None:
            self._contents[key](value, put)

        self._contents[key] = later
        shape = self._grammar.shapes[key]
        attributes = frozenset(item.key for item in shape.attributes)
        if shape.loose:
            fields = {field.key: _one_any if field.key == ANY_KEY else self.element(field) for field in shape.fields}
            self._contents[key] = _loose(fields, shape, attributes | {CONTENT_KEY})
        else:
            self._contents[key] = _content([self._place(field) for field in shape.fields], shape, attributes)
        return self._contents[key]

    def _place(self, field: Field) -> Place:
        """Plain text has its tags here and no closure: the loop over the fields writes it without a call."""
        if field.key == ANY_KEY:
            return field.key, field.required, "", "", _list(_one_any, field.required), None
        shape = self._grammar.shapes[field.shape]
        tag = self._tag(field.name)
        if (
            shape.is_bare
            and shape.text is Kind.TEXT
            and not (shape.listed or shape.derived or field.many or field.nillable or field.default)
        ):
            return field.key, field.required, f"<{tag}>", f"</{tag}>", None, None
        write = self.element(field)
        fixed = f"<{tag}>{careful(field.default)}</{tag}>" if field.fixed and field.default is not None and not field.many else None
        return field.key, field.required, "", "", _list(write, field.required) if field.many else write, fixed


# ---- one element -----------------------------------------------------------------------------------------------------------------------


def _leaf(start: str, text: Callable[[Any], str], end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        put(f"{start}{text(value)}{end}")

    return write


def _qualified_leaf(start: str, end: str, *, is_list: bool) -> Write:
    def write(value: Any, put: Put) -> None:
        declarations, text = qualified(value, "v", is_list=is_list)
        put(f"{start}{declarations}>{text}{end}")

    return write


def _pair(start: str, content: Write, end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        put(start)
        content(value, put)
        put(end)

    return write


def _with_start(start: str, attributes: Start, inside: Write, end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        _refuse_other(value)
        put(start)
        attributes.write(value, put)
        put(">")
        inside(value, put)
        put(end)

    return write


def _not_empty(write: Write) -> Write:
    def write_filled(value: Any, put: Put) -> None:
        if value == "":
            raise Unwritable("must not be empty: that would mean its default value")
        write(value, put)

    return write_filled


def _typed(types: Mapping[str, tuple[Write, bool]], plain: Write | None) -> Write:
    def write_typed(value: Any, put: Put) -> None:
        name = value.get(TYPE_KEY) if isinstance(value, dict) else None
        if name is None:
            if plain is None:
                raise Unwritable(f"is missing; there are {', '.join(sorted(types))}", TYPE_KEY)
            plain(value, put)
            return
        if not isinstance(name, str) or name not in types:
            raise Unwritable(f"is no type that may stand here; there are {', '.join(sorted(types))}", TYPE_KEY)
        write, is_bare = types[name]
        rest = {key: item for key, item in value.items() if key != TYPE_KEY}
        if is_bare and rest.keys() != {TEXT_KEY}:
            raise Unwritable("is missing or not alone", TEXT_KEY)
        write(rest[TEXT_KEY] if is_bare else rest, put)

    return write_typed


def _nillable(write: Write, nil: str) -> Write:
    def write_or_nil(value: Any, put: Put) -> None:
        if value is None:
            put(nil)
        else:
            write(value, put)

    return write_or_nil


def _nillable_object(write: Write, nil: str, starts: Mapping[str, tuple[str, Start]]) -> Write:
    """None, or an object with `@xsi:nil` where there is more to say of what is null: its type, its attributes."""

    def write_or_nil(value: Any, put: Put) -> None:
        if value is None:
            put(nil)
        elif not isinstance(value, dict) or NIL_KEY not in value:
            write(value, put)
        else:
            start, attributes = starts.get(value.get(TYPE_KEY, ""), (None, None))
            if start is None or attributes is None or value[NIL_KEY] is not True:
                raise Unwritable("must be true, beside a type that may stand here", NIL_KEY)
            rest = {key: item for key, item in value.items() if key not in {TYPE_KEY, NIL_KEY}}
            attributes.refuse_unknown(rest, frozenset())
            put(start)
            attributes.write(rest, put)
            put("/>")

    return write_or_nil


def _one_any(value: Any, put: Put) -> None:
    put(element_text(value))


def _list(write: Write, required: bool) -> Write:
    def write_all(value: Any, put: Put) -> None:
        if not isinstance(value, list):
            raise Unwritable("must be a list")
        if required and not value:
            raise Unwritable("must not be empty")
        index = 0
        try:
            for item in value:
                write(item, put)
                index += 1
        except Unwritable as flaw:
            flaw.steps.append(index)
            raise

    return write_all


# ---- what is inside --------------------------------------------------------------------------------------------------------------------


def _content(places: Sequence[Place], shape: Shape, attributes: frozenset[str]) -> Write:
    keys = attributes | {place[0] for place in places}
    refuse_unknown = _refusal(shape)

    def write(value: Any, put: Put) -> None:
        refuse_unknown(value, keys)
        get = value.get
        key = ""
        try:
            for key, required, start, end, write_field, fixed in places:
                item = get(key, _ABSENT)
                if item is _ABSENT and not required:
                    continue
                if item is _ABSENT:
                    put(fixed if fixed is not None else _refuse("is missing"))
                elif write_field is not None:
                    write_field(item, put)
                elif isinstance(item, str):
                    put(f"{start}{careful(item)}{end}")
                else:
                    _refuse("must be text")
        except Unwritable as flaw:
            flaw.steps.append(key)
            raise

    return write


def _loose(fields: Mapping[str, Write], shape: Shape, keys: frozenset[str]) -> Write:
    refuse_unknown = _refusal(shape)

    def write(value: Any, put: Put) -> None:
        refuse_unknown(value, keys)
        content = value.get(CONTENT_KEY, [])
        if not isinstance(content, list):
            raise Unwritable("must be a list", CONTENT_KEY)
        index = 0
        try:
            for item in content:
                _write_item(item, put, fields, mixed=shape.mixed)
                index += 1
        except Unwritable as flaw:
            flaw.steps += [index, CONTENT_KEY]
            raise

    return write


def _write_item(item: Any, put: Put, fields: Mapping[str, Write], *, mixed: bool) -> None:
    if mixed and isinstance(item, str):
        put(careful(item))
        return
    if not isinstance(item, dict) or len(item) != 1:
        raise Unwritable("must be text or an object with one key" if mixed else "must be an object with one key")
    [(key, value)] = item.items()
    if key not in fields:
        raise Unwritable("is not in the contract", str(key))
    try:
        fields[key](value, put)
    except Unwritable as flaw:
        flaw.steps.append(key)
        raise


def _text_inside(text: Callable[[Any], str], shape: Shape) -> Write:
    keys = frozenset({TEXT_KEY, *(item.key for item in shape.attributes)})
    refuse_unknown = _refusal(shape)

    def write(value: Any, put: Put) -> None:
        refuse_unknown(value, keys)
        if TEXT_KEY not in value:
            raise Unwritable("is missing", TEXT_KEY)
        put(text(value[TEXT_KEY]))

    return write


def _refusal(shape: Shape) -> Callable[[Any, frozenset[str]], None]:
    return Start(shape, {}).refuse_unknown if shape.any_attributes else _refuse_unknown


def _refuse_other(value: Any) -> None:
    if not isinstance(value, dict):
        raise Unwritable("must be an object")


def _refuse_unknown(value: Any, keys: frozenset[str]) -> None:
    _refuse_other(value)
    if not value.keys() <= keys:
        raise Unwritable("is not in the contract", min(map(str, value.keys() - keys)))


def _refuse(detail: str) -> NoReturn:
    raise Unwritable(detail)
