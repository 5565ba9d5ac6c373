"""XML schemas to codec tables: this walks the components of xmlschema from the elements that messages use to the shapes below them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdComplexType, XsdGroup

from lgsp.codec.soap.tables import ANY_KEY, Attribute, Derived, Field, Grammar, Shape
from lgsp.contract.wsdl.files import XSD
from lgsp.contract.xsd.build import build, completed, place_of, schema_texts
from lgsp.contract.xsd.content import flat
from lgsp.contract.xsd.limits import choices_of, lead_of, limits_of
from lgsp.contract.xsd.simple import facets_of, form_of, is_listed, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xmlschema.validators import XsdElement

    from lgsp.contract.xsd.build import Place
    from lgsp.contract.xsd.content import Item
    from lgsp.contract.xsd.parts import SchemaPart

_ANY_TYPE = f"{{{XSD}}}anyType"
_OPEN = frozenset({_ANY_TYPE, f"{{{XSD}}}anySimpleType"})
_UNNAMEABLE = frozenset({"anyType", "anySimpleType", "anyAtomicType", "NOTATION", "error"})


class Types:
    """The components of a WSDL's schemas; gathers shapes as elements are asked for."""

    def __init__(self, parts: Sequence[SchemaPart]) -> None:
        self.parts = completed(parts)
        self._places: dict[Any, Place] = {}
        self._maps: Any = build(self.parts, self._places) if self.parts else None
        self._derived = self._derivations()
        self._keys: dict[Any, str] = {}
        self._roots: dict[str, Field | None] = {}
        self.shapes: dict[str, Shape] = {}
        self.lines: dict[tuple[str, str], Place] = {}
        """Where a shape (under "") and each of its fields and attributes (under their keys) stand."""

    def root(self, name: str) -> Field | None:
        """The field of a global element by its Clark name, its shapes gathered; None if no schema declares it."""
        if name not in self._roots:
            element = self._maps.elements.get(name) if self._maps is not None else None
            self._roots[name] = self._field(_local(name), (element, True, False)) if element is not None else None
        return self._roots[name]

    def grammar(self) -> Grammar:
        """What was gathered, with the schemas as libxml2 wants them: envelopes over one text for each namespace."""
        return Grammar(self.shapes, schema_texts(self.parts))

    def place(self, name: str) -> Place:
        """File and line of a global element."""
        return place_of(self._maps.elements.get(name), self._places)

    # ---- walking -------------------------------------------------------------------------------------------------------------------

    def _shape(self, kind: Any, owner: str) -> str:
        if kind in self._keys:
            return self._keys[kind]
        key = self._keys[kind] = f"{kind.local_name or owner}#{len(self._keys)}"
        self.lines[key, ""] = place_of(kind, self._places)
        self.shapes[key] = Shape()  # its place, for types that contain themselves
        self.shapes[key] = self._complex(kind, key) if isinstance(kind, XsdComplexType) else self._simple(kind)
        return key

    def _simple(self, kind: Any) -> Shape:
        listed = is_listed(kind)
        derived = self._stand_ins(kind)
        limits, facets = (None if listed else limits_of(kind)), facets_of(kind)
        return Shape(text=kind_of(kind), limits=limits, form=form_of(kind), listed=listed, derived=derived, facets=facets)

    def _complex(self, kind: XsdComplexType, owner: str) -> Shape:
        attributes = self._attributes(kind)
        self._mark(owner, [(each.key, kind.attributes[each.name]) for each in attributes])
        more: Mapping[str, Any] = {
            "any_attributes": None in kind.attributes,
            "derived": self._stand_ins(kind),
            "abstract": bool(kind.abstract),
        }
        if kind.has_simple_content():
            content: Any = kind.content
            listed = is_listed(content)
            more = {**more, "limits": None if listed else limits_of(content), "facets": facets_of(content)}
            return Shape(text=kind_of(content), attributes=attributes, form=form_of(content), listed=listed, **more)
        found, is_open = flat(kind.content) if isinstance(kind.content, XsdGroup) else ([], False)
        if is_open or kind.mixed:
            return Shape(fields=self._loose_fields(found), attributes=attributes, loose=True, mixed=bool(kind.mixed), **more)
        keys = _keys([element.name for element, _, _ in found if element is not None], "")
        self._mark(owner, [(keys[element.name], element) for element, _, _ in found if element is not None])
        fields = tuple(self._field(ANY_KEY if item[0] is None else keys[item[0].name], item) for item in found)
        choices = choices_of(kind.content)
        named = tuple((tuple(keys[name] for name in names), must) for names, must in choices or ())
        return Shape(fields=fields, attributes=attributes, choices=named, sure=choices is not None, lead=lead_of(kind.content), **more)

    def _mark(self, owner: str, named: Sequence[tuple[str, Any]]) -> None:
        for key, component in named:
            self.lines[owner, key] = place_of(component, self._places)

    def _loose_fields(self, found: Sequence[Item]) -> tuple[Field, ...]:
        """One field for each name, since each stands by itself in `#content`."""
        once = {item[0].name if item[0] is not None else "": (item[0], False, False) for item in found}
        keys = _keys([name for name in once if name], "")
        return tuple(self._field(keys[name] if name else ANY_KEY, item) for name, item in once.items())

    def _field(self, key: str, item: Item) -> Field:
        element, required, many = item
        if element is None:
            return Field(ANY_KEY, "", "", required=required, many=True)
        declared = element.ref or element
        shape = self._shape(element.type, element.local_name)
        return Field(
            key,
            element.name,
            shape,
            required=required,
            many=many,
            nillable=bool(element.nillable),
            least=max(element.min_occurs, 1),
            most=element.max_occurs,
            sure=_is_sure(declared),
            default=declared.fixed if declared.fixed is not None else declared.default,
            fixed=declared.fixed is not None,
        )

    def _attributes(self, kind: XsdComplexType) -> tuple[Attribute, ...]:
        declared = {name: item for name, item in kind.attributes.items() if name is not None and item.use != "prohibited"}
        keys = {name: f"@{name}" for name in declared} if None in kind.attributes else _keys([*declared], "@")
        return tuple(
            Attribute(
                key=keys[name],
                name=name,
                kind=kind_of(item.type),
                required=item.use == "required",
                limits=limits_of(item.type) if item.fixed is None and not is_listed(item.type) else None,
                form=form_of(item.type),
                listed=is_listed(item.type),
                default=item.fixed if item.fixed is not None else item.default,
                fixed=item.fixed is not None,
                facets=facets_of(item.type),
            )
            for name, item in declared.items()
        )

    # ---- derived types -------------------------------------------------------------------------------------------------------------

    def _derivations(self) -> Mapping[Any, Sequence[Any]]:
        """Named, complete types by each type that they derive from."""
        found: dict[Any, list[Any]] = defaultdict(list)
        for kind in self._named():
            step = kind.base_type
            while step is not None and step is not kind and step.name not in _OPEN:
                found[step].append(kind)
                step = step.base_type
        return found

    def _named(self) -> list[Any]:
        kinds = self._maps.types.values() if self._maps is not None else ()
        return [kind for kind in kinds if isinstance(kind, XsdComplexType) and not kind.abstract and kind.name not in _OPEN]

    def _stand_ins(self, kind: Any) -> tuple[Derived, ...]:
        """Types that may stand in by `xsi:type`; simple types stand in only where anything may."""
        kinds = self._anything(kind) if kind.name in _OPEN else self._derived.get(kind, ()) if isinstance(kind, XsdComplexType) else ()
        named = {each.name: each for each in kinds}
        keys = _keys([name for name in named if not name.startswith(f"{{{XSD}}}")], "")
        builtin = {name: f"xs:{_local(name)}" for name in named if name not in keys}
        return tuple(Derived({**keys, **builtin}[name], name, self._shape(each, _local(name))) for name, each in named.items())

    def _anything(self, kind: Any) -> Sequence[Any]:
        own = {part.namespace for part in self.parts}
        simple = [each for each in self._maps.types.values() if not isinstance(each, XsdComplexType) and each.local_name not in _UNNAMEABLE]
        mine = [each for each in simple if each.target_namespace in own or (each.name or "").startswith(f"{{{XSD}}}")]
        return [*(self._named() if kind.name == _ANY_TYPE else ()), *mine]


def _is_sure(declared: XsdElement) -> bool:
    """Whether the schema asks nothing of an element beyond its type: no fixed or default value, no key that must be unique."""
    return declared.fixed is None and declared.default is None and not declared.identities


def _keys(names: Sequence[str], sign: str) -> dict[str, str]:
    """Native keys of names: local ones, qualified where two namespaces clash."""
    count = Counter(_local(name) for name in set(names))
    return {name: sign + (_local(name) if count[_local(name)] == 1 else name) for name in names}


def _local(name: str) -> str:
    return name.rpartition("}")[2]


__all__ = ["Types"]
