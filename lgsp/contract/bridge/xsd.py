"""Forms as XML Schema types of one namespace, in the constructs that every SOAP tool knows: sequence, choice, nillable, one attribute."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lxml import etree

from lgsp.contract.bridge.expression import to_xsd
from lgsp.contract.bridge.form import Sort
from lgsp.contract.bridge.names import xml_name
from lgsp.contract.bridge.pair import ENTRY, ITEM, KEY, VALUE
from lgsp.contract.wsdl.files import XSD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from lgsp.contract.bridge.form import Form

_X = f"{{{XSD}}}"
_FORMATS = MappingProxyType(
    {
        (Sort.INTEGER, "int32"): "int",
        (Sort.INTEGER, "int64"): "long",
        (Sort.NUMBER, "float"): "double",
        (Sort.NUMBER, "double"): "double",
        (Sort.TEXT, "date"): "date",
        (Sort.TEXT, "date-time"): "dateTime",
        (Sort.TEXT, "byte"): "base64Binary",
        (Sort.TEXT, "base64"): "base64Binary",
    },
)
_BUILTIN = MappingProxyType({Sort.TEXT: "string", Sort.BOOLEAN: "boolean", Sort.INTEGER: "integer", Sort.NUMBER: "decimal"})
# What JSON says of a date's zone by its format, XSD 1.0 says by a pattern.
_ZONES = MappingProxyType({"date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "dateTime": r"[0-9]{4}-.*(Z|[+\-][0-9]{2}:[0-9]{2})"})
_BOUNDS = MappingProxyType({"minimum": "minInclusive", "maximum": "maxInclusive"})
_RANGES = MappingProxyType({"int": 31, "long": 63})


class Schema:
    """One xs:schema that grows; named forms become named types, once."""

    def __init__(self, namespace: str, prefix: str = "t") -> None:
        self._prefix = prefix
        self.root = etree.Element(
            f"{_X}schema",
            {"targetNamespace": namespace, "elementFormDefault": "qualified"},
            nsmap={"xs": XSD, prefix: namespace},
        )
        self._types: dict[str, str] = {}

    def message(self, name: str, members: Mapping[str, tuple[Form, bool]]) -> None:
        """A global element whose children are these members, each with whether it must be there."""
        element = etree.SubElement(self.root, f"{_X}element", {"name": name})
        sequence = etree.SubElement(etree.SubElement(element, f"{_X}complexType"), f"{_X}sequence")
        for member, (form, required) in members.items():
            self._element(sequence, xml_name(member), form, least=int(required))

    def _element(self, parent: _Element, name: str, form: Form, *, least: int = 1, most: str = "1") -> None:
        element = etree.SubElement(parent, f"{_X}element", {"name": name})
        if form.name:
            element.set("type", f"{self._prefix}:{self._named(form)}")
        elif _plain_type(form) is not None:
            element.set("type", f"xs:{_plain_type(form)}")
        else:
            self._type(element, form)
        for key, value, usual in (("minOccurs", str(least), "1"), ("maxOccurs", most, "1")):
            if value != usual:
                element.set(key, value)
        if form.null:
            element.set("nillable", "true")

    def _named(self, form: Form) -> str:
        if form.name not in self._types:
            wish = xml_name(form.name)
            self._types[form.name] = wish
            holder = etree.Element("holder")
            self._type(holder, form)
            holder[0].set("name", wish)
            self.root.append(holder[0])
        return self._types[form.name]

    def _type(self, parent: _Element, form: Form) -> None:
        if form.sort in _BUILTIN:
            _simple(parent, form)
            return
        kind = "choice" if form.sort is Sort.CHOICE else "sequence"
        content = etree.SubElement(etree.SubElement(parent, f"{_X}complexType"), f"{_X}{kind}")
        if form.sort is Sort.RECORD:
            for name, member in form.members.items():
                self._element(content, xml_name(name), member, least=int(name in form.required))
        elif form.sort is Sort.CHOICE:
            for name, option, _ in form.options:
                self._element(content, xml_name(name), option)
        elif form.item is not None and form.sort is Sort.LIST:
            self._items(content, form)
        elif form.item is not None and form.sort is Sort.MAP:
            self._entries(content, form.item)

    def _items(self, content: _Element, form: Form) -> None:
        assert form.item is not None  # noqa: S101  # a list that was read without findings has items
        most = str(int(form.facets["maxItems"])) if "maxItems" in form.facets else "unbounded"
        self._element(content, ITEM, form.item, least=int(form.facets.get("minItems", 0)), most=most)

    def _entries(self, content: _Element, item: Form) -> None:
        entry = etree.SubElement(content, f"{_X}element", {"name": ENTRY, "minOccurs": "0", "maxOccurs": "unbounded"})
        kind = etree.SubElement(entry, f"{_X}complexType")
        self._element(etree.SubElement(kind, f"{_X}sequence"), VALUE, item)
        etree.SubElement(kind, f"{_X}attribute", {"name": KEY, "type": "xs:string", "use": "required"})


def _builtin(form: Form) -> str:
    named = form.facets.get("format") or form.facets.get("contentEncoding")
    return _FORMATS.get((form.sort, str(named)), _BUILTIN[form.sort])


def _plain_type(form: Form) -> str | None:
    """The builtin type that says all; None if there is more to say."""
    if form.sort not in _BUILTIN:
        return None
    return None if _facets(form, _builtin(form)) else _builtin(form)


def _simple(parent: _Element, form: Form) -> None:
    kind = _builtin(form)
    restriction = etree.SubElement(etree.SubElement(parent, f"{_X}simpleType"), f"{_X}restriction", {"base": f"xs:{kind}"})
    for name, value in _facets(form, kind):
        etree.SubElement(restriction, f"{_X}{name}", {"value": value})


def _facets(form: Form, kind: str) -> list[tuple[str, str]]:
    listed = form.facets.get("enum", [form.facets["const"]] if "const" in form.facets else None)
    if listed is not None and kind in {"string", "integer", "int", "long"}:
        fitting = [value for value in listed if isinstance(value, str) == (kind == "string") and not isinstance(value, bool | float)]
        return [("enumeration", str(value)) for value in fitting if value is not None]
    if kind in _ZONES:
        return [("pattern", _ZONES[kind])]
    if form.sort is Sort.TEXT:
        return _text_facets(form) if kind == "string" else []
    found = [(_BOUNDS[name], _number(form.facets[name])) for name in _BOUNDS if name in form.facets and form.sort is not Sort.BOOLEAN]
    return [(name, value) for name, value in found if _is_within(kind, value)]


def _text_facets(form: Form) -> list[tuple[str, str]]:
    found = [(name, str(int(form.facets[name]))) for name in ("minLength", "maxLength") if name in form.facets]
    pattern = to_xsd(form.facets["pattern"]) if "pattern" in form.facets else None
    return [*found, *([("pattern", pattern)] if pattern else [])]


def _number(value: Any) -> str:
    return format(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), "f")


def _is_within(kind: str, value: str) -> bool:
    """Whether a bound says more than its type does (and may stand in it)."""
    return kind not in _RANGES or abs(Decimal(value)) < 2 ** _RANGES[kind]
