"""The fault matrix: every row by its number, gathered from the files by mechanism. Numbers are those of the project's matrix.

Not here: F12, F13, F24, F25 (servers of several machines), F20 (tests/ports: a damaged file is refused at start), F29 (no Redis is used),
F46 to F48 (releases, backups and a soak of their own).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lgsp.prove.rows import broker, change, clock, crash, database, disk, load, poison, provider, repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lgsp.prove.rows.row import Row

MECHANISMS = (crash, database, disk, broker, provider, poison, repetition, load, clock, change)


def _place(name: str) -> tuple[int, str]:
    """By number; rows without one come last."""
    digits = "".join(filter(str.isdigit, name))
    return (int(digits) if digits and name.startswith("F") else 1000, name)


_ALL = {name: row for mechanism in MECHANISMS for name, row in mechanism.ROWS.items()}
ROWS: Mapping[str, Row] = MappingProxyType({name: _ALL[name] for name in sorted(_ALL, key=_place)})
