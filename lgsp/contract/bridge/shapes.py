"""The shapes of SOAP messages as JSON Schema 2020-12, exactly as the codec reads and writes them (lgsp/codec/README.md).

A list that may be left out has at least one item, because XML tells no empty list from none. Members that no contract names are refused.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lgsp.codec.soap.tables import ANY_KEY, CONTENT_KEY, HEADER_KEY, NIL_KEY, TEXT_KEY, TYPE_KEY, Kind
from lgsp.contract.bridge.leaf import leaf_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lgsp.codec.soap.tables import Field, Grammar, Message, Shape

    Schema = dict[str, Any]

MOST_DERIVED = 40
"""Where more types than these may stand in (xs:anyType), any value is let through, and the XSD judges it."""


class Shapes:
    """Names every complex shape once, so that types which contain themselves stay finite; `reference` is where schemas stand."""

    def __init__(self, grammar: Grammar, reference: str) -> None:
        self._shapes = grammar.shapes
        self._reference = reference
        self._names: dict[str, str] = {}

    def message(self, message: Message | None) -> Schema:
        """The schema of what one direction carries; an empty object where the body is empty."""
        if message is None or message.body is None:
            body: Schema = _object({}, [])
        elif message.headers:
            body = self._object(self._shapes[message.body.shape])
        else:
            return self.element(message.body)
        if message is not None and message.headers:
            headers = _object({field.key: self.element(field) for field in message.headers}, [])
            body = {**body, "properties": {**body["properties"], HEADER_KEY: headers}}
        return body

    def named(self) -> Mapping[str, Schema]:
        """Every named schema that was referred to."""
        found: dict[str, Schema] = {}
        while len(found) < len(self._names):
            for key, name in [*self._names.items()]:
                if name not in found:
                    found[name] = self._whole(self._shapes[key])
        return found

    def element(self, field: Field) -> Schema:
        """One element."""
        shape = self._shapes[field.shape]
        is_plain = shape.is_bare and not shape.derived
        found = _leaf(shape) if is_plain else {"$ref": self._reference + self._name(field.shape)}
        if field.fixed and found.get("type") == "string":
            found = {"type": "string", "enum": [field.default]}
        if not field.nillable:
            return found
        if isinstance(found.get("type"), str) and "enum" not in found:
            return {**found, "type": [found["type"], "null"]}
        return {"anyOf": [found, {"type": "null"}, *self._nil_with_attributes(shape)]}

    def _nil_with_attributes(self, shape: Shape) -> Iterable[Schema]:
        if shape.attributes or shape.any_attributes or shape.derived:
            known = self._attributes(shape)
            types = {TYPE_KEY: {"enum": [each.key for each in shape.derived]}} if shape.derived else {}
            yield {**_object({NIL_KEY: {"const": True}, **types, **known}, [NIL_KEY]), **_more(shape)}

    def _name(self, key: str) -> str:
        if key not in self._names:
            wish = re.sub(r"[^A-Za-z0-9._-]", "_", key.rpartition("#")[0]) or "Type"
            name, count = wish, 1
            while name in self._names.values():
                count += 1
                name = f"{wish}_{count}"
            self._names[key] = name
        return self._names[key]

    def _whole(self, shape: Shape) -> Schema:
        """A type with the types that may stand in for it."""
        if len(shape.derived) > MOST_DERIVED:
            return {"description": "xs:anyType"}
        own = [] if shape.abstract else [_leaf(shape) if shape.is_bare else self._object(shape)]
        others = [self._stand_in(each.key, self._shapes[each.shape]) for each in shape.derived]
        return own[0] if own and not others else {"anyOf": [*own, *others]}

    def _stand_in(self, key: str, shape: Shape) -> Schema:
        bare = replace(shape, derived=(), abstract=False)
        body = _object({TEXT_KEY: _leaf(bare)}, [TEXT_KEY]) if bare.is_bare else self._object(bare)
        members = {TYPE_KEY: {"const": key}, **body["properties"]}
        return {**body, "properties": members, "required": [TYPE_KEY, *body.get("required", ())]}

    def _object(self, shape: Shape) -> Schema:
        members = {CONTENT_KEY: self._content(shape)} if shape.loose else {field.key: self._member(field) for field in shape.fields}
        required = [] if shape.loose else [field.key for field in shape.fields if field.required and not field.fixed]
        members |= self._attributes(shape)
        required += [each.key for each in shape.attributes if each.required and not each.fixed]
        if shape.text is not None:
            members[TEXT_KEY] = _leaf(shape)
            required.append(TEXT_KEY)
        rules = [_choice(keys, must=must) for keys, must in shape.choices]
        return {**_object(members, required), **_more(shape), **({"allOf": rules} if rules else {})}

    def _attributes(self, shape: Shape) -> dict[str, Schema]:
        found = {each.key: leaf_schema(each.kind, each.form, each.facets, listed=each.listed) for each in shape.attributes}
        fixed = {each.key: each.default for each in shape.attributes if each.fixed and found[each.key].get("type") == "string"}
        return found | {key: {"type": "string", "enum": [value]} for key, value in fixed.items()}

    def _member(self, field: Field) -> Schema:
        if field.key == ANY_KEY:
            return {"type": "array", "minItems": 1, "items": {"type": "string"}}
        if not field.many:
            return self.element(field)
        most = {} if field.most is None or field.most == 1 else {"maxItems": field.most}
        return {"type": "array", "minItems": field.least, **most, "items": self.element(field)}

    def _content(self, shape: Shape) -> Schema:
        """Elements one by one, each an object of one member; texts between them where they are mixed."""
        kinds = [
            _object({field.key: {"type": "string"} if field.key == ANY_KEY else self.element(field)}, [field.key]) for field in shape.fields
        ]
        return {"type": "array", "items": {"anyOf": [*kinds, *([{"type": "string"}] if shape.mixed else [])]}}


def _leaf(shape: Shape) -> Schema:
    return leaf_schema(shape.text or Kind.TEXT, shape.form, shape.facets, listed=shape.listed)


def _object(members: Mapping[str, Schema], required: list[str]) -> Schema:
    found: Schema = {"type": "object", "properties": dict(members), "additionalProperties": False}
    return {**found, **({"required": required} if required else {})}


def _more(shape: Shape) -> Schema:
    """Attributes beyond those that are declared."""
    return {"patternProperties": {"^@": {"type": "string"}}} if shape.any_attributes else {}


def _choice(keys: tuple[str, ...], *, must: bool) -> Schema:
    """One of these members, or none where that is allowed."""
    one = [{"required": [key]} for key in keys]
    return {"oneOf": one} if must else {"oneOf": [*one, {"not": {"anyOf": one}}]}
