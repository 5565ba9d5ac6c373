"""How requests of one call travel as one, and what their one answer means for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Batch:
    """Compiled from a manifest: at most `max_items` travel together, the first of them waiting `max_wait_s` at most.

    joined: native requests that are equal but for their items to one with all items. parted: a native request to it without its item, and
    the item. split: the reply to many and their native requests to what each would have been told alone; None where it does not say.
    """

    max_items: int
    max_wait_s: float
    joined: Callable[[Sequence[Any]], Any]
    parted: Callable[[Any], tuple[Any, Any]]
    split: Callable[[Any, Sequence[Any]], Sequence[Any]]
