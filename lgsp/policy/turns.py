"""Whose turn it is: consumers are served one message after the other, in a circle of their names, across claims and not only within one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def place(consumer: str, after: str) -> tuple[bool, str]:
    """Where it stands in the circle that begins behind `after`; sorts."""
    return consumer <= after, consumer


def served_last(consumers: Iterable[str], after: str) -> str:
    """Of the consumers of the messages that one claim took, each as often as it was served, the one whose turn was the last."""
    counts = Counter(consumers)
    most = max(counts.values(), default=0)
    return max((each for each, count in counts.items() if count == most), key=lambda each: place(each, after), default=after)
