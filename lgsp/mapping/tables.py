"""Dated code tables: our code and theirs, row by row, each row valid for a time; which row holds is decided by the day of the event.

Rows are {ours, theirs, valid_from?, valid_to?} with days as yyyy-MM-dd, both ends included. One code of ours may stand beside several of
theirs at different times, and several of theirs may become one of ours; a row with `way: request` or `way: reply` serves one direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lgsp.errors import MappingError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EARLIEST, LATEST = "0000-00-00", "9999-99-99"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as one direction sees it: `code` becomes `value` from the day `first` to the day `last`; `at` is its place in the file."""

    code: str
    value: Any
    first: str
    last: str
    at: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table in one direction: the rows of each code."""

    name: str
    rows: Mapping[str, tuple[Row, ...]]

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


def lookup(table: Table, otherwise: Any, *, strict: bool) -> Callable[[Any, str], Any]:
    """A function of (code, day) that gives the value; an unknown code gives `otherwise`, or is an error if the table is strict."""
    rows = table.rows

    def find(code: Any, day: str) -> Any:
        for row in rows.get(_code(code), ()):
            if row.first <= day <= row.last:
                return row.value
        if strict:
            raise MappingError([Violation("", f"has no row in the code table {table.name!r} on {day}", "code-unknown")])
        return otherwise

    return find


def direct(table: Table, otherwise: Any, *, strict: bool) -> Callable[[Any], Any]:
    """The same for a table without dates: only the code counts."""
    values = {code: rows[0].value for code, rows in table.rows.items()}
    missing = object()

    def find(code: Any) -> Any:
        value = values.get(code if type(code) is str else _code(code), missing)
        if value is not missing:
            return value
        if strict:
            raise MappingError([Violation("", f"has no row in the code table {table.name!r}", "code-unknown")])
        return otherwise

    return find


def _code(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
