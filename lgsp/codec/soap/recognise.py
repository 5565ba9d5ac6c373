"""Reads valid envelopes in their usual form at once, by regular expressions made from the grammar; at the first doubt it stops.

What is recognised is well-formed and valid by construction: no header, entity, comment, CDATA section or processing instruction, no
attribute but the namespaces that envelope, body and the body's element declare, elements in the contract's order, and texts for which
`judge` vouches. Whatever else comes, and all that is wrong, is for libxml2 (`envelope`, `verdict`), which alone refuses. A look-up's answer
costs a quarter of the time this way.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.judge import CONVERT, is_matched, number_expression, text_expression
from lgsp.codec.soap.lexical import Doubt, suspicious
from lgsp.codec.soap.tables import ANY_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.codec.soap.tables import Field, Grammar, Shape

    Element = Callable[[str, int], tuple[Any, int] | None]  # text and place to the value and the place after it; None if it is not there
    Step = Callable[[str, int, dict[str, Any]], int]  # fills in what stands at a place; the place after it
    Match = Callable[[str, int], re.Match[str] | None]
    Build = Callable[[Sequence[Any]], Any]

MOST_BYTES = 1 << 20
MOST_HEADS = 32
"""Providers begin all their envelopes alike; one that does not is left to libxml2."""

_BLANK = r"[ \t\n]*"
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_SPACES = rf'((?: xmlns(?::{_NAME})?="[^"<>&\s]+")*)'
_PREFIX = rf"((?:{_NAME}:)?)"
_DECLARATION = r'(?:<\?xml version="1\.0"(?: encoding="(?:utf|UTF)-8")?(?: standalone="(?:yes|no)")?\?>)?'
_HEAD = re.compile(
    rf"{_DECLARATION}{_BLANK}<{_PREFIX}Envelope{_SPACES}>{_BLANK}<\1Body{_SPACES}>{_BLANK}<{_PREFIX}({_NAME}){_SPACES}>",
    re.ASCII,
)
_SPACE = re.compile(rf'xmlns(?::({_NAME}))?="([^"]*)"')
_RESERVED = frozenset({"xml", "xmlns", "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"})


class Recogniser:
    """Of one element in the body of envelopes of one SOAP version."""

    def __init__(self, body: Field, version: str, grammar: Grammar) -> None:
        self._body, self._version, self._grammar = body, version, grammar
        self._known: dict[str, tuple[Element, Callable[[str, int], Any]]] = {}

    def read(self, data: bytes) -> Any:
        """The value of the element; raises Doubt or ValueError where libxml2 must look."""
        if len(data) > MOST_BYTES or b"&" in data or (b"]" in data and b"]]>" in data) or suspicious(data):
            raise Doubt
        text = data.decode()
        head = _HEAD.match(text)
        if head is None:
            raise Doubt
        read, is_end = self._known.get(head[0]) or self._compiled(head)
        found = read(text, head.end())
        if found is None or is_end(text, found[1]) is None:
            raise Doubt
        return found[0]

    def _compiled(self, head: re.Match[str]) -> tuple[Element, Callable[[str, int], Any]]:
        """For envelopes that begin like this one."""
        if len(self._known) >= MOST_HEADS:
            raise Doubt
        soap, outer, middle, own, name, inner = head.groups()
        above = declared(outer)
        around = above | declared(middle)
        spaces = around | declared(inner)
        soap_key = soap.rstrip(":")
        if not (above.get(soap_key) == around.get(soap_key) == self._version and clark(own, name, spaces) == self._body.name):
            raise Doubt
        content = Elements(self._grammar, spaces).content(self._body)
        if content is None:
            self._known[head[0]] = _never, _never  # found out once, not with each envelope
            raise Doubt
        end = f"{_BLANK}</{own}{name}>{_BLANK}</{soap}Body>{_BLANK}</{soap}Envelope>{_BLANK}"
        self._known[head[0]] = content, re.compile(end).fullmatch
        return self._known[head[0]]


def _never(_text: str, _at: int) -> None:
    """What this grammar's elements are, only libxml2 can judge."""


def declared(attributes: str) -> dict[str, str]:
    """Prefix to namespace, "" for the default one, of one start tag."""
    pairs = _SPACE.findall(attributes)
    spaces = dict(pairs)
    if len(spaces) != len(pairs) or not _RESERVED.isdisjoint([*spaces, *spaces.values()]):
        raise Doubt
    return spaces


def clark(prefix: str, name: str, spaces: Mapping[str, str]) -> str | None:
    """The Clark name; None if the prefix is not declared."""
    if not prefix:
        return f"{{{spaces['']}}}{name}" if "" in spaces else name
    space = spaces.get(prefix[:-1])
    return None if space is None else f"{{{space}}}{name}"


