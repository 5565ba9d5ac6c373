"""Invents messages of a SOAP operation: values of the codec's form that its XSD finds valid, the same ones for the same seed.

The tables say most of what a schema asks, the XSD has the verdict: what it refuses is tried again otherwise, plainer each time. Optional
parts are there near the top and left out further down, so that recursive types end.
"""

from __future__ import annotations

import zlib
from random import Random
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, TEXT_KEY, TYPE_KEY
from lgsp.contract.wsdl.invent_text import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.codec.soap.side import Side
    from lgsp.codec.soap.speech import Speech
    from lgsp.codec.soap.tables import Field, Grammar, Shape
    from lgsp.errors import Violation

TRIES = 16
DEEP, DEEPEST = 3, 24
WILD = '<lgsp:any xmlns:lgsp="urn:lgsp:any"/>'


def invented(side: Side, speech: Speech, name: str, seed: int) -> tuple[Any, Sequence[Violation]]:
    """A value for one direction of an operation, and what in it the XSD refuses: nothing, unless every try failed."""
    body = side.message.body
    if body is None:
        return {}, ()
    value: Any = None
    violations: Sequence[Violation] = ()
    for place in range(TRIES):
        random = Random(zlib.crc32(name.encode()) + seed * 1_000_003 + place)
        try:
            value = ShapeInventor(speech.grammar, random, depth=max(0, DEEP - place // 4)).element(body)
        except LookupError:
            continue
        document, violations = side.write(value)
        if document and not violations:
            break
    return value, violations


def invented_fault(speech: Speech, field: Field, seed: int) -> Any:
    """A value of a declared fault; None where none that is valid was found."""
    for place in range(TRIES):
        random = Random(zlib.crc32(field.name.encode()) + seed * 1_000_003 + place)
        try:
            value = ShapeInventor(speech.grammar, random, depth=max(0, DEEP - place // 4)).element(field)
        except LookupError:
            continue
        if speech.fault_element(field.key, value):
            return value
    return None


class ShapeInventor:
    """Of values for one grammar; `depth`: down to where optional parts are there. LookupError where a type never ends."""

    def __init__(self, grammar: Grammar, random: Random, depth: int) -> None:
        self._shapes = grammar.shapes
        self._random = random
        self._full_to = depth

    def element(self, field: Field, level: int = 0) -> Any:
        """A value of an element."""
        if field.default is not None and field.fixed:
            return {TEXT_KEY: field.default} if not self._shapes[field.shape].is_bare else field.default
        if level > DEEPEST:
            raise LookupError(field.name)
        return self._shape(self._shapes[field.shape], level)

    def _shape(self, shape: Shape, level: int) -> Any:
        if shape.abstract or (shape.derived and not shape.fields and shape.text is None and not shape.loose):
            return self._stand_in(shape, level)
        if shape.is_bare:
            return text_of(shape, self._random)
        wanted = [item for item in shape.attributes if not item.fixed and (item.required or level < self._full_to)]
        found: dict[str, Any] = {item.key: text_of(item, self._random) for item in wanted}
        if shape.text is not None:
            return found | {TEXT_KEY: text_of(shape, self._random)}
        return found | (self._loose(shape, level) if shape.loose else self._fields(shape, level))

    def _stand_in(self, shape: Shape, level: int) -> Any:
        if not shape.derived:
            if shape.abstract:
                raise LookupError("an abstract type that nothing stands in for")
            return {}
        derived = self._random.choice(shape.derived)
        found = self._shape_of(derived.shape, level)
        return {TYPE_KEY: derived.key, **(found if isinstance(found, dict) else {TEXT_KEY: found})}

    def _shape_of(self, key: str, level: int) -> Any:
        if level > DEEPEST:
            raise LookupError(key)
        shape = self._shapes[key]
        if shape.abstract:
            raise LookupError(key)
        return self._shape(shape, level + 1)

    def _loose(self, shape: Shape, level: int) -> dict[str, Any]:
        wanted = [field for field in shape.fields if field.least > 0 or level < self._full_to]
        parts = [{field.key: self._item(field, level)} for field in wanted if field.key != ANY_KEY or field.required]
        return {CONTENT_KEY: parts} if parts else {}

    def _fields(self, shape: Shape, level: int) -> dict[str, Any]:
        others, chosen = self._chosen(shape, level)
        found: dict[str, Any] = {}
        for field in shape.fields:
            if field.key in others or not (field.required or field.key in chosen or level < self._full_to):
                continue
            if field.key == ANY_KEY and not field.required:
                continue
            found[field.key] = self._items(field, level)
        return found

    def _chosen(self, shape: Shape, level: int) -> tuple[set[str], set[str]]:
        """Of each choice one key, and the others that must not be there."""
        others: set[str] = set()
        chosen: set[str] = set()
        for keys, must in shape.choices:
            if must or level < self._full_to:
                one = self._random.choice(keys)
                chosen.add(one)
                others |= {key for key in keys if key != one}
            else:
                others |= set(keys)
        return others - chosen, chosen

    def _items(self, field: Field, level: int) -> Any:
        if field.key == ANY_KEY:
            return [WILD] * max(field.least, 1)
        if not field.many:
            return self._item(field, level)
        return [self._item(field, level) for _ in range(max(field.least, 1))]

    def _item(self, field: Field, level: int) -> Any:
        if field.key == ANY_KEY:
            return WILD
        if field.nillable and level >= self._full_to and not self._shapes[field.shape].is_bare:
            return None
        return self.element(field, level + 1)


__all__ = ["ShapeInventor", "invented", "invented_fault"]
