"""Start tags: attributes, declared and others, with the prefixes that their qualified names need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.lexical import BLANKS, WRITE, Unwritable, attribute
from lgsp.codec.soap.tables import TEXT_KEY, XSI, Kind, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lgsp.codec.soap.tables import Attribute, Shape

    Put = Callable[[str], None]

_ABSENT = object()
_NAME = re.compile(r"(?:\{([^{}\s<>\"&]+)\})?([^\W\d][\w.\-]*)").fullmatch


class Start:
    """Writes the attributes of one shape."""

    def __init__(self, shape: Shape, prefixes: Mapping[str, str]) -> None:
        self._keys = frozenset({*(item.key for item in shape.attributes)})
        self._takes_any = shape.any_attributes
        self._text = shape if shape.text is Kind.QNAME else None
        self._attributes = [_prepared(item, number, prefixes) for number, item in enumerate(shape.attributes)] if prefixes else []

    def write(self, value: dict[str, Any], put: Put) -> None:
        """The attributes of an object; what it holds besides is not looked at."""
        for item, text, fixed in self._attributes:
            found = value.get(item.key, _ABSENT)
            if found is not _ABSENT:
                _put_attribute(found, item.key, text, put)
            elif item.required and fixed is None:
                raise Unwritable("is missing", item.key)
            elif item.required and fixed is not None:
                put(fixed)
        if self._text is not None and TEXT_KEY in value:
            put(qualified(value[TEXT_KEY], "v", is_list=self._text.listed)[0])
        if self._takes_any:
            others = [key for key in value if str(key).startswith("@") and key not in self._keys]
            for number, key in enumerate(others):
                put(_other(str(key), value[key], number))

    def refuse_unknown(self, value: Any, keys: frozenset[str]) -> None:
        """Refuse what is not an object, or has a key that is neither among these nor an attribute that may come."""
        if not isinstance(value, dict):
            raise Unwritable("must be an object")
        unknown = [str(key) for key in value.keys() - keys - self._keys if not (self._takes_any and str(key).startswith("@"))]
        if unknown:
            raise Unwritable("is not in the contract", min(unknown))


def _writer(item: Attribute, number: int, prefixes: Mapping[str, str]) -> Callable[[Any], str]:
    name = tag_of(item.name, prefixes)
    if item.kind is Kind.QNAME:

        def write(value: Any) -> str:
            declarations, text = qualified(value, f"a{number}", is_list=item.listed)
            return f'{declarations} {name}="{text}"'

        return write
    text = text_writer(item.kind, attribute, is_list=item.listed)
    return lambda value: f' {name}="{text(value)}"'


def _prepared(item: Attribute, number: int, prefixes: Mapping[str, str]) -> tuple[Attribute, Callable[[Any], str], str | None]:
    """An attribute, what writes it, and what is written where it must be there and can have one value only."""
    fixed = f' {tag_of(item.name, prefixes)}="{attribute(item.default)}"' if item.fixed and item.default is not None else None
    return item, _writer(item, number, prefixes), fixed


def _put_attribute(value: Any, key: str, text: Callable[[Any], str], put: Put) -> None:
    try:
        put(text(value))
    except Unwritable as flaw:
        flaw.steps.append(key)
        raise


def _other(key: str, value: Any, number: int) -> str:
    """An attribute that no contract describes: text, under its Clark name."""
    found = _NAME(key[1:])
    if not found or found[1] == XSI:
        raise Unwritable("is no name of an attribute", key)
    if not isinstance(value, str):
        raise Unwritable("must be text", key)
    try:
        text = attribute(value)
    except Unwritable as flaw:
        flaw.steps.append(key)
        raise
    return f' xmlns:o{number}="{found[1]}" o{number}:{found[2]}="{text}"' if found[1] else f' {found[2]}="{text}"'


def text_writer(kind: Kind | None, escape: Callable[[str], str], *, is_list: bool) -> Callable[[Any], str]:
    """What writes a text of a kind, or a list of them."""
    one = WRITE.get(kind or Kind.TEXT) or _escaped(escape)
    return _items(one) if is_list else one


def _escaped(escape: Callable[[str], str]) -> Callable[[Any], str]:
    def text(value: Any) -> str:
        if not isinstance(value, str):
            raise Unwritable("must be text")
        return escape(value)

    return text


def _items(write: Callable[[Any], str]) -> Callable[[Any], str]:
    def text(value: Any) -> str:
        if not isinstance(value, list):
            raise Unwritable("must be a list")
        found = []
        for index, item in enumerate(value):
            if isinstance(item, str) and (not item or any(blank in item for blank in BLANKS)):
                raise Unwritable("must not be empty or have blanks", index)
            try:
                found.append(write(item))
            except Unwritable as flaw:
                flaw.steps.append(index)
                raise
        return " ".join(found)

    return text


def qualified(value: Any, prefix: str, *, is_list: bool) -> tuple[str, str]:
    """Qualified names (Clark notation) as declarations of prefixes and as text."""
    if is_list and not isinstance(value, list):
        raise Unwritable("must be a list")
    declarations, texts = "", []
    for number, item in enumerate(value if is_list else [value]):
        found = _NAME(item) if isinstance(item, str) else None
        if not found:
            raise Unwritable("must be a name, qualified as {namespace}name")
        declarations += f' xmlns:{prefix}{number}="{found[1]}"' if found[1] else ""
        texts.append(f"{prefix}{number}:{found[2]}" if found[1] else found[2])
    return declarations, " ".join(texts)


__all__ = ["Start", "qualified", "text_writer"]
