"""What the codec can vouch for: facets of a simple type as limits, a content model as choices; None where only the XML schema can tell."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdAnyElement, XsdAtomic, XsdAtomicRestriction, XsdGroup

from lgsp.codec.soap.judge import FORMS, RANGES, STRINGS
from lgsp.codec.soap.tables import Limits
from lgsp.contract.wsdl.files import XSD
from lgsp.contract.xsd.content import stand_ins
from lgsp.contract.xsd.regex import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Facets = Sequence[tuple[str, str]]  # of one restriction: local name and value, in order

_SPACE = f"{{{XSD}}}"
_NUMBERS = frozenset({*RANGES, "decimal"})
_BARE = frozenset({"boolean", "float", "double"})
_ALLOWED = {
    **dict.fromkeys(FORMS, frozenset({"pattern", "whiteSpace"})),
    **dict.fromkeys(STRINGS, frozenset({"pattern", "whiteSpace", "enumeration", "length", "minLength", "maxLength"})),
    **dict.fromkeys(
        _NUMBERS,
        frozenset(
            {
                "pattern",
                "whiteSpace",
                "totalDigits",
                "fractionDigits",
                "minInclusive",
                "maxInclusive",
                "minExclusive",
                "maxExclusive",
            },
        ),
    ),
    **dict.fromkeys(_BARE, frozenset({"whiteSpace"})),
}


def limits_of(simple: Any) -> Limits | None:
    """The limits of an atomic type, its restrictions and theirs taken together."""
    steps = []
    step = simple
    while isinstance(step, XsdAtomic) and not str(step.name or "").startswith(_SPACE):
        if not isinstance(step, XsdAtomicRestriction) or step.elem.tag != f"{_SPACE}restriction":
            return None
        steps.append(list(_facets(step.elem)))
        step = step.base_type
    form = step.local_name if isinstance(step, XsdAtomic) else ""
    if form not in _ALLOWED or any(name not in _ALLOWED[form] for facets in steps for name, _ in facets):
        return None
    try:
        return _limits(form, steps)
    except (ValueError, InvalidOperation):
        return None


def _facets(restriction: Any) -> Iterator[tuple[str, str]]:
    for node in restriction:
        name = str(node.tag).removeprefix(_SPACE)
        if name not in {"annotation", "simpleType", "attribute", "attributeGroup", "anyAttribute"}:
            yield name, node.get("value", "")


def _limits(form: str, steps: Sequence[Facets]) -> Limits | None:
    patterns = [translate("|".join(_values(facets, "pattern"))) for facets in steps if _values(facets, "pattern")]
    if None in patterns:
        return None
    tight = form != "string" or any(value != "preserve" for value in _all(steps, "whiteSpace"))
    longest = [int(value) for value in (*_all(steps, "maxLength"), *_all(steps, "length"))]
    digits = [int(value) for value in _all(steps, "totalDigits")]
    places = [int(value) for value in _all(steps, "fractionDigits")]
    return Limits(
        form=form,
        tight=tight,
        shortest=max([int(value) for value in (*_all(steps, "minLength"), *_all(steps, "length"))], default=0),
        longest=min(longest, default=None),
        patterns=tuple(pattern for pattern in patterns if pattern is not None),
        values=_enumeration(steps, tight=tight),
        bounds=tuple((name, Decimal(value)) for facets in steps for name, value in facets if name[3:] in {"Inclusive", "Exclusive"}),
        digits=min(digits, default=None),
        places=min(places, default=None),
    )


def _values(facets: Facets, name: str) -> list[str]:
    return [value for facet, value in facets if facet == name]


def _all(steps: Sequence[Facets], name: str) -> list[str]:
    return [value for facets in steps for value in _values(facets, name)]


def _enumeration(steps: Sequence[Facets], *, tight: bool) -> frozenset[str] | None:
    """What every restriction with an enumeration lists."""
    lists = [frozenset(values) for facets in steps if (values := _values(facets, "enumeration"))]
    if not lists:
        return None
    common = frozenset.intersection(*lists)
    return frozenset(" ".join(value.split()) for value in common) if tight else common


# ---- content models ------------------------------------------------------------------------------------------------------------------


def choices_of(content: Any) -> list[tuple[list[str], bool]] | None:
    """The choices among a content model's elements: names, of which one stands there, and whether one must.

    None unless every element that keeps its own occurrence and these choices is valid in its place, whatever the others do.
    """
    if not isinstance(content, XsdGroup):
        return []
    choices: list[tuple[list[str], bool]] = []
    return choices if _is_plain(content, choices) else None


def _is_plain(group: XsdGroup, choices: list[tuple[list[str], bool]]) -> bool:
    if any(not isinstance(item, XsdGroup | XsdAnyElement) and list(stand_ins(item)) != [item] for item in group):
        return False
    if group.max_occurs != 1 or group.min_occurs > 1:
        return group.max_occurs == 0
    if group.model == "choice" and len(group) != 1:
        names = [particle.name for particle in group if not isinstance(particle, XsdGroup | XsdAnyElement)]
        choices.append((names, group.min_occurs > 0))
        return 0 < len(names) == len(group) and all(particle.max_occurs != 0 for particle in group)
    if group.min_occurs == 0:
        return not len(group) or (len(group) == 1 and not isinstance(group[0], XsdGroup))
    return all(_is_plain(item, choices) for item in group if isinstance(item, XsdGroup))


def lead_of(content: Any) -> int:
    """How many elements, from the first on, stand there once each in every valid content."""
    return sum(1 for _ in takewhile(bool, _lead(content))) if isinstance(content, XsdGroup) else 0


def _lead(group: XsdGroup) -> Iterator[bool]:
    """True for each element that surely has its place; False once the places of all that follow are open."""
    if group.occurs != (1, 1) or (group.model != "sequence" and len(group) != 1):
        yield False
        return
    for particle in group:
        if isinstance(particle, XsdGroup):
            yield from _lead(particle)
        else:
            yield particle.occurs == (1, 1) and not isinstance(particle, XsdAnyElement) and list(stand_ins(particle)) == [particle]
