"""Which part of an OpenAPI document is what: one table of fields, and the walk that follows it.

Only this knows where schemas and references stand, so that an example which happens to hold `$ref` or `nullable` stays data.
Source: OpenAPI 3.0.4 and 3.1.1, section "Schema" of each object; JSON Schema 2020-12, core sections 10 and 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lgsp.schema import escape

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# field -> None (no parts inside), or how it holds parts of a kind: `kind` itself, `[kind]` a list, `{kind}` a map; `*` is every other field
_HEADER = {
    "description": None,
    "required": None,
    "deprecated": None,
    "style": None,
    "explode": None,
    "example": None,
    "schema": "schema",
    "examples": "{example}",
    "content": "{media}",
}
FIELDS: dict[str, dict[str, str | None]] = {
    "document": {
        "openapi": None,
        "info": "info",
        "jsonSchemaDialect": None,
        "servers": "[server]",
        "paths": "paths",
        "webhooks": "{path}",
        "components": "components",
        "security": None,
        "tags": "[tag]",
        "externalDocs": None,
    },
    "info": dict.fromkeys(("title", "summary", "description", "termsOfService", "contact", "license", "version")),
    "server": {"url": None, "description": None, "variables": "{variable}"},
    "variable": dict.fromkeys(("enum", "default", "description")),
    "tag": dict.fromkeys(("name", "description", "externalDocs")),
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "examples": "{example}",
        "requestBodies": "{body}",
        "headers": "{header}",
        "securitySchemes": "{security}",
        "links": "{link}",
        "callbacks": "{callback}",
        "pathItems": "{path}",
    },
    "paths": {"*": "path"},
    "path": {
        "$ref": None,
        "summary": None,
        "description": None,
        "servers": "[server]",
        "parameters": "[parameter]",
        **dict.fromkeys(METHODS, "operation"),
    },
    "operation": {
        **dict.fromkeys(("tags", "summary", "description", "externalDocs", "operationId", "deprecated", "security")),
        "parameters": "[parameter]",
        "requestBody": "body",
        "responses": "responses",
        "callbacks": "{callback}",
        "servers": "[server]",
    },
    "parameter": {"name": None, "in": None, "allowEmptyValue": None, "allowReserved": None, **_HEADER},
    "header": _HEADER,
    "body": {"description": None, "required": None, "content": "{media}"},
    "response": {"description": None, "headers": "{header}", "content": "{media}", "links": "{link}"},
    "media": {"schema": "schema", "example": None, "examples": "{example}", "encoding": "{encoding}"},
    "encoding": {**dict.fromkeys(("contentType", "style", "explode", "allowReserved")), "headers": "{header}"},
    "responses": {"*": "response"},
    "callback": {"*": "path"},
    "example": dict.fromkeys(("summary", "description", "value", "externalValue")),
    "link": {**dict.fromkeys(("operationRef", "operationId", "parameters", "requestBody", "description")), "server": "server"},
    "security": dict.fromkeys(("type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl")),
    "schema": {
        **dict.fromkeys(("$defs", "definitions", "properties", "patternProperties", "dependentSchemas"), "{schema}"),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[schema]"),
        **dict.fromkeys(("additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"), "schema"),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema"), "schema"),
    },
}
REQUIRED = {
    "document": ("openapi", "info"),
    "info": ("title", "version"),
    "parameter": ("name", "in"),
    "body": ("content",),
    "response": ("description",),
    "server": ("url",),
    "variable": ("default",),
    "tag": ("name",),
    "security": ("type",),
}
# what a list of fields cannot say: kind, field, when it is wrong, why
_RULES: tuple[tuple[str, str, Callable[[dict[str, Any]], bool], str], ...] = (
    (
        "document",
        "paths",
        lambda node: not {"paths", "components", "webhooks"} & node.keys(),
        "one of paths, components, webhooks must be there",
    ),
    ("parameter", "allowReserved", lambda node: "allowReserved" in node and node.get("in") != "query", "is for query parameters"),
    ("variable", "enum", lambda node: node.get("enum", True) == [], "must not be empty"),
    *(
        (kind, "example", lambda node: {"example", "examples"} <= node.keys(), "excludes examples")
        for kind in ("parameter", "header", "media")
    ),
)


def descend(node: dict[str, Any], kind: str, at: str, visit: Callable[[Any, str, str], Any]) -> dict[str, Any]:
    """A copy of `node` in which `visit(part, kind, pointer)` has replaced each part of a known kind; everything else is as it was."""
    fields = FIELDS[kind]
    result = dict(node)
    for name, value in node.items():
        holds = fields.get(name, None if name.startswith("x-") else fields.get("*"))
        if holds is not None:
            result[name] = _parts(value, holds, f"{at}/{escape(name)}", visit)
    return result


def _parts(value: Any, holds: str, at: str, visit: Callable[[Any, str, str], Any]) -> Any:
    kind = holds.strip("[]{}")
    if holds.startswith("[") and isinstance(value, list):
        return [visit(item, kind, f"{at}/{index}") for index, item in enumerate(value)]
    if holds.startswith("{") and isinstance(value, dict):
        return {name: visit(part, kind, f"{at}/{escape(name)}") for name, part in value.items()}
    return visit(value, kind, at) if holds == kind else value


def wrong_fields(node: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """(field, reason) for each field that objects of this kind do not have, or must have, or that holds the wrong sort of value."""
    fields = FIELDS[kind]
    faults = [(name, "is missing") for name in REQUIRED.get(kind, ()) if name not in node]
    faults += [(name, reason) for owner, name, is_wrong, reason in _RULES if owner == kind and is_wrong(node)]
    for name, value in node.items():
        if name.startswith("x-") or "*" in fields:
            continue
        holds = fields.get(name)
        if name not in fields:
            faults.append((name, f"is not a field of this object ({kind})"))
        elif holds and holds.startswith("[") and not isinstance(value, list):
            faults.append((name, "must be a list"))
        elif holds and holds.startswith("{") and not isinstance(value, dict):
            faults.append((name, "must be a map"))
    return faults
