"""XML tree to native value: a grammar becomes closures that look each element up by its tag.

What the grammar does not know is skipped, what is missing is missing, and a text outside its lexical space stays text: the XSD verdict
tells such places, the mapping decides whether they matter (decision 15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.fragment import clark, xml_of
from lgsp.codec.soap.lexical import READ, listed
from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, NIL_KEY, TEXT_KEY, TYPE_KEY, XSI, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lxml.etree import _Element

    from lgsp.codec.soap.tables import Attribute, Field, Grammar, Shape

    Read = Callable[[_Element], Any]
    Convert = Callable[[str], Any]
    Fill = Callable[[dict[str, Any], Sequence[_Element]], dict[str, Any]]

_NIL = f"{{{XSI}}}nil"
_TYPE = f"{{{XSI}}}type"
_OURS = f"{{{XSI}}}"


class Readers:
    """The closures of one grammar, one for each shape, made once; those for valid elements know the leading fields by their places."""

    def __init__(self, grammar: Grammar, *, valid: bool = False) -> None:
        self._grammar = grammar
        self._valid = valid
        self._contents: dict[str, Read] = {}

    def element(self, field: Field) -> Read:
        """What reads one element of a field."""
        shape = self._grammar.shapes[field.shape]
        read = self._content(field.shape)
        if field.default is not None and shape.text is not None:
            read = self._with_attributes(shape, _defaulted(_text_of(shape), shape, field.default))
        if shape.derived:
            read = self._typed(shape, read)
        return self._nillable(shape, read) if field.nillable else read

    def _content(self, key: str) -> Read:
        """What reads a shape; shapes may contain themselves, so a closure looks the finished one up when it runs."""
        if key in self._contents:
            return self._contents[key]

        def later(node: _Element) -> Any:
            return self._contents[key](node)

        self._contents[key] = later
        shape = self._grammar.shapes[key]
        self._contents[key] = self._with_attributes(shape, self._bare(shape))
        return self._contents[key]

    def _bare(self, shape: Shape) -> Read:
        if shape.text is not None:
            return _text_of(shape)
        if shape.loose:
            return _loose({field.name: (field.key, self.element(field)) for field in _named(shape)}, shape)
        places = {field.name: self._place(field) for field in _named(shape)}
        fill = _filler(places) if len(places) == len(shape.fields) else _filler_with_any(places)
        lead = [(key, read) for key, _, read in list(places.values())[: shape.lead]] if self._valid else []
        return _leading(lead, fill) if lead else _children(fill)

    def _place(self, field: Field) -> tuple[str, bool, Read | None]:
        """Key, whether it is a list, and what reads it; None for plain text, which the loop reads without a call."""
        read = self.element(field)
        return field.key, field.many, None if read is _text and not field.many else read

    def _with_attributes(self, shape: Shape, read: Read) -> Read:
        if not (shape.attributes or shape.any_attributes):
            return read
        read_attributes = _attributes(shape)
        if shape.text is not None:
            return lambda node: {**read_attributes(node), TEXT_KEY: read(node)}
        return lambda node: {**read_attributes(node), **read(node)}

    def _typed(self, shape: Shape, read: Read) -> Read:
        """An element that may say by `xsi:type` which type it has; naming the declared one says nothing."""
        types = {each.name: (each.key, self._content(each.shape)) for each in shape.derived}

        def read_typed(node: _Element) -> Any:
            name = node.get(_TYPE)
            found = types.get(clark(name, node)) if name is not None else None
            if found is None:
                return read(node)
            key, read_derived = found
            value = read_derived(node)
            return {TYPE_KEY: key, **value} if type(value) is dict else {TYPE_KEY: key, TEXT_KEY: value}

        return read_typed

    def _nillable(self, shape: Shape, read: Read) -> Read:
        if not (shape.attributes or shape.any_attributes or shape.derived):
            return lambda node: None if node.get(_NIL) in {"true", "1"} else read(node)
        types = {each.name: (each.key, _attributes(self._grammar.shapes[each.shape])) for each in shape.derived}
        plain = "", _attributes(shape)

        def read_or_nil(node: _Element) -> Any:
            if node.get(_NIL) not in {"true", "1"}:
                return read(node)
            name = node.get(_TYPE)
            key, read_attributes = types.get(clark(name, node), plain) if name is not None else plain
            found = {**({TYPE_KEY: key} if key else {}), **read_attributes(node)}
            return {NIL_KEY: True, **found} if found else None

        return read_or_nil


def _named(shape: Shape) -> list[Field]:
    return [field for field in shape.fields if field.key != ANY_KEY]


# ---- text ------------------------------------------------------------------------------------------------------------------------------


def _text(node: _Element) -> str:
    # An element inside text would cut it off at that place; the text around it is joined, and the verdict names the intruder.
    if len(node):
        return (node.text or "") + "".join(child.tail or "" for child in node)
    return node.text or ""


def _text_of(shape: Shape) -> Read:
    if shape.text is Kind.QNAME:
        return _names if shape.listed else lambda node: clark(_text(node), node)
    convert = _convert(shape.text, is_list=shape.listed)
    return _text if convert is None else _converted(convert)


def _names(node: _Element) -> list[str]:
    return [clark(text, node) for text in _text(node).split()]


def _convert(kind: Kind | None, *, is_list: bool) -> Convert | None:
    convert = READ.get(kind or Kind.TEXT)
    return listed(convert) if is_list else convert


def _converted(convert: Convert) -> Read:
    def read(node: _Element) -> Any:
        text = node.text
        return convert(_text(node) if text is None or len(node) else text)

    return read


def _defaulted(read: Read, shape: Shape, default: str) -> Read:
    convert = _convert(shape.text, is_list=shape.listed)
    value = default if convert is None else convert(default)
    return lambda node: read(node) if node.text or len(node) else value


# ---- elements --------------------------------------------------------------------------------------------------------------------------


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


def _filler(fields: Mapping[str, tuple[str, bool, Read | None]]) -> Fill:
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


def _filler_with_any(fields: Mapping[str, tuple[str, bool, Read | None]]) -> Fill:
    """The same with a wildcard: it takes what no field does, and what has its field already."""

    def fill(value: dict[str, Any], children: Sequence[_Element]) -> dict[str, Any]:
        for child in children:
            key, many, read = fields.get(child.tag, (ANY_KEY, True, xml_of))
            if key in value and not many:
                key, many, read = ANY_KEY, True, xml_of
            item = (read or _text)(child)
            if not many:
                value[key] = item
            else:
                value.setdefault(key, []).append(item)
        return value

    return fill


def _loose(fields: Mapping[str, tuple[str, Read]], shape: Shape) -> Read:
    """Elements one by one in the document's order, with the text among them where the contract allows it."""
    takes_any = len(fields) < len(shape.fields)
    any_field = (ANY_KEY, xml_of) if takes_any else None
    mixed = shape.mixed

    def read(node: _Element) -> dict[str, Any]:
        content: list[Any] = [node.text] if mixed and node.text else []
        for child in node:
            field = fields.get(str(child.tag), any_field)
            if field is not None:
                content.append({field[0]: field[1](child)})
            if mixed and child.tail:
                content.append(child.tail)
        return {CONTENT_KEY: content} if content else {}

    return read


