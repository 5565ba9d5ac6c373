"""How much of a provider's load may be repetition: the retry budget.

Back-off decides when one message is tried again; it does not bound all of them together: where 30 % of the calls fail, every message costs
1.4 calls, and a sick provider gets its load times the attempts. So attempts beyond the first may be at most `share` of the first attempts
in a sliding window, plus a `floor` without which a provider that nothing new is sent to would never get its waiting messages.
A retry that the budget does not cover waits; it is not counted as an attempt and never ends a message. An attempt whose predecessors all
died before their calls is no repetition: after an outage of the hub's own record all that was under way may go at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from lgsp.policy.window import Counts, counted, sliding


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """`floor`: retries that each window of `window_s` seconds allows in any case."""

    share: float = 0.15
    floor: float = 10.0
    window_s: float = 10.0


Budget = Counts
"""First attempts count as good, retries as bad."""

USUAL = BudgetRule()


def first(budget: Budget, now: float, rule: BudgetRule) -> Budget:
    """A first attempt was made."""
    return counted(budget, now, rule.window_s, is_good=True)


def spend(budget: Budget, now: float, rule: BudgetRule) -> tuple[Budget, bool]:
    """Take one retry from the budget; or leave it as it is, and no."""
    if remaining(budget, now, rule) < 1.0:
        return budget, False
    return counted(budget, now, rule.window_s, is_good=False), True


def remaining(budget: Budget, now: float, rule: BudgetRule) -> float:
    """How many retries the window still allows."""
    firsts, retries = sliding(budget, now, rule.window_s)
    return max(0.0, rule.floor + rule.share * firsts - retries)


def postponed_s(jitter: float, rule: BudgetRule) -> float:
    """Seconds until a retry asks again: a quarter to three quarters of a window, so that those that wait do not come together."""
    return rule.window_s * (0.25 + 0.5 * jitter)
