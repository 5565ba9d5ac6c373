"""Which changes of a contract meet what a consumer used: its operations and its fields, request and answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.model.usage import PARAMETER
from lgsp.policy.compatibility import Side

if TYPE_CHECKING:
    from lgsp.model.usage import Use

ADDED = frozenset({"field-added-required", "field-added", "field-added-to-closed", "parameter-added", "parameter-added-required"})
"""What nobody can have used yet; it meets whoever used what it is added to."""
REQUIRED = frozenset({"field-required", "parameter-required"})
"""It meets whoever did not always send it, which counting cannot tell: everybody."""
WHERES = frozenset({"path", "query", "header", "cookie"})


@dataclass(frozen=True, slots=True)
class Touch:
    """What of a change decides whom it meets; without an operation it is the whole service."""

    operation: str
    side: Side
    pointer: str
    rule: str


def meets(touch: Touch, use: Use) -> bool:
    """Whether this use would have met the change."""
    if touch.operation not in {use.operation, ""}:
        return False
    fields = use.sent if touch.side is Side.REQUEST else use.got
    place = _place(touch)
    if (touch.rule in REQUIRED and touch.side is Side.REQUEST) or touch.rule in ADDED:
        place = _parent(place)
    return not place or place.startswith("/#") or place in fields or any(field.startswith(place + "/") for field in fields)


def _place(touch: Touch) -> str:
    """The pointer as uses are kept: parameters by their names, the item of a list as its list."""
    where, _, name = touch.pointer[1:].partition("/")
    if touch.rule.startswith("parameter-") and where in WHERES:
        return "" if touch.rule in REQUIRED | ADDED else PARAMETER + name
    return touch.pointer.removesuffix("/*")


def _parent(place: str) -> str:
    return place.rpartition("/")[0].removesuffix("/*")
