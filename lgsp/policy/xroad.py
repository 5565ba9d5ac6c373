"""What a fault of an X-Road security server means for us: a problem of ours, and whether the provider may have acted.

The table is contracts/xroad_faults.yaml. Codes come in two spellings (Server.ServerProxy.ServiceFailed, server.serverproxy.service_failed).
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from lgsp.errors import PROBLEMS_FILE, Fault, OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE_FILE = PROBLEMS_FILE.with_name("xroad_faults.yaml")
REST = "*"
NEVER_SEEN, PERHAPS = "no", "maybe"
LONGEST = 120


def fault_of(code: str) -> Fault | None:
    """The fault that a code of X-Road's means, or None where the code is not X-Road's (then it is the provider's own)."""
    words = _plain(code)
    origin = next((known for known in _table() if words == known or words.startswith(f"{known}.")), None)
    if origin is None:
        return None
    row = _row(_table()[origin], words.removeprefix(origin).strip("."))
    if row is None:
        return None
    slug, reached = row
    detail = f"X-Road: {code[:LONGEST] if code.isascii() and code.isprintable() else 'unreadable code'}"
    kind = Unreachable if reached == NEVER_SEEN else OutcomeUnknown if reached == PERHAPS else Fault
    return kind(slug, detail)


def _row(rows: Mapping[str, tuple[str, str]], path: str) -> tuple[str, str] | None:
    """By the longest beginning of the path; an origin alone is what a provider says in plain SOAP (`Client`)."""
    while path:
        if path in rows:
            return rows[path]
        path = path.rpartition(".")[0]
        if not path:
            return rows.get(REST)
    return None


def _plain(code: str) -> str:
    return code.strip().lower().replace("_", "")


@cache
def _table() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Origin to path to (slug, reached), plainly spelled; read once."""
    found = yaml.load(TABLE_FILE.read_bytes(), Loader=yaml.BaseLoader)  # noqa: S506  # texts only: `no` stays a word
    return MappingProxyType(
        {
            _plain(origin): MappingProxyType({_plain(path): (row["slug"], row["reached"]) for path, row in rows.items()})
            for origin, rows in found.items()
        }
    )
