"""XML schemas to codec tables: xmlschema builds the components, this walks from the elements that messages use to the shapes below them.

What the codec does not speak becomes a Finding with the construct's name; only what a message can reach is looked at.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import xmlschema
from lxml import etree
from xmlschema.validators import XsdAnyElement, XsdAtomic, XsdComplexType, XsdGroup

from lgsp.codec.tables import Attribute, Field, Grammar, Kind, Shape
from lgsp.codec.verdict import envelope_schema
from lgsp.contract.wsdl_files import XSD, line_of
from lgsp.contract.xsd_limits import choices_of, lead_of, limits_of
from lgsp.errors import ContractError, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xmlschema.validators import XsdElement

    from lgsp.contract.wsdl_files import SchemaPart

    Place = tuple[str, int]  # file and line

_ANY_TYPE = f"{{{XSD}}}anyType"
# What xmlschema raises over faulty schemas: its own errors, and those of Python where it trusted the document.
_FAULTS = (xmlschema.XMLSchemaException, RecursionError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
_OFFLINE: Mapping[str, Any] = MappingProxyType(
    {"validation": "lax", "build": False, "allow": "none", "defuse": "always", "use_fallback": False},
)
_KINDS = {"boolean": Kind.BOOLEAN, "decimal": Kind.DECIMAL, "float": Kind.FLOAT, "double": Kind.FLOAT}


class Types:
    """The components of a WSDL's schemas; gathers shapes and findings as elements are asked for."""

    def __init__(self, parts: Sequence[SchemaPart]) -> None:
        self._parts = _with_imports(parts)
        self._places: dict[Any, Place] = {}
        self._maps = _build(self._parts, self._places) if self._parts else None
        self._keys: dict[Any, str] = {}
        self.shapes: dict[str, Shape] = {}
        self.findings: list[Finding] = []

    def root(self, name: str) -> Field | None:
        """The field of a global element by its Clark name, its shapes gathered; None if no schema declares it."""
        element = self._maps.elements.get(name) if self._maps is not None else None
        if element is None:
            return None
        self._refuse_open(element)
        return Field(_local(name), name, self._shape(element.type, element), nillable=bool(element.nillable), sure=_is_sure(element))

    def grammar(self, version: str) -> Grammar:
        """What was gathered, with the schemas as libxml2 wants them: an envelope over one text for each namespace."""
        return Grammar(self.shapes, _schema_texts(version, self._parts))

    # ---- walking -------------------------------------------------------------------------------------------------------------------

    def _shape(self, kind: Any, owner: XsdElement) -> str:
        if kind in self._keys:
            return self._keys[kind]
        key = self._keys[kind] = f"{kind.local_name or owner.local_name}#{len(self._keys)}"
        if kind.name == _ANY_TYPE:
            self._refuse(owner, "xs:anyType", "has no type that could be written or read")
            self.shapes[key] = Shape()
        elif isinstance(kind, XsdComplexType):
            self.shapes[key] = self._complex(kind, owner)
        else:
            self.shapes[key] = Shape(text=_kind_of(kind), limits=limits_of(kind))
        return key

    def _complex(self, kind: XsdComplexType, owner: XsdElement) -> Shape:
        if kind.abstract:
            self._refuse(owner, "abstract type", "needs xsi:type to say which type it has")
        if kind.mixed:
            self._refuse(owner, "mixed content", "mixes text and elements")
        attributes = self._attributes(kind)
        if kind.has_simple_content():
            return Shape(text=_kind_of(kind.content), attributes=attributes, limits=limits_of(kind.content))
        found = list(self._particle(kind.content, owner, must=True, again=False)) if isinstance(kind.content, XsdGroup) else []
        twice = [name for name, count in Counter(element.name for element, _, _ in found).items() if count > 1]
        if twice:
            self._refuse(owner, "repeated name", f"has {_local(twice[0])} in several places of its content")
        keys = _keys([element.name for element, _, _ in found], "")
        fields = tuple(self._field(keys[item[0].name], *item) for item in found)
        choices = None if twice else choices_of(kind.content)
        named = tuple((tuple(keys[name] for name in names), must) for names, must in choices or ())
        return Shape(fields=fields, attributes=attributes, choices=named, sure=choices is not None, lead=lead_of(kind.content))

    def _field(self, key: str, element: XsdElement, required: bool, many: bool) -> Field:
        self._refuse_open(element)
        least, shape = max(element.min_occurs, 1), self._shape(element.type, element)
        flags = (required, many, bool(element.nillable))
        return Field(key, element.name, shape, *flags, least=least, most=element.max_occurs, sure=_is_sure(element))

    def _particle(self, particle: Any, owner: XsdElement, *, must: bool, again: bool) -> Iterator[tuple[XsdElement, bool, bool]]:
        """Elements in the contract's order, each with whether it must be there and whether it may come again."""
        if particle.max_occurs == 0:
            return
        must = must and particle.min_occurs > 0
        again = again or particle.max_occurs is None or particle.max_occurs > 1
        if isinstance(particle, XsdGroup):
            yield from self._group(particle, owner, must=must, again=again)
        elif not isinstance(particle, XsdAnyElement):
            yield particle, must, again
        elif must:
            self._refuse(particle, "xs:any", "requires content that no contract describes", owner)

    def _group(self, group: XsdGroup, owner: XsdElement, *, must: bool, again: bool) -> Iterator[tuple[XsdElement, bool, bool]]:
        is_certain = must and (group.model != "choice" or len(group) == 1)
        inside = [item for particle in group for item in self._particle(particle, owner, must=is_certain, again=again)]
        if again and len(inside) > 1:
            self._refuse(group, f"repeated xs:{group.model}", f"repeats a group of {len(inside)} elements", owner)
        yield from inside

    def _attributes(self, kind: XsdComplexType) -> tuple[Attribute, ...]:
        declared = {name: item for name, item in kind.attributes.items() if name is not None and item.use != "prohibited"}
        keys = _keys([*declared], "@")
        return tuple(
            Attribute(keys[name], name, _kind_of(item.type), item.use == "required", limits_of(item.type) if item.fixed is None else None)
            for name, item in declared.items()
        )

    # ---- refusing ------------------------------------------------------------------------------------------------------------------

    def _refuse_open(self, element: XsdElement) -> None:
        declared = element.ref or element
        if declared.abstract:
            self._refuse(element, "abstract element", "stands for the members of its substitution group")
        elif self._heads(element.name):
            self._refuse(element, "substitution group", "may be replaced by members of its substitution group")

    def _heads(self, name: str | None) -> bool:
        return self._maps is not None and name in self._maps.substitution_groups

    def _refuse(self, component: Any, construct: str, reason: str, owner: XsdElement | None = None) -> None:
        file, line = _place(component, self._places)
        named = owner if owner is not None else component
        self.findings.append(Finding(file, line, f"/{named.local_name}", construct, f"{construct}: {named.local_name} {reason}"))


