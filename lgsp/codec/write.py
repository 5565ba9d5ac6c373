"""Native value to XML text with care: closures in the contract's order, which name the place of whatever cannot be written.

This is the way of values that `quick` doubts; it writes the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lgsp.codec.lexical import WRITE, Unwritable, attribute, careful
from lgsp.codec.tables import TEXT_KEY, XSI, Kind, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.codec.tables import Attribute, Field, Grammar, Shape

    Put = Callable[[str], None]
    Write = Callable[[Any, Put], None]
    Place = tuple[str, bool, str, str, Write | None]  # key, required, start tag, end tag, closure

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
        if shape.text is not None and not shape.attributes:
            write = _leaf(f"<{tag}>", self._text(shape.text), f"</{tag}>")
        elif shape.attributes:
            write = self._attributed(tag, field.shape, shape)
        else:
            write = _pair(f"<{tag}>", self._content(field.shape), f"</{tag}>")
        return _nillable(write, f'<{tag} {self._tag(f"{{{XSI}}}nil")}="true"/>') if field.nillable else write

    def _tag(self, name: str) -> str:
        return tag_of(name, self._prefixes)

    def _text(self, kind: Kind) -> Callable[[Any], str]:
        return WRITE[kind] if kind in WRITE else _escaped(careful)

    def _content(self, key: str) -> Write:
        """The content of a shape; shapes may contain themselves, so a closure looks the finished one up when it runs."""
        if key in self._contents:
            return self._contents[key]

        def later(value: Any, put: Put) -> None:
            self._contents[key](value, put)

        self._contents[key] = later
        shape = self._grammar.shapes[key]
        places = [self._place(field) for field in shape.fields]
        self._contents[key] = _content(places, frozenset(item.key for item in shape.attributes))
        return self._contents[key]

    def _place(self, field: Field) -> Place:
        """Plain text has its tags here and no closure: the loop over the fields writes it without a call."""
        shape = self._grammar.shapes[field.shape]
        if shape.text is Kind.TEXT and not (shape.attributes or field.many or field.nillable):
            tag = self._tag(field.name)
            return field.key, field.required, f"<{tag}>", f"</{tag}>", None
        write = self.element(field)
        return field.key, field.required, "", "", _list(write, field.required) if field.many else write

    def _attributed(self, tag: str, key: str, shape: Shape) -> Write:
        attributes = [(item, f' {self._tag(item.name)}="', self._text_of(item)) for item in shape.attributes]
        if shape.text is None:
            inside = self._content(key)
        else:
            inside = _text_inside(self._text(shape.text), frozenset({TEXT_KEY, *(item.key for item in shape.attributes)}))
        return _with_attributes(tag, attributes, inside)

    def _text_of(self, item: Attribute) -> Callable[[Any], str]:
        return WRITE[item.kind] if item.kind in WRITE else _escaped(attribute)


def _escaped(escape: Callable[[str], str]) -> Callable[[Any], str]:
    def text(value: Any) -> str:
        if not isinstance(value, str):
            raise Unwritable("must be text")
        return escape(value)

    return text


def _leaf(start: str, text: Callable[[Any], str], end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        put(f"{start}{text(value)}{end}")

    return write


def _pair(start: str, content: Write, end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        put(start)
        content(value, put)
        put(end)

    return write


def _nillable(write: Write, nil: str) -> Write:
    def write_or_nil(value: Any, put: Put) -> None:
        if value is None:
            put(nil)
        else:
            write(value, put)

    return write_or_nil


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


def _content(places: Sequence[Place], attributes: frozenset[str]) -> Write:
    keys = attributes | {place[0] for place in places}

    def write(value: Any, put: Put) -> None:
        _refuse_unknown(value, keys)
        get = value.get
        key = ""
        try:
            for key, required, start, end, write_field in places:
                item = get(key, _ABSENT)
                if item is _ABSENT and not required:
                    continue
                if item is _ABSENT:
                    _refuse("is missing")
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


def _text_inside(text: Callable[[Any], str], keys: frozenset[str]) -> Write:
    def write(value: Any, put: Put) -> None:
        _refuse_unknown(value, keys)
        if TEXT_KEY not in value:
            raise Unwritable("is missing", TEXT_KEY)
        put(text(value[TEXT_KEY]))

    return write


def _with_attributes(tag: str, attributes: list[tuple[Attribute, str, Callable[[Any], str]]], inside: Write) -> Write:
    end = f"</{tag}>"

    def write(value: Any, put: Put) -> None:
        _refuse_unknown(value, None)
        put(f"<{tag}")
        for item, start, text in attributes:
            _put_attribute(value.get(item.key, _ABSENT), item, (start, text), put)
        put(">")
        inside(value, put)
        put(end)

    return write


def _put_attribute(value: Any, item: Attribute, how: tuple[str, Callable[[Any], str]], put: Put) -> None:
    if value is _ABSENT:
        if item.required:
            raise Unwritable("is missing", item.key)
        return
    try:
        put(f'{how[0]}{how[1](value)}"')
    except Unwritable as flaw:
        flaw.steps.append(item.key)
        raise


def _refuse_unknown(value: Any, keys: frozenset[str] | None) -> None:
    if not isinstance(value, dict):
        raise Unwritable("must be an object")
    if keys is not None and not value.keys() <= keys:
        raise Unwritable("is not in the contract", min(map(str, value.keys() - keys)))


def _refuse(detail: str) -> NoReturn:
    raise Unwritable(detail)
