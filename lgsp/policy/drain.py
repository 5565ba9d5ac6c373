"""How long a provider's backlog lasts: from how much it is owed and how fast it was worked off lately. What callers are told to wait.

Rules:

* The rate is that of the seconds in which something was settled, smoothed so that HALF_S of work weighs half. While a provider is away
  nothing is settled and the rate stays: it says how fast it goes when it goes. A slow trickle is not mistaken for a fast one: the time
  since the last settlement counts, up to AWAY_S.
* A backlog over its bound takes nothing more; whoever comes is told when a tenth of it will have gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

HALF_S = 10.0
AWAY_S = 30.0
SLOWEST = 0.1
"""Messages a second that are assumed where nothing was ever settled."""
LONGEST_S = 3600.0
SHARE_GONE = 0.1
OFTEN_S, SELDOM_S = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Drain:
    """What a provider is owed by all nodes, and how many messages a second are settled while it is worked off."""

    owed: int = 0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What `measured` keeps: the counter and the time when it last rose, and the rate."""

    settled: int
    at: float
    rate: float = 0.0


def measured(pace: Pace, settled: int, now: float) -> Pace:
    """After a look at the counter of settled messages, which only rises; looks may come at any distance."""
    if settled <= pace.settled:
        return pace if settled == pace.settled and now - pace.at < AWAY_S else replace(pace, settled=settled, at=now)
    elapsed_s = max(now - pace.at, 0.001)
    found = (settled - pace.settled) / elapsed_s
    weight = 1.0 if not pace.rate else 1.0 - 0.5 ** (elapsed_s / HALF_S)
    return Pace(settled, now, pace.rate + weight * (found - pace.rate))


def lasts_s(drain: Drain) -> float:
    """Seconds until all that waits now is gone."""
    return min(LONGEST_S, drain.owed / max(drain.rate, SLOWEST)) if drain.owed > 0 else 0.0


def again_s(drain: Drain) -> int:
    """Whole seconds after which to ask about a message that was accepted now: when its turn has come, but not too seldom."""
    return round(min(SELDOM_S, max(OFTEN_S, lasts_s(drain))))


def refused_s(drain: Drain, bound: int) -> float | None:
    """None: there is room. Otherwise the seconds after which to come back."""
    if drain.owed < bound:
        return None
    return min(LONGEST_S, max(1.0, (drain.owed - (1.0 - SHARE_GONE) * bound) / max(drain.rate, SLOWEST)))