class Elements:
    """What reads the elements of a grammar, under one set of declared prefixes; None for what only libxml2 can judge."""

    def __init__(self, grammar: Grammar, spaces: Mapping[str, str]) -> None:
        self._grammar = grammar
        self._spaces = spaces
        self._inside: set[str] = set()

    def content(self, field: Field) -> Element | None:
        """What is inside an element whose start tag has been read; an object, never a bare text."""
        steps = self._steps(field)
        return None if steps is None else _filled(steps)

    def _steps(self, field: Field) -> Sequence[Step] | None:
        shape = self._grammar.shapes[field.shape]
        if not _is_plain(shape) or field.shape in self._inside:
            return None
        self._inside.add(field.shape)
        steps: list[Step | None] = []
        for is_run, group in groupby(shape.fields, self._is_fixed):
            fields = list(group)
            found = [_run(self._record(fields))] if is_run else [self._step(inner) for inner in fields]
            if not is_run and any(step is None and inner.required for step, inner in zip(found, fields, strict=True)):
                return None
            steps += found
        self._inside.discard(field.shape)
        return [step for step in steps if step is not None]

    def _is_fixed(self, field: Field) -> bool:
        """Whether one expression can read the element: a text, or an object of such that must be there."""
        if field.many or not _is_sure(field) or self._tag(field, 1) is None:
            return False
        shape = self._grammar.shapes[field.shape]
        if shape.is_bare:
            return judged(shape) is not None
        if not _is_plain(shape) or not field.required or field.shape in self._inside:
            return False
        self._inside.add(field.shape)
        is_fixed = all(self._is_fixed(inner) for inner in shape.fields)
        self._inside.discard(field.shape)
        return is_fixed

    def _record(self, fields: Sequence[Field], start: str = "", end: str = "") -> Element:
        """An object of fixed elements; `start` and `end`: expressions of its own tags."""
        record = _Record()
        build = self._add(fields, record, start.count("(") - start.count("(?"))
        return record.reader(start, end, build)

    def _add(self, fields: Sequence[Field], record: _Record, groups: int) -> Build:
        """Add the expressions of some elements to a record; gives what builds their object from its values."""
        plan: list[tuple[str, int, Build | None]] = []
        for field in fields:
            start, end, more = self._tag(field, record.groups + groups + 1) or ("", "", 0)
            record.groups += more
            shape = self._grammar.shapes[field.shape]
            if shape.is_bare:
                plan.append((field.key, len(record.places), None))
                record.add(f"{_BLANK}{start}([^<]*){end}", shape, groups, is_required=field.required)
            else:
                record.pattern += f"{_BLANK}{start}"
                plan.append((field.key, 0, self._add(shape.fields, record, groups)))
                record.pattern += f"{_BLANK}{end}"
        return _builder(plan, [field.key for field in fields if not field.required])

    def _step(self, field: Field) -> Step | None:
        one = self._element(field)
        if one is None:
            return None
        return _each(field, one) if field.many else _single(field, one)

    def _element(self, field: Field) -> Element | None:
        """One element with its tags."""
        tags = self._tag(field, 1)
        if field.key == ANY_KEY or not _is_sure(field) or tags is None:
            return None
        shape = self._grammar.shapes[field.shape]
        if shape.is_bare:
            return None  # a list of texts is rare, and libxml2's
        if _is_plain(shape) and all(self._is_fixed(inner) for inner in shape.fields):
            return self._record(shape.fields, f"{_BLANK}{tags[0]}", f"{_BLANK}{tags[1]}")
        steps = self._steps(field)
        if steps is None:
            return None
        return _nested(
            re.compile(f"{_BLANK}{tags[0]}").match, _filled(steps), re.compile(f"{_BLANK}</((?:{_NAME}:)?{_local(field)})>").match
        )

    def _tag(self, field: Field, group: int) -> tuple[str, str, int] | None:
        """Expressions of start and end tag, and how many groups they have; the first would be numbered `group`."""
        space = field.name[1:].partition("}")[0] if field.name.startswith("{") else ""
        prefixes = [re.escape(f"{prefix}:" if prefix else "") for prefix, uri in self._spaces.items() if uri == space]
        if not space:
            prefixes = [] if "" in self._spaces else [""]
        local = re.escape(_local(field))
        if len(prefixes) == 1:
            return f"<{prefixes[0]}{local}>", f"</{prefixes[0]}{local}>", 0
        return (f"<({'|'.join(prefixes)}){local}>", rf"</\{group}{local}>", 1) if prefixes else None


