"""Native value to XML text at once judged: what these closures finish is valid for the XML schema, and at the first doubt they stop.

They find no faults and name no places: `write` and the XML schema do that, on the way that a doubt takes. So each closure does the least:
fields that must all be there are fetched together and formatted together, and absent ones are counted instead of unknown ones sought.
A missing key or a value of another type may raise KeyError or TypeError, which mean the same as Doubt.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.judge import is_matched, text_expression, vouch
from lgsp.codec.soap.lexical import Doubt, attribute, quick
from lgsp.codec.soap.tables import ANY_KEY, TEXT_KEY, XSI, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.codec.soap.judge import Vouch
    from lgsp.codec.soap.tables import Field, Grammar, Shape

    Put = Callable[[str], None]
    Write = Callable[[Any, Put], Any]
    Step = Callable[[dict[str, Any], Put], int]  # writes a part of an object; returns how many of its keys are absent

_ABSENT = object()


class QuickWriters:
    """The closures of one grammar, made once."""

    def __init__(self, grammar: Grammar, prefixes: Mapping[str, str]) -> None:
        self._grammar = grammar
        self._prefixes = prefixes
        self._inside: dict[str, tuple[Sequence[Step], int] | None] = {}

    def element(self, field: Field) -> Write:
        """What writes one element of a field, tags included; a field that nobody can vouch for always raises Doubt."""
        shape = self._grammar.shapes[field.shape]
        tag = self._tag(field.name)
        write = self._leaf(tag, shape) if shape.is_bare else self._object(tag, field.shape)
        if not field.sure or shape.abstract or write is None:
            return _doubt
        if not field.nillable:
            return write
        return _nillable(
            write, _doubt if not shape.is_bare and shape.attributes else _constant(f'<{tag} {self._tag(f"{{{XSI}}}nil")}="true"/>')
        )

    def _tag(self, name: str) -> str:
        return tag_of(name, self._prefixes)

    def _leaf(self, tag: str, shape: Shape) -> Write | None:
        text = self._text(shape)
        return _leaf(f"<{tag}>", text, f"</{tag}>") if text is not None else None

    def _text(self, shape: Shape) -> Vouch | None:
        return vouch(shape.text, shape.limits) if shape.text is not None else None

    def _object(self, tag: str, key: str) -> Write | None:
        if key not in self._inside:
            self._inside[key] = None  # a shape that contains itself is doubted there, so that no nesting is too deep
            self._inside[key] = self._content(self._grammar.shapes[key])
        inside = self._inside[key]
        if inside is None:
            return None
        shape = self._grammar.shapes[key]
        steps, most_keys = inside
        if shape.attributes:
            return _object("", [self._attributes(tag, shape), *steps], f"</{tag}>", most_keys)
        return _object(f"<{tag}>", steps, f"</{tag}>", most_keys)

    def _content(self, shape: Shape) -> tuple[Sequence[Step], int] | None:
        """The steps that write what is inside an element, and how many keys its object may have."""
        if shape.text is not None:
            text = self._text(shape)
            return ([_text(text)], 1 + len(shape.attributes)) if text is not None else None
        if not shape.sure:
            return None
        steps: list[Step] = [_choice(keys, must) for keys, must in shape.choices]
        for is_run, group in groupby(shape.fields, self._is_run):
            fields = list(group)
            steps += [self._run(fields)] if is_run else [self._place(field) for field in fields]
        return steps, len(shape.fields) + len(shape.attributes)

    def _is_run(self, field: Field) -> bool:
        if field.key == ANY_KEY or not field.sure or not field.required or field.many or field.nillable:
            return False
        shape = self._grammar.shapes[field.shape]
        return shape.is_bare and self._text(shape) is not None

    def _run(self, fields: Sequence[Field]) -> Step:
        tags = [self._tag(field.name) for field in fields]
        shapes = [self._grammar.shapes[field.shape] for field in fields]
        others = [(n, text) for n, shape in enumerate(shapes) if not _is_matched(shape) and (text := self._text(shape)) is not None]
        pattern = r"\0".join(_expression(shape) for shape in shapes)
        return _run([field.key for field in fields], _between(tags), pattern, others)

    def _place(self, field: Field) -> Step:
        if field.key == ANY_KEY:
            return _place(field.key, field.required, _doubt)
        write = self.element(field)
        return _place(field.key, field.required, _list(write, field.least, field.most) if field.many else write)

    def _attributes(self, tag: str, shape: Shape) -> Step:
        found = [(item, vouch(item.kind, item.limits)) for item in shape.attributes]
        return _attributes(f"<{tag}", [(item.key, item.required, f' {self._tag(item.name)}="', text or _doubtful) for item, text in found])


def _doubt(_value: Any, _put: Put) -> None:
    raise Doubt


def _doubtful(_value: Any) -> str:
    raise Doubt


def _constant(text: str) -> Write:
    return lambda _, put: put(text)


def _leaf(start: str, text: Vouch, end: str) -> Write:
    def write(value: Any, put: Put) -> None:
        put(f"{start}{quick(text(value))}{end}")

    return write


def _nillable(write: Write, write_nil: Write) -> Write:
    return lambda value, put: write_nil(value, put) if value is None else write(value, put)


def _list(write: Write, least: int, most: int | None) -> Write:
    limit = most if most is not None else 2**62

    def write_all(value: Any, put: Put) -> None:
        if type(value) is not list or not least <= len(value) <= limit:
            raise Doubt
        for item in value:
            write(item, put)

    return write_all


def _object(start: str, steps: Sequence[Step], end: str, most_keys: int) -> Write:
    def write(value: Any, put: Put) -> None:
        if type(value) is not dict:
            raise Doubt
        put(start)
        absent = 0
        for step in steps:
            absent += step(value, put)
        if len(value) + absent != most_keys:
            raise Doubt
        put(end)

    return write


def _is_matched(shape: Shape) -> bool:
    return is_matched(shape.text, shape.limits)


def _expression(shape: Shape) -> str:
    """What a text of this shape matches beside others; atomic, so that no text is divided anew because another one does not match."""
    return f"(?>{text_expression(shape.limits)})" if shape.limits is not None and _is_matched(shape) else r"[^\0]*"


def _between(tags: Sequence[str]) -> list[str]:
    """The tags of neighbouring elements, joined where no text stands between them, with places for the texts."""
    pieces = [f"<{tags[0]}>", ""]
    for tag, following in pairwise(tags):
        pieces += [f"</{tag}><{following}>", ""]
    return [*pieces, f"</{tags[-1]}>"]


def _run(keys: Sequence[str], pieces: Sequence[str], pattern: str, others: Sequence[tuple[int, Vouch]]) -> Step:
    """Fields that are all there, at once: `pattern` judges their texts, joined by NUL; `others` are written by functions of their own."""
    fetch: Callable[[dict[str, Any]], Sequence[Any]] = itemgetter(*keys) if len(keys) > 1 else lambda value: (value[keys[0]],)
    matches = re.compile(pattern).fullmatch
    join = "\0".join

    def step(value: dict[str, Any], put: Put) -> int:
        found = fetch(value)
        if others:
            found = list(found)
            for place, text in others:
                found[place] = text(found[place])
        texts = join(found)
        if not matches(texts):
            raise Doubt
        if "&" in texts or "<" in texts or ">" in texts:
            found = [quick(text) for text in found]
        written = [*pieces]
        written[1::2] = found
        put("".join(written))
        return 0

    return step


def _place(key: str, required: bool, write: Write) -> Step:
    def step(value: dict[str, Any], put: Put) -> int:
        item = value.get(key, _ABSENT)
        if item is not _ABSENT:
            write(item, put)
            return 0
        if required:
            raise Doubt
        return 1

    return step


def _text(text: Vouch) -> Step:
    def step(value: dict[str, Any], put: Put) -> int:
        put(quick(text(value[TEXT_KEY])))
        return 0

    return step


def _choice(keys: Sequence[str], must: bool) -> Step:
    def step(value: dict[str, Any], _put: Put) -> int:
        count = sum([key in value for key in keys])
        if count > 1 or (must and not count):
            raise Doubt
        return 0

    return step


def _attributes(start: str, attributes: Sequence[tuple[str, bool, str, Vouch]]) -> Step:
    def step(value: dict[str, Any], put: Put) -> int:
        absent = 0
        put(start)
        for key, required, name, text in attributes:
            item = value.get(key, _ABSENT)
            if item is not _ABSENT:
                put(f'{name}{attribute(text(item))}"')
            elif required:
                raise Doubt
            else:
                absent += 1
        put(">")
        return absent

    return step
