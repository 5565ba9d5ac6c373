"""From the schemas of OpenAPI 3.0 to JSON Schema 2020-12, one schema object at a time; what 3.1 spells alike stays.

Source: OpenAPI 3.0.4, "Schema Object" (nullable acts only beside `type`, exclusive bounds are booleans, nothing stands beside `$ref`).
"""

from __future__ import annotations

from typing import Any

_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def upgrade_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in 2020-12. Not recursive: the caller walks."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    result = {name: value for name, value in schema.items() if name not in {"nullable", "example"}}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        result["type"] = [schema["type"], "null"]
    for exclusive, inclusive in _BOUNDS:
        if isinstance(schema.get(exclusive), bool):
            del result[exclusive]
            if schema[exclusive] and inclusive in schema:
                result[exclusive] = result.pop(inclusive)
    if "example" in schema:
        result["examples"] = [schema["example"]]
    return result
