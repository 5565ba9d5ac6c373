"""Drafts an OpenAPI contract from sample requests and answers, where a provider hands out a PDF and bodies instead of a contract.

A pair is OPERATION.request.json and OPERATION.reply.json; more samples are OPERATION.2.request.json and so on. What all have is required,
what differs is joined, a text is a date where every sample is one, and a code list where enough say so. Nothing else of the values is
kept: a sample may show a person.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from lgsp.codec import json
from lgsp.contract.words import known
from lgsp.errors import ContractError, Finding, JsonError
from lgsp.schema import DIALECT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SIDES = ("request", "reply")
LEAST_FOR_CODES, MOST_CODES, LONGEST_CODE = 6, 8, 40
"""So many samples make a code list, if each code comes twice; so many codes it has at most; no code is longer."""
_FILE = re.compile(r"(?P<operation>[A-Za-z][A-Za-z0-9_-]*?)(\.[A-Za-z0-9_-]+)?\.(?P<side>request|reply)\.json")
_DATE, _MOMENT = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")


def contract_of_samples(folder: Path) -> dict[str, Any]:
    """The draft. Raises ContractError with every file that cannot be used."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {side: [] for side in SIDES})
    findings: list[Finding] = []
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        named = _FILE.fullmatch(path.name)
        if named is None:
            fix = "name it OPERATION.request.json or OPERATION.reply.json; more samples OPERATION.2.request.json"
            findings.append(Finding(path.name, 0, "", "sample", "is no sample of a request or a reply", fix))
            continue
        try:
            found[named["operation"]][named["side"]].append(json.decode(path.read_bytes()))
        except JsonError as error:
            findings.append(Finding(path.name, 0, error.pointer, "json", error.reason))
    findings += [
        Finding(f"{operation}.{side}.json", 0, "", "sample", f"{operation} has no sample of a {side}", "add one")
        for operation, sides in found.items()
        for side in SIDES
        if not sides[side]
    ]
    if not found and not findings:
        findings.append(Finding(folder.name, 0, "", "sample", "has no samples", "add OPERATION.request.json and OPERATION.reply.json"))
    if findings:
        raise ContractError(findings)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": folder.resolve().name, "version": "1.0.0"},
        "paths": {f"/{operation}": {"post": _operation(operation, sides)} for operation, sides in found.items()},
    }


def _operation(name: str, sides: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    bodies = {side: {"application/json": {"schema": joined(sides[side])}} for side in SIDES}
    return {
        "operationId": name,
        "requestBody": {"required": True, "content": bodies["request"]},
        "responses": {"200": {"description": "Theo mẫu / By sample", "content": bodies["reply"]}},
    }


def joined(values: Sequence[Any], name: str = "") -> dict[str, Any]:
    """The schema that all the values keep; `name` is that of the field that holds them."""
    kinds = {kind: [value for value in values if _kind(value) == kind] for kind in dict.fromkeys(map(_kind, values))}
    if "integer" in kinds and "number" in kinds:
        kinds["number"] += kinds.pop("integer")
    makers: Mapping[str, Callable[[Sequence[Any], str], dict[str, Any]]] = {"object": _object, "array": _array, "string": _text}
    schema: dict[str, Any] = {"type": [*kinds] if len(kinds) > 1 else next(iter(kinds), "null")}
    for kind, found in kinds.items():
        schema |= makers[kind](found, name) if kind in makers else {}
    return schema if values else {}


def _object(values: Sequence[Mapping[str, Any]], _name: str) -> dict[str, Any]:
    names = list(dict.fromkeys(name for value in values for name in value))
    required = [name for name in names if all(name in value for value in values)]
    properties = {name: joined([value[name] for value in values if name in value], name) for name in names}
    return {**({"required": required} if required else {}), "properties": properties}


def _array(values: Sequence[Sequence[Any]], name: str) -> dict[str, Any]:
    items = [item for value in values for item in value]
    return {"items": joined(items, name)} if items else {}


def _text(values: Sequence[str], name: str) -> dict[str, Any]:
    for form, pattern, read in (("date", _DATE, date.fromisoformat), ("date-time", _MOMENT, datetime.fromisoformat)):
        if all(pattern.fullmatch(value) and _reads(read, value) for value in values):
            return {"format": form}
    counts = Counter(values)
    are_codes = len(values) >= LEAST_FOR_CODES and len(counts) <= MOST_CODES and min(counts.values()) > 1
    return {"enum": sorted(counts)} if are_codes and max(map(len, counts)) <= LONGEST_CODE and known(name) is None else {}


def _reads(read: Callable[[str], Any], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "integer" if isinstance(value, int) else "number"
