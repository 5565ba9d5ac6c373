"""How many messages of a replay may go now: a steady rate, without a rush after a pause of the process."""

from __future__ import annotations

RUSH_S = 5.0
"""At most the worth of so many seconds at once."""


def allowance(rate: float, paid_until: float, now: float) -> tuple[int, float]:
    """Whole messages that `rate` a second allows since `paid_until`, and until when they pay."""
    begins = max(paid_until, now - max(RUSH_S, 1.0 / rate))
    places = int((now - begins) * rate + 1e-9)
    return max(0, places), begins + max(0, places) / rate
