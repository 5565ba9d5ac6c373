"""Path and query parameters of an OpenAPI operation: texts in, typed values and violations out.

Only what a URL says in one way is supported: simple values, and lists separated by commas. An unknown query parameter is a violation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lgsp.errors import Violation
from lgsp.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Reader = Callable[[Mapping[str, str]], tuple[Mapping[str, Any], Sequence[Violation]]]

_PLACES = ("path", "query", "header", "cookie")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,37})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,38})?([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `where` is path, query, header or cookie; `schema` is self-contained; `explode`: a list is sent as several of it."""

    name: str
    where: str
    required: bool
    schema: Mapping[str, Any]
    explode: bool = False


def read_declared(
    items: Sequence[Mapping[str, Any]], path: str, contained: Callable[[Any], Mapping[str, Any]]
) -> tuple[tuple[Parameter, ...], list[str]]:
    """The parameters that an operation declares, and what is wrong with them."""
    parameters = tuple(
        Parameter(
            str(item.get("name")),
            str(item.get("in")),
            bool(item.get("required")),
            contained(item.get("schema", True)),
            bool(item.get("explode", item.get("in") == "query")),
        )
        for item in items
    )
    in_url = [parameter for parameter in parameters if parameter.where in {"path", "query"}]
    faults = [fault for item in items for fault in _faults(item)]
    names = [parameter.name for parameter in in_url]
    faults += [f"'{name}' is declared twice in path and query" for name in sorted({name for name in names if names.count(name) > 1})]
    declared = {parameter.name for parameter in in_url if parameter.where == "path"}
    wanted = set(_TEMPLATE.findall(path))
    faults += [f"'{name}' stands in the path and is not declared" for name in sorted(wanted - declared)]
    faults += [f"'{name}' is declared and does not stand in the path" for name in sorted(declared - wanted)]
    nested = [each.name for each in in_url if "object" in _types(each.schema) or {"object", "array"} & _types(_items(each.schema))]
    faults += [f"'{name}' is an object or a list of lists, which a URL cannot say in one way" for name in nested]
    return parameters, faults


def _faults(item: Mapping[str, Any]) -> list[str]:
    name, where = item.get("name"), str(item.get("in"))
    faults = []
    if where not in _PLACES:
        faults.append(f"'{name}' must stand in one of: {', '.join(_PLACES)}")
    if where == "path" and item.get("required") is not True:
        faults.append(f"'{name}' stands in the path and must be required")
    if where in {"path", "query"} and "content" in item:
        faults.append(f"'{name}' has a media type; only `schema` is supported in a URL")
    if item.get("style", "simple") not in ("form", "simple"):  # a tuple: whatever stands there may be compared
        faults.append(f"'{name}' has a style that is not supported")
    return faults


def compile_parameters(parameters: Sequence[Parameter]) -> Reader:
    """One function for the path and query parameters of an operation; raises ContractError if a schema cannot be compiled."""
    in_url = {parameter.name: parameter for parameter in parameters if parameter.where in {"path", "query"}}
    check = compile_schema(_as_object(in_url))
    read = {name: _reader(parameter.schema) for name, parameter in in_url.items()}
    defaults = {name: _resolved(p.schema)["default"] for name, p in in_url.items() if "default" in _resolved(p.schema)}

    def read_parameters(raw: Mapping[str, str]) -> tuple[Mapping[str, Any], Sequence[Violation]]:
        values = {**defaults, **{name: read[name](text) if name in read else text for name, text in raw.items()}}
        return values, [_placed(violation, in_url) for violation in check(values)]

    return read_parameters


def _as_object(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    for parameter in parameters.values():
        definitions |= parameter.schema.get("$defs", {})
    return {
        "type": "object",
        "properties": {name: {k: v for k, v in p.schema.items() if k != "$defs"} for name, p in parameters.items()},
        "required": [name for name, parameter in parameters.items() if parameter.required],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _placed(violation: Violation, parameters: Mapping[str, Parameter]) -> Violation:
    """The pointer begins with where the parameter stands: `/query/page`."""
    name = violation.pointer[1:].partition("/")[0]
    where = parameters[name].where if name in parameters else ""
    return Violation(f"/{where}{violation.pointer}", violation.detail, violation.code) if where else violation


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference, with the definitions at hand."""
    definitions = schema.get("$defs", {})
    for _ in range(len(definitions) + 1):  # follow names, and never in circles
        if "$ref" not in schema:
            break
        target = definitions.get(schema["$ref"].removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~"))
        schema = {**target, "$defs": definitions} if isinstance(target, dict) else {}
    return schema


def _types(schema: Mapping[str, Any]) -> set[str]:
    declared = _resolved(schema).get("type")
    return {each for each in (declared if isinstance(declared, list) else [declared]) if isinstance(each, str)}


def _items(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    resolved = _resolved(schema)
    items = resolved.get("items")
    return {**items, "$defs": resolved.get("$defs", {})} if isinstance(items, dict) else {}


def _reader(schema: Mapping[str, Any]) -> Callable[[str], Any]:
    """From text to the declared type; a text that does not fit stays a text, and the schema says so."""
    types = _types(schema)
    if "string" in types or not types:
        return str
    if "array" in types:
        inner = _types(_items(schema))
        return lambda text: [_scalar(item, inner) for item in text.split(",")] if text else []
    return lambda text: _scalar(text, types)


def _scalar(text: str, types: set[str]) -> Any:
    if "string" in types:
        return text
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return Decimal(text)
    return text
