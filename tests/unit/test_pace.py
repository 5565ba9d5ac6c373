"""The pace of a replay: never faster than its rate, and no rush after a pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgsp.policy.pace import allowance


@pytest.mark.parametrize(
    ("rate", "elapsed_s", "places"), [(10.0, 1.0, 10), (0.5, 1.0, 0), (0.5, 2.0, 1), (10.0, 3600.0, 50), (0.01, 100.0, 1)]
)
def test_a_rate_allows_whole_messages_and_at_most_a_few_seconds_worth(rate: float, elapsed_s: float, places: int) -> None:
    assert allowance(rate, 0.0, elapsed_s)[0] == places


@given(st.floats(0.01, 100), st.lists(st.floats(0.01, 4.0), min_size=1, max_size=50))
def test_over_any_ticks_no_more_than_the_rate_goes(rate: float, ticks: list[float]) -> None:
    paid, now, gone = 0.0, 0.0, 0

    for tick in ticks:
        now += tick
        places, paid = allowance(rate, paid, now)
        gone += places

    assert gone <= rate * now + 1e-6