# ---- attributes ------------------------------------------------------------------------------------------------------------------------


def _attributes(shape: Shape) -> Callable[[_Element], dict[str, Any]]:
    attributes = [(item.name, item.key, _attribute(item), _default(item)) for item in shape.attributes]
    declared = frozenset(item.name for item in shape.attributes)

    def read_all(node: _Element) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for name, key, convert, default in attributes:
            text = node.get(name)
            if text is not None:
                value[key] = text if convert is None else convert(text, node)
            elif default is not None:
                value[key] = default
        return value

    def read_more(node: _Element) -> dict[str, Any]:
        found = ((str(name), text) for name, text in node.attrib.items())
        others = {f"@{name}": text for name, text in found if name not in declared and not name.startswith(_OURS)}
        return {**read_all(node), **others}

    return read_more if shape.any_attributes else read_all


def _attribute(item: Attribute) -> Callable[[str, _Element], Any] | None:
    if item.kind is Kind.QNAME:
        return _names_in if item.listed else clark
    convert = _convert(item.kind, is_list=item.listed)
    return None if convert is None else lambda text, _: convert(text)


def _names_in(text: str, node: _Element) -> list[str]:
    return [clark(each, node) for each in text.split()]


def _default(item: Attribute) -> Any:
    convert = _convert(item.kind, is_list=item.listed)
    return item.default if convert is None or item.default is None else convert(item.default)


def untyped(node: _Element) -> Any:
    """An element that no contract describes: text, or its children by local name, repeated ones as lists."""
    if not len(node):
        return node.text or ""
    value: dict[str, Any] = {}
    for child in node:
        key = str(child.tag).rpartition("}")[2]
        value.setdefault(key, []).append(untyped(child))
    return {key: items[0] if len(items) == 1 else items for key, items in value.items()}
