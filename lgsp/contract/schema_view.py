"""A JSON Schema as a reader sees it: references followed, `allOf` joined into one, something-or-null read as a type that may be null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, Any]

TYPES = frozenset({"null", "boolean", "object", "array", "string", "number", "integer"})
UPPER = ("maximum", "maxLength", "maxItems", "maxProperties", "maxContains")
LOWER = ("minimum", "minLength", "minItems", "minProperties", "minContains")
MAX_DEPTH = 64


def read(schema: Any, components: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """The schema behind references, `allOf` joined in, and `anyOf` of something and null read as that something or null."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return {"enum": []} if schema is False else {}
    whole = {name: value for name, value in schema.items() if name not in {"$ref", "allOf", "$defs"}}
    parts = [components.get(reference(schema), True)] if "$ref" in schema else []
    for part in (*parts, *schema.get("allOf", ())):
        whole = _joined(read(part, components, depth + 1), whole)
    return _or_null(whole, components, depth)


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What keeps both; where both say something else about a field, it must keep both too."""
    result = {**one, **other}
    fields = dict(one.get("properties", {}))
    for name, part in other.get("properties", {}).items():
        fields[name] = part if fields.get(name, part) == part else {"allOf": [fields[name], part]}
    if fields:
        result["properties"] = fields
    if required := [*one.get("required", ()), *other.get("required", ())]:
        result["required"] = list(dict.fromkeys(required))
    if "type" in one and "type" in other:
        result["type"] = sorted(types_of(one) & types_of(other))
    if "enum" in one and "enum" in other:
        result["enum"] = [value for value in one["enum"] if value in other["enum"]]
    for keyword in (*UPPER, *LOWER):
        if keyword in one and keyword in other:
            result[keyword] = (min if keyword in UPPER else max)(one[keyword], other[keyword])
    return result


def _or_null(schema: dict[str, Any], components: Mapping[str, Any], depth: int) -> dict[str, Any]:
    for keyword in ("anyOf", "oneOf"):
        options = [option for option in schema.get(keyword, ()) if not (isinstance(option, dict) and option.get("type") == "null")]
        if len(options) == 1 and len(schema[keyword]) == len(options) + 1:
            rest = {name: value for name, value in schema.items() if name != keyword}
            whole = _joined(read(options[0], components, depth + 1), rest)
            return {**whole, "type": sorted(types_of(whole) | {"null"})}
    return schema


def types_of(schema: Schema) -> frozenset[str]:
    """The types that a value may have; whole numbers are numbers."""
    declared = schema.get("type")
    if declared is None:
        return TYPES
    found = frozenset(declared if isinstance(declared, list) else [declared])
    return found | {"integer"} if "number" in found else found


def reference(schema: Any) -> str:
    """The name of the component that a schema refers to; empty where it refers to none."""
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    return str(reference).rpartition("/")[2].replace("~1", "/").replace("~0", "~")
