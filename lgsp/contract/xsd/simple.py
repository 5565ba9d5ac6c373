"""Simple types by what the codec makes of their texts: a kind, the builtin form, whether blanks divide items."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdAtomicRestriction, XsdList, XsdUnion

from lgsp.codec.soap.tables import Kind
from lgsp.contract.wsdl.files import XSD

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPACE = f"{{{XSD}}}"
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "boolean": Kind.BOOLEAN,
        "integer": Kind.INTEGER,
        "decimal": Kind.DECIMAL,
        "float": Kind.FLOAT,
        "double": Kind.FLOAT,
        "QName": Kind.QNAME,
        "NOTATION": Kind.QNAME,
    },
)


def kind_of(simple: Any) -> Kind:
    """What a text of this type becomes; for a list, each of its items. A union has a kind only if all its members have the same."""
    if is_listed(simple):
        return kind_of(_root(simple, XsdList).item_type)
    union = _root(simple, XsdUnion)
    if union is not None:
        kinds = {Kind.TEXT if is_listed(member) else kind_of(member) for member in union.member_types}
        return kinds.pop() if len(kinds) == 1 else Kind.TEXT
    return next((_KINDS[name] for name in _names(simple) if name in _KINDS), Kind.TEXT)


def form_of(simple: Any) -> str:
    """The local name of the builtin type that a type comes from; for a list, that of its items; `anySimpleType` for a union."""
    if is_listed(simple):
        return form_of(_root(simple, XsdList).item_type)
    return next(iter(_names(simple)), "anySimpleType")


def is_listed(simple: Any) -> bool:
    """Whether blanks divide a text into items."""
    return _root(simple, XsdList) is not None


def facets_of(simple: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The facets of an atomic type, the nearest restriction first; values of one facet in one restriction are alternatives."""
    found: list[tuple[str, tuple[str, ...]]] = []
    step = simple
    while isinstance(step, XsdAtomicRestriction) and not str(step.name or "").startswith(_SPACE):
        own: dict[str, list[str]] = {}
        for node in step.elem.iter():
            if node.get("value") is not None:
                own.setdefault(str(node.tag).removeprefix(_SPACE), []).append(node.get("value", ""))
        found += [(name, tuple(values)) for name, values in own.items()]
        step = step.base_type
    return tuple(found)


def _root(simple: Any, kind: type) -> Any:
    """The list or union that a type restricts, if it does."""
    step, seen = simple, 0
    while step is not None and seen < 100:  # noqa: PLR2004  # deeper than any type that was ever derived
        if isinstance(step, kind):
            return step
        step, seen = step.base_type, seen + 1
    return None


def _names(simple: Any) -> list[str]:
    """Local names of the builtin types, from this one down to its root."""
    names, step = [], simple
    while step is not None and step.base_type is not step:
        if (step.name or "").startswith(_SPACE):
            names.append(step.local_name)
        step = step.base_type
    return names


__all__ = ["facets_of", "form_of", "is_listed", "kind_of"]
