"""Code tables as people see them: published rows, and dated rows that are added without publishing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Code = str | int | bool


class RowState(StrEnum):
    """Where a row that somebody proposed stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """Our code and theirs, from one day to another (yyyy-MM-dd, both included, empty: open), both ways or only one (request, reply)."""

    id: str
    provider: str
    table: str
    ours: Code
    theirs: Code
    reason: str
    author: str
    at: float
    valid_from: str = ""
    valid_to: str = ""
    way: str = ""
    state: RowState = RowState.PROPOSED
    decided_by: str = ""
    decided_at: float | None = None

    @property
    def as_published(self) -> Mapping[str, Any]:
        """The same as a row of mapping.yaml."""
        limits = {name: value for name in ("valid_from", "valid_to", "way") if (value := getattr(self, name))}
        return {"ours": self.ours, "theirs": self.theirs, **limits}


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A table of an adapter's mapping: its published rows.

    extend: put these rows beside them, in the place of those that were added before; the day decides which of them hold in a table
    without dates. clash: why this row cannot stand beside the published ones and those; empty if it can.
    """

    name: str
    rows: tuple[Mapping[str, Any], ...]
    extend: Callable[[Sequence[Mapping[str, Any]], str], None]
    clash: Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], str]
