"""What a comparison of two contracts tells: changes, each with its severity, its side and its places, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.policy.compatibility import Severity, Side, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Change:
    """One change: how bad, of which operation, on which side, where in the value, by which rule, and in words.

    base_place, revision_place: file and line (`citizen.xsd:12`) where the reader knows them.
    """

    severity: Severity
    operation: str
    side: Side
    pointer: str
    rule: str
    detail: str
    base_place: str = ""
    revision_place: str = ""

    def __str__(self) -> str:
        places = " -> ".join(place for place in dict.fromkeys((self.base_place, self.revision_place)) if place)
        at = f" ({places})" if places else ""
        return f"{self.operation} {self.side} {self.pointer or '/'}: {self.detail} [{self.rule}]{at}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes, the worst first, and the two versions that the contracts name themselves."""

    changes: Sequence[Change]
    base_version: str
    revision_version: str

    def count(self, severity: Severity) -> int:
        """How many changes are so bad."""
        return sum(change.severity is severity for change in self.changes)

    @property
    def needs_new_major(self) -> bool:
        """Whether something breaks under the same major version; a WSDL has none but its namespace."""
        return self.count(Severity.BREAKING) > 0 and _major(self.base_version) == _major(self.revision_version)


def ranked(changes: Iterable[Change], base_version: str, revision_version: str) -> Comparison:
    """Each change once, the worst first."""
    order = list(Severity)
    return Comparison(sorted(dict.fromkeys(changes), key=lambda change: order.index(change.severity)), base_version, revision_version)


def change(rule: str, operation: str, side: Side, pointer: str = "", detail: str = "", *, places: tuple[str, str] = ("", "")) -> Change:
    """A change with the severity of its rule."""
    return Change(severity_of(rule, side), operation, side, pointer, rule, detail, *places)


def _major(version: str) -> str:
    return version if ":" in version else version.partition(".")[0]
