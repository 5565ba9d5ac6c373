"""How many messages may be under way at a provider that comes back: additive increase, multiplicative decrease.

After a hold or an open circuit the whole backlog is due at once, at a system that has just started. The ramp begins with `START`, grows by
one for each round of successes (1 / limit for each, as TCP's congestion avoidance, RFC 5681 section 3.1), halves at a failure, and ends at
the provider's own limit; from then on it does nothing until the next hold or opening.
"""

from __future__ import annotations

START = 2.0
LEAST = 1.0


def begun(in_flight: int) -> float:
    """The limit at the beginning of a ramp."""
    return min(START, float(in_flight))


def raised(limit: float, in_flight: int) -> float:
    """After a success."""
    return min(float(in_flight), limit + 1.0 / limit)


def lowered(limit: float, in_flight: int) -> float:
    """After a failure; a ramp that has ended stays ended."""
    return limit if limit >= in_flight else max(LEAST, limit / 2.0)
