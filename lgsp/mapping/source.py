"""What a mapping needs of the file that it was read from: its values, the line of every place, and its shape held against a JSON Schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lgsp.schema import compile_schema, escape

if TYPE_CHECKING:
    from lgsp.errors import Finding, Violation
    from lgsp.schema import Check

_SCHEMAS = Path(__file__).parent.parent.parent / "contracts"


class Source(Protocol):
    """A file's values, and findings at its places (contract/source.py reads one)."""

    @property
    def value(self) -> Any: ...

    def finding(self, pointer: str, rule: str, reason: str, fix: str = "") -> Finding: ...


def shape(source: Source, schema: str) -> list[Finding]:
    """What breaks the JSON Schema contracts/NAME."""
    return [source.finding(_place(source, each), "shape", each.detail) for each in _check(schema)(source.value)]


def _place(source: Source, violation: Violation) -> str:
    """A member that should not be there is told at its own line, not at that of the object around it."""
    if violation.code != "additionalProperties":
        return violation.pointer
    holder = source.value
    for token in violation.pointer.split("/")[1:]:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token.replace("~1", "/").replace("~0", "~")]
    named = next((key for key in holder if f"'{key}'" in violation.detail), None)
    return violation.pointer if named is None else f"{violation.pointer}/{escape(named)}"


@cache
def _check(schema: str) -> Check:
    return compile_schema(json.loads((_SCHEMAS / schema).read_bytes()), file=schema)
