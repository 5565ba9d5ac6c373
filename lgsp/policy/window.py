"""How many calls ended well and badly lately: counts over a sliding window, in two slots."""

from __future__ import annotations

from typing import NamedTuple


class Counts(NamedTuple):
    """Two neighbouring slots of one window length each; `slot` numbers the younger, the older one is its predecessor."""

    slot: int = 0
    good: int = 0
    bad: int = 0
    older_good: int = 0
    older_bad: int = 0


NOTHING = Counts()


def turned(counts: Counts, now: float, window_s: float) -> Counts:
    """The counts as they stand at `now`: what lies more than a slot back is forgotten."""
    slot = int(now // window_s)
    if slot == counts.slot:
        return counts
    if slot == counts.slot + 1:
        return Counts(slot, 0, 0, counts.good, counts.bad)
    return Counts(slot)


def counted(counts: Counts, now: float, window_s: float, *, is_good: bool) -> Counts:
    """One more."""
    slot, good, bad, older_good, older_bad = turned(counts, now, window_s)
    return Counts(slot, good + is_good, bad + (not is_good), older_good, older_bad)


def sliding(counts: Counts, now: float, window_s: float) -> tuple[float, float]:
    """Good and bad in the window that ends at `now`; of the older slot the share that is still inside."""
    at = turned(counts, now, window_s)
    inside = 1.0 - now % window_s / window_s
    return at.good + at.older_good * inside, at.bad + at.older_bad * inside
