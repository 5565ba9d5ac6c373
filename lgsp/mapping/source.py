"""What a mapping needs of the file that it was read from: its values, the line of every place, and its shape held against a JSON Schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lgsp.schema import compile_schema

if TYPE_CHECKING:
    from lgsp.errors import Finding
    from lgsp.schema import Check

_SCHEMAS = Path(__file__).parent.parent.parent / "contracts"


class Source(Protocol):
    """A file's values, and findings at its places (contract/source.py reads one)."""

    @property
    def value(self) -> Any: ...

    def finding(self, pointer: str, rule: str, reason: str, fix: str = "") -> Finding: ...


def shape(source: Source, schema: str) -> list[Finding]:
    """What breaks the JSON Schema contracts/NAME."""
    return [source.finding(each.pointer, "shape", each.detail) for each in _check(schema)(source.value)]


@cache
def _check(schema: str) -> Check:
    return compile_schema(json.loads((_SCHEMAS / schema).read_bytes()), file=schema)