class _Record:
    """One expression for many elements, while it grows: where its texts stand among its groups, what judges and what converts them."""

    def __init__(self) -> None:
        self.pattern = ""
        self.groups = 0
        self.places: list[int] = []
        self._required: list[tuple[int, str]] = []
        self._optional: list[tuple[int, Callable[[str], Any]]] = []
        self._converts: list[tuple[int, Callable[[str], Any]]] = []

    def add(self, one: str, shape: Shape, groups: int, *, is_required: bool) -> None:
        """One text."""
        expression, convert = judged(shape) or ("", None)
        place = len(self.places)
        self.pattern += one if is_required else f"(?:{one})?"
        self.places.append(self.groups + groups)
        self.groups += 1
        if is_required:
            self._required.append((place, expression))
        else:
            self._optional.append((place, re.compile(expression).fullmatch))
        if convert is not None:
            self._converts.append((place, convert))

    def reader(self, before: str, after: str, build: Build) -> Element:
        """What reads them all, between these expressions."""
        match = re.compile(before + self.pattern + after).match
        pick = _picker(self.places)
        of_required = _picker([place for place, _ in self._required])
        matches = re.compile(r"\0".join(expression for _, expression in self._required)).fullmatch
        join, optional, converts = "\0".join, self._optional, self._converts

        def read(text: str, at: int) -> tuple[Any, int] | None:
            found = match(text, at)
            if found is None:
                return None
            values = pick(found.groups())
            if not matches(join(of_required(values))):
                raise Doubt
            for place, test in optional:
                if values[place] is not None and not test(values[place]):
                    raise Doubt
            for place, convert in converts:
                if values[place] is not None:
                    values[place] = convert(values[place])
            return build(values), found.end()

        return read


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], list[Any]]:
    """What takes the values at these places out of others; mostly a slice does it."""
    if not places:
        return lambda _: []
    step = places[1] - places[0] if len(places) > 1 else 1
    if list(places) == list(range(places[0], places[-1] + 1, step)):
        cut = slice(places[0], places[-1] + 1, step)
        return lambda values: [*values[cut]]
    return lambda values: [values[place] for place in places]


def _builder(plan: Sequence[tuple[str, int, Build | None]], optional: Sequence[str]) -> Build:
    """An object from the values of a record; an optional one that is None is absent."""
    if any(inner is not None for _, _, inner in plan) or [place for _, place, _ in plan] != list(range(len(plan))):
        return lambda values: {
            key: values[place] if inner is None else inner(values)
            for key, place, inner in plan
            if inner is not None or values[place] is not None
        }
    keys = [key for key, _, _ in plan]

    def build(values: Sequence[Any]) -> dict[str, Any]:
        value = dict(zip(keys, values))  # noqa: B905  # an object within another takes the first of its record's values
        for key in optional:
            if value[key] is None:
                del value[key]
        return value

    return build


def _local(field: Field) -> str:
    return field.name.rpartition("}")[2]


def _is_plain(shape: Shape) -> bool:
    """Whether fields in order, as often as each says, are all that there is to the content of a shape."""
    others = (shape.attributes, shape.any_attributes, shape.choices, shape.loose, shape.mixed, shape.derived, shape.abstract)
    return shape.sure and shape.text is None and not any(others)


def _is_sure(field: Field) -> bool:
    return field.key != ANY_KEY and field.sure and field.default is None and not field.fixed


def judged(shape: Shape) -> tuple[str, Callable[[str], Any] | None] | None:
    """The expression of texts that are surely valid for a shape, never matching NUL, and what makes them values; None if there is none."""
    if shape.text is None or shape.limits is None or shape.listed or shape.derived or shape.abstract:
        return None
    if is_matched(shape.text, shape.limits):
        return f"(?>{text_expression(shape.limits)})", None
    expression = number_expression(shape.text, shape.limits)
    return None if expression is None else (expression, CONVERT[shape.text])


def _run(record: Element) -> Step:
    def step(text: str, at: int, value: dict[str, Any]) -> int:
        found = record(text, at)
        if found is None:
            raise Doubt
        value.update(found[0])
        return found[1]

    return step


def _filled(steps: Sequence[Step]) -> Element:
    def read(text: str, at: int) -> tuple[Any, int]:
        value: dict[str, Any] = {}
        for step in steps:
            at = step(text, at, value)
        return value, at

    return read


def _nested(starts: Match, read: Element, ends: Match) -> Element:
    def one(text: str, at: int) -> tuple[Any, int] | None:
        start = starts(text, at)
        if start is None:
            return None
        found = read(text, start.end())
        end = None if found is None else ends(text, found[1])
        if found is None or end is None or not start[0].endswith(f"<{end[1]}>"):
            raise Doubt
        return found[0], end.end()

    return one


def _single(field: Field, one: Element) -> Step:
    def step(text: str, at: int, value: dict[str, Any]) -> int:
        found = one(text, at)
        if found is not None:
            value[field.key], at = found
        elif field.required:
            raise Doubt
        return at

    return step


def _each(field: Field, one: Element) -> Step:
    most = field.most if field.most is not None else MOST_BYTES

    def step(text: str, at: int, value: dict[str, Any]) -> int:
        items: list[Any] = []
        while (found := one(text, at)) is not None:
            items.append(found[0])
            at = found[1]
        if items and field.least <= len(items) <= most:
            value[field.key] = items
        elif items or field.required:
            raise Doubt
        return at

    return step


__all__ = ["Recogniser"]
