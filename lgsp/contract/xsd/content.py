"""Content models flattened: which elements a complex type holds, in order, and whether their keys alone can tell that order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from xmlschema.validators import XsdAnyElement, XsdGroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Item = tuple[Any, bool, bool]  # an element (None: a wildcard), whether it must be there, whether it may come again


def flat(content: XsdGroup) -> tuple[list[Item], bool]:
    """The elements of a content model in the contract's order, and whether a document may have them in orders that keys cannot tell.

    That is so where a group of several elements repeats, one name or several wildcards stand in several places.
    """
    repeats: list[bool] = []
    found = list(_particle(content, repeats, must=True, again=False))
    names = Counter(element.name if element is not None else "" for element, _, _ in found)
    return found, any(repeats) or any(count > 1 for count in names.values())


def _particle(particle: Any, repeats: list[bool], *, must: bool, again: bool) -> Iterator[Item]:
    if particle.max_occurs == 0:
        return
    must = must and particle.min_occurs > 0
    again = again or particle.max_occurs is None or particle.max_occurs > 1
    if isinstance(particle, XsdGroup):
        yield from _group(particle, repeats, must=must, again=again)
    elif isinstance(particle, XsdAnyElement):
        yield None, must, True
    else:
        members = stand_ins(particle)
        repeats.append(again and len(members) > 1)
        for member in members:
            yield member, must and len(members) == 1, again


def _group(group: XsdGroup, repeats: list[bool], *, must: bool, again: bool) -> Iterator[Item]:
    is_certain = must and (group.model != "choice" or len(group) == 1)
    inside = [item for particle in group for item in _particle(particle, repeats, must=is_certain, again=again)]
    repeats.append(again and len(inside) > 1)
    yield from inside


def stand_ins(element: Any) -> Sequence[Any]:
    """The elements that may stand in the place of one: itself unless it is abstract, and the members of its substitution group."""
    declared = element.ref or element
    others = list(element.iter_substitutes()) if element.ref is not None or element.parent is None else []
    return [*([] if declared.abstract else [element]), *others]


__all__ = ["flat", "stand_ins"]
