"""What consumers really used: how often which operation, and which fields, without values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lgsp.model.parties import SubsystemId

PARAMETER = "/parameter/"
"""Before the name of a parameter, which has no place in a body."""


@dataclass(frozen=True, slots=True)
class Use:
    """`count` uses of one operation by one consumer, the last on the day that began at `day` (POSIX seconds).

    sent, got: JSON pointers of the fields that were in its requests and in the answers that it was given, `*` for every item.
    """

    consumer: SubsystemId
    service: str
    major: int
    operation: str
    day: int
    count: int
    sent: frozenset[str] = frozenset()
    got: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Affected:
    """A consumer that a change of a contract meets; `changes` are places in the list that was asked about, `fields` their pointers."""

    consumer: SubsystemId
    title: str
    contact: str
    count: int
    day: int
    changes: tuple[int, ...]
    fields: tuple[str, ...]
