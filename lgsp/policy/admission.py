"""How many exchanges a process takes in at one time, and whose: what is more is refused at once, while refusing is still cheap.

Rules:

* The sign of overload is a standing delay, not a count (CoDel, RFC 8289): how late the event loop runs a timer, of several looks the
  least. A hub that waits for a slow provider has many exchanges under way and no delay; one that is out of processor time has a delay.
* A delay over `target_s` through a whole interval takes an eighth off the limit, counted from what is under way; an interval without one
  gives a sixteenth back, if the places were wanted. Never under `least`, never over what the settings allow.
* The last quarter of the places is for consumers that have less than their fair share of them, so that one that floods the hub is
  refused before the others are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """`least` places are always given; a standing delay over `target_s` through `interval_s` is overload.

    64 exchanges that are ready at one moment keep a core busy for some 40 ms: a delay, but no overload.
    """

    least: int = 64
    target_s: float = 0.02
    interval_s: float = 0.25


USUAL = AdmissionRule()
CUT, RAISE, WANTED, COMMON_SHARE = 7 / 8, 1 + 1 / 16, 3 / 4, 3 / 4


@dataclass(frozen=True, slots=True)
class Intake:
    """The limit now; `delay_s`: the least delay since the interval began; `busiest`: the most that was under way in it."""

    limit: float
    delay_s: float = float("inf")
    busiest: int = 0
    ends_at: float = 0.0


def looked(intake: Intake, look: tuple[float, int, float], most: int, rule: AdmissionRule = USUAL) -> Intake:
    """After a look: (delay in seconds, exchanges under way, monotonic seconds)."""
    delay_s, under_way, now = look
    seen = replace(intake, delay_s=min(intake.delay_s, delay_s), busiest=max(intake.busiest, under_way))
    return seen if now < intake.ends_at else Intake(_adjusted(seen, most, rule), ends_at=now + rule.interval_s)


def _adjusted(seen: Intake, most: int, rule: AdmissionRule) -> float:
    if seen.delay_s > rule.target_s:
        return max(float(min(rule.least, most)), CUT * min(seen.limit, float(seen.busiest)))
    return min(float(most), max(seen.limit * RAISE, seen.limit + 1)) if seen.busiest >= WANTED * seen.limit else seen.limit


def admits(limit: float, under_way: int, mine: int, sharing: int) -> bool:
    """Whether one more of a consumer that has `mine` under way is taken in; `sharing` consumers have any, this one counted."""
    if under_way >= int(limit):
        return False
    return under_way < COMMON_SHARE * limit or mine * sharing < limit