def _is_sure(element: XsdElement) -> bool:
    """Whether the schema asks nothing of an element beyond its type: no fixed or default value, no key that must be unique."""
    declared = element.ref or element
    return declared.fixed is None and declared.default is None and not declared.identities


def _keys(names: Sequence[str], sign: str) -> dict[str, str]:
    """Native keys of names: local ones, qualified where two namespaces clash."""
    count = Counter(_local(name) for name in set(names))
    return {name: sign + (_local(name) if count[_local(name)] == 1 else name) for name in names}


def _kind_of(simple: Any) -> Kind:
    if not isinstance(simple, XsdAtomic):
        return Kind.TEXT
    step: Any = simple
    while step is not None and step.name != f"{{{XSD}}}integer":
        step = step.base_type
    if step is not None:
        return Kind.INTEGER
    primitive: Any = simple.primitive_type
    return _KINDS.get(primitive.local_name, Kind.TEXT) if primitive is not None else Kind.TEXT


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _place(component: Any, places: Mapping[Any, Place]) -> Place:
    """Where a component or an error of xmlschema stands: file and line."""
    return places.get(getattr(component, "elem", None)) or next(iter(places.values()))


# ---- building ------------------------------------------------------------------------------------------------------------------------


def _with_imports(parts: Sequence[SchemaPart]) -> Sequence[SchemaPart]:
    """Let every schema see every namespace at hand: authors forget imports, and no meaning depends on their absence."""
    spaces = dict.fromkeys(part.namespace for part in parts)
    for part in parts:
        for position, space in enumerate(name for name in spaces if name != part.namespace):
            part.root.insert(position, etree.Element(f"{{{XSD}}}import", {"namespace": space} if space else {}))
    return parts


def _build(parts: Sequence[SchemaPart], places: dict[Any, Place]) -> Any:
    """All components, as maps by xmlschema; every fault that it reports becomes a finding.

    xmlschema works on its own trees (it mixes them with new elements, which lxml's do not allow), so lines are carried over by position.
    """
    schema: Any = None
    try:
        for part in parts:
            text = etree.tostring(part.root, encoding="unicode")
            added = xmlschema.XMLSchema10(text, **_OFFLINE) if schema is None else schema.add_schema(text)
            schema = schema or added
            places.update((node, (part.file, line_of(at))) for node, at in zip(added.root.iter(), part.root.iter(), strict=True))
        schema.build()
    except _FAULTS as error:
        place = _place(error, places) if places else (parts[0].file, 0)
        raise ContractError([Finding(*place, "", "xsd", _first_line(error))]) from error
    faults = [error for item in schema.maps.iter_schemas() for error in item.all_errors if item.target_namespace in _spaces(parts)]
    if faults:
        raise ContractError([Finding(*_place(error, places), "", "xsd", _first_line(error)) for error in dict.fromkeys(faults)])
    return schema.maps


def _spaces(parts: Sequence[SchemaPart]) -> set[str]:
    return {part.namespace for part in parts}


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__


def _schema_texts(version: str, parts: Sequence[SchemaPart]) -> dict[str, bytes]:
    """Addresses that name nothing outside: `lgsp:N` gathers namespace N, `lgsp:N.M` is the M-th schema that fills it."""
    spaces = {space: f"lgsp:{index}" for index, space in enumerate(dict.fromkeys(part.namespace for part in parts))}
    members: dict[str, list[str]] = {space: [] for space in spaces}
    texts = {"lgsp:envelope": envelope_schema(version, spaces)}
    for part in parts:
        address = f"{spaces[part.namespace]}.{len(members[part.namespace])}"
        members[part.namespace].append(address)
        for link in part.root.findall(f"{{{XSD}}}import"):
            link.set("schemaLocation", spaces[link.get("namespace") or ""])
        texts[address] = etree.tostring(part.root)
    for space, address in spaces.items():
        gather = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": space} if space else {})
        for member in members[space]:
            etree.SubElement(gather, f"{{{XSD}}}include", {"schemaLocation": member})
        texts[address] = etree.tostring(gather)
    return texts
