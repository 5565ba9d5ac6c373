"""Dated code tables: our code and theirs, row by row, each row valid for a time; which row holds is decided by the day of the event.

Rows are {ours, theirs, valid_from?, valid_to?} with days as yyyy-MM-dd, both ends included. One code of ours may stand beside several of
theirs at different times, and several of theirs may become one of ours; a row with `way: request` or `way: reply` serves one direction.

Rows may be added to a compiled table while it is used: they are looked at only where the published ones have nothing, and are swapped as a
whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EARLIEST, LATEST = "0000-00-00", "9999-99-99"
WAYS = ("request", "reply")
UNKNOWN = "code-unknown"
"""The rule that a code without a row breaks."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as one direction sees it: `code` becomes `value` from the day `first` to the day `last`; `at` is its place in the file."""

    code: str
    value: Any
    first: str
    last: str
    at: int


@dataclass(slots=True)
class Added:
    """Rows beside the published ones, and what of them holds today."""

    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    today: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A table in one direction: the rows of each code."""

    name: str
    rows: Mapping[str, tuple[Row, ...]]
    added: Added = field(default_factory=Added, compare=False)

    @property
    def is_dated(self) -> bool:
        """Whether any row holds for a part of time only."""
        return any(row.first != EARLIEST or row.last != LATEST for rows in self.rows.values() for row in rows)

    def values(self) -> list[Any]:
        """Every value that the table can give."""
        return [row.value for rows in self.rows.values() for row in rows]


def read_table(name: str, rows: Sequence[Mapping[str, Any]], way: str) -> Table:
    """The table in the direction `way`: request goes from ours to theirs, reply back."""
    source, target = ("ours", "theirs") if way == "request" else ("theirs", "ours")
    found: dict[str, tuple[Row, ...]] = {}
    for at, row in enumerate(rows):
        if row.get("way", way) == way:
            code = _code(row[source])
            entry = Row(code, row[target], row.get("valid_from", EARLIEST), row.get("valid_to", LATEST), at)
            found[code] = (*found.get(code, ()), entry)
    return Table(name, found)


def clashes(table: Table) -> list[tuple[Row, Row]]:
    """Pairs of rows that claim the same code on the same day."""
    return [
        (one, other)
        for rows in table.rows.values()
        for place, one in enumerate(rows)
        for other in rows[place + 1 :]
        if one.first <= other.last and other.first <= one.last
    ]


def extend(both: Mapping[str, Table], rows: Sequence[Mapping[str, Any]], today: str) -> None:
    """Put rows beside the published ones of a table in both directions (by way), in the place of those that were added before."""
    for way, table in both.items():
        found = read_table(table.name, rows, way).rows
        table.added.rows = found
        table.added.today = {code: row.value for code, each in found.items() for row in each if row.first <= today <= row.last}


def clash_of(name: str, published: Sequence[Mapping[str, Any]], row: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """Why a row cannot stand beside the published rows and these others; empty if it can."""
    for side in ("ours", "theirs"):
        kinds = {type(each[side]) for each in published}
        if type(row[side]) not in kinds:
            return f"{side} must be {' or '.join(sorted(kind.__name__ for kind in kinds))}, as in the published rows"
    if row.get("valid_from", EARLIEST) > row.get("valid_to", LATEST):
        return "ends before it begins"
    for way in WAYS:
        for one, other in clashes(read_table(name, [*published, *others, row], way)):
            if other.at == len(published) + len(others):
                return f"the code {other.code!r} has a row already that holds on the same days ({way}): row {one.at + 1}"
    return ""


def lookup(table: Table, otherwise: Any, *, strict: bool) -> Callable[[Any, str], Any]:
    """A function of (code, day) that gives the value; an unknown code gives `otherwise`, or is an error if the table is strict."""
    rows, added = table.rows, table.added

    def find(code: Any, day: str) -> Any:
        for row in rows.get(_code(code), ()):
            if row.first <= day <= row.last:
                return row.value
        for row in added.rows.get(_code(code), ()):
            if row.first <= day <= row.last:
                return row.value
        if strict:
            raise MappingError([Violation("", f"has no row in the code table {table.name!r} on {day}", UNKNOWN)])
        return otherwise

    return find


def direct(table: Table, otherwise: Any, *, strict: bool) -> Callable[[Any], Any]:
    """The same for a table without dates: only the code counts."""
    values = {code: rows[0].value for code, rows in table.rows.items()}
    missing, added = object(), table.added

    def find(code: Any) -> Any:
        value = values.get(code if type(code) is str else _code(code), missing)
        if value is not missing:
            return value
        value = added.today.get(_code(code), missing)
        if value is not missing:
            return value
        if strict:
            raise MappingError([Violation("", f"has no row in the code table {table.name!r}", UNKNOWN)])
        return otherwise

    return find


def _code(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
