"""XML tree to native value: a grammar becomes closures that look each element up by its tag.

What the grammar does not know is skipped, what is missing is missing, and a text outside its lexical space stays text: the XSD verdict
tells such places, the mapping decides whether they matter (decision 15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec.lexical import READ
from lgsp.codec.tables import TEXT_KEY, XSI

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.etree import _Element

    from lgsp.codec.tables import Field, Grammar, Shape

    Read = Callable[[_Element], Any]
    Fill = Callable[[dict[str, Any], Sequence[_Element]], dict[str, Any]]

_NIL = f"{{{XSI}}}nil"


class Readers:
    """The closures of one grammar, one for each shape, made once; those for valid elements know the leading fields by their places."""

    def __init__(self, grammar: Grammar, *, valid: bool = False) -> None:
        self._grammar = grammar
        self._valid = valid
        self._contents: dict[str, Read] = {}

    def element(self, field: Field) -> Read:
        """What reads one element of a field."""
        read = self._content(field.shape)
        return _nillable(read) if field.nillable else read

    def _content(self, key: str) -> Read:
        """What reads a shape; shapes may contain themselves, so a closure looks the finished one up when it runs."""
        if key in self._contents:
            return self._contents[key]

        def later(node: _Element) -> Any:
            return self._contents[key](node)

        self._contents[key] = later
        shape = self._grammar.shapes[key]
        read = self._bare(shape)
        self._contents[key] = _with_attributes(shape, read) if shape.attributes else read
        return self._contents[key]

    def _bare(self, shape: Shape) -> Read:
        if shape.text is None:
            places = {field.name: self._place(field) for field in shape.fields}
            lead = [(key, read) for key, _, read in list(places.values())[: shape.lead]] if self._valid else []
            return _leading(lead, _filler(places)) if lead else _children(_filler(places))
        convert = READ[shape.text]
        return _text if convert is None else _converted(convert)

    def _place(self, field: Field) -> tuple[str, bool, Read | None]:
        """Key, whether it is a list, and what reads it; None for plain text, which the loop reads without a call."""
        read = self.element(field)
        return field.key, field.many, None if read is _text and not field.many else read


def _text(node: _Element) -> str:
    # An element inside text would cut it off at that place; the text around it is joined, and the verdict names the intruder.
    if len(node):
        return (node.text or "") + "".join(child.tail or "" for child in node)
    return node.text or ""


def _converted(convert: Callable[[str], Any]) -> Read:
    def read(node: _Element) -> Any:
        text = node.text
        return convert(_text(node) if text is None or len(node) else text)

    return read


def _nillable(read: Read) -> Read:
    def read_or_nil(node: _Element) -> Any:
        return None if node.get(_NIL) in {"true", "1"} else read(node)

    return read_or_nil


def _leading(lead: Sequence[tuple[str, Read | None]], fill: Fill) -> Read:
    """Fields whose places are certain are read without a look at their tags, which costs as much as their text."""
    count = len(lead)

    def read(node: _Element) -> dict[str, Any]:
        children: Any = node[:]  # type: ignore[index]
        value: dict[str, Any] = {}
        for (key, read_field), child in zip(lead, children, strict=False):
            value[key] = read_field(child) if read_field is not None else child.text or ""
        return value if len(children) == count else fill(value, children[count:])

    return read


def _children(fill: Fill) -> Read:
    # All children at once: lxml's iterator costs twice as much.
    def read(node: _Element) -> dict[str, Any]:
        children: Any = node[:]  # type: ignore[index]
        return fill({}, children)

    return read


def _filler(fields: dict[str, tuple[str, bool, Read | None]]) -> Fill:
    find = fields.get

    def fill(value: dict[str, Any], children: Sequence[_Element]) -> dict[str, Any]:
        for child in children:
            field = find(child.tag)
            if field is None:
                continue
            key, many, read_field = field
            if read_field is None:
                text = child.text
                value[key] = _text(child) if text is None or len(child) else text
            elif not many:
                value[key] = read_field(child)
            elif key in value:
                value[key].append(read_field(child))
            else:
                value[key] = [read_field(child)]
        return value

    return fill


def _with_attributes(shape: Shape, read: Read) -> Read:
    attributes = [(item.name, item.key, READ[item.kind]) for item in shape.attributes]
    is_text = shape.text is not None

    def read_all(node: _Element) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for name, key, convert in attributes:
            text = node.get(name)
            if text is not None:
                value[key] = text if convert is None else convert(text)
        inside = read(node)
        return {**value, TEXT_KEY: inside} if is_text else {**value, **inside}

    return read_all


def untyped(node: _Element) -> Any:
    """An element that no contract describes: text, or its children by local name, repeated ones as lists."""
    if not len(node):
        return node.text or ""
    value: dict[str, Any] = {}
    for child in node:
        key = str(child.tag).rpartition("}")[2]
        value.setdefault(key, []).append(untyped(child))
    return {key: items[0] if len(items) == 1 else items for key, items in value.items()}
