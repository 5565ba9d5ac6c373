"""Names for operations that a contract left without `operationId`: made from method and path, so that they stay as long as these do.

`GET /dossiers/{code}/files` is `getDossiersByCodeFiles`. Rights, metrics and mappings use the names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lgsp.contract.openapi.anatomy import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = re.compile(r"[A-Za-z0-9]+")


def with_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every operation named; names that the contract gives stay, one that is taken is numbered."""
    items: dict[str, Any] = document.get("paths", {})
    taken = {str(each.get("operationId")) for item in items.values() for each in _operations(item).values()}
    paths = {}
    for path, item in items.items():
        named = {}
        for method, operation in _operations(item).items():
            if "operationId" not in operation:
                named[method] = {**operation, "operationId": _free(made_up(method, path), taken)}
        paths[path] = {**item, **named} if named else item
    return {**document, **({"paths": paths} if "paths" in document else {})}


def made_up(method: str, path: str) -> str:
    """The name of the operation at this method and path."""
    parts = [f"By{_camel(part)}" if part.startswith("{") else _camel(part) for part in path.split("/") if part]
    return method + ("".join(parts) or "Root")


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in _WORDS.findall(text))


def _operations(item: Any) -> dict[str, dict[str, Any]]:
    return {method: item[method] for method in METHODS if isinstance(item, dict) and isinstance(item.get(method), dict)}


def _free(wish: str, taken: set[str]) -> str:
    name, count = wish, 1
    while name in taken:
        count += 1
        name = f"{wish}{count}"
    taken.add(name)
    return name
