"""Path and query of a provider's HTTP operation: its parameters stand in the native value by their names, the body beside them as `body`.

An operation without parameters has its body alone as native value. Values go out as OpenAPI's styles `simple` and `form` say,
percent-encoded (RFC 3986, section 2.1); what is absent or null leaves no trace.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lgsp.contract.openapi.parameters import Parameter

BODY = "body"


def native_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """The native value of an operation with parameters, where native and canonical are one form."""
    body = scope["value"]
    return {**scope["param"], **({} if body is None else {BODY: body})}


def locator(path: str, parameters: Sequence[Parameter]) -> Callable[[Any], str] | None:
    """What puts the parameters of a native value into path and query; None where there are none to put."""
    within = [each for each in parameters if each.where == "path"]
    behind = [each for each in parameters if each.where == "query"]
    if not within and not behind:
        return None

    def locate(native: Any) -> str:
        found = path
        for parameter in within:
            found = found.replace(f"{{{parameter.name}}}", quote(in_url(native.get(parameter.name)), safe=""))
        query = [pair for parameter in behind for pair in _pairs(parameter, native.get(parameter.name))]
        return f"{found}?{'&'.join(query)}" if query else found

    return locate


def _pairs(parameter: Parameter, value: Any) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) and parameter.explode else [value]
    return [f"{quote(parameter.name, safe='')}={quote(in_url(each), safe=',')}" for each in values]


def in_url(value: Any) -> str:
    """A value as it stands in path or query, not yet encoded."""
    return ",".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else "" if value is None else str(value)
