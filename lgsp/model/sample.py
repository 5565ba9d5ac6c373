"""A stored message as a trial of a mapping sees it, and what another mapping would make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sample:
    """The canonical request of a stored message, with what its mapping may read beside it."""

    message_id: str
    operation: str
    received_at: float
    parameters: Mapping[str, Any]
    request: Any
    purpose: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What would change at one native place (`*` for every item) in `count` messages, with one of them as an example.

    kind: changed, added, removed; fails (it is translated today, and would not be: `after` says why) or passes (the other way round).
    """

    operation: str
    call: str
    pointer: str
    kind: str
    count: int
    before: Any = None
    after: Any = None

    @property
    def place(self) -> str:
        """Operation, call and pointer: what an accepted change is named by."""
        return f"{self.operation} {self.call} {self.pointer or '/'}"
