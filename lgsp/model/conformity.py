"""How strictly a provider's answers are judged, what in them broke a contract, and how many of them keep it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lgsp.errors import Violation

KEPT_S = 72 * 3600.0
"""How long a quarantined answer is kept."""
KEPT_BYTES = 65_536
"""So much of it."""


class Rigour(StrEnum):
    """What becomes of a provider's answer that breaks a contract; one that cannot be read or translated goes to nobody.

    observe: it goes on, and is counted. warn: it goes on, and is quarantined too. tolerant, the usual: blocked only where what the hub
    answers would break its own contract. block: whatever breaks the provider's contract is blocked, too.
    """

    OBSERVE = "observe"
    WARN = "warn"
    TOLERANT = "tolerant"
    BLOCK = "block"


LOOSE = frozenset({Rigour.OBSERVE, Rigour.WARN})


@dataclass(frozen=True, slots=True)
class Enforcement:
    """A person's order how strictly the answers of a service are judged, until `until_at`; every node obeys within a second."""

    id: str
    service: str
    rigour: Rigour
    from_at: float
    until_at: float
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What one answer broke, and where; `content` is what was judged: the answer as it came, or (`is_ours`) what it became as JSON."""

    call: str
    violations: Sequence[Violation]
    content: bytes
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """An answer in quarantine: places and rules for everybody, the content (its first KEPT_BYTES, sealed at rest) for whoever may read it.

    places: (pointer, detail, rule). passed: the consumer got it nevertheless.
    """

    id: str
    message_id: str
    at: float
    provider: str
    service: str
    operation: str
    call: str
    rigour: Rigour
    passed: bool
    is_ours: bool
    places: tuple[tuple[str, str, str], ...]
    size_bytes: int
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Conformance:
    """Of `answers` of a provider in one operation, `invalid` broke a contract, in the hour that began at `hour` (POSIX seconds)."""

    provider: str
    service: str
    operation: str
    hour: int
    answers: int
    invalid: int
