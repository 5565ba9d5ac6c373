"""Admission: a standing delay lowers the limit, its end raises it again, and the last places are for who has few."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from lgsp.drivers.doors.gate import Places
from lgsp.errors import Fault
from lgsp.policy.admission import AdmissionRule, Intake, admits, looked
from lgsp.telemetry import Telemetry

RULE = AdmissionRule(least=8, target_s=0.03, interval_s=0.25)


def after(intake: Intake, delays_s: list[float], under_way: int, most: int = 512) -> Intake:
    """One interval of looks, 50 ms apart."""
    for number, delay_s in enumerate(delays_s):
        intake = looked(intake, (delay_s, under_way, intake.ends_at + (number - len(delays_s) + 1) * 0.05), most, RULE)
    return intake


def test_a_standing_delay_lowers_the_limit_below_what_is_under_way() -> None:
    assert after(Intake(512.0), [0.2, 0.1, 0.4], 400).limit == 350


def test_one_short_moment_in_the_interval_says_that_no_queue_stands() -> None:
    assert after(Intake(512.0), [0.2, 0.01, 0.4], 400).limit == 512


def test_many_who_wait_for_a_slow_provider_lower_nothing() -> None:
    assert after(Intake(512.0), [0.001] * 5, 500).limit == 512


def test_the_limit_rises_again_while_its_places_are_wanted() -> None:
    intake = Intake(32.0)
    for _ in range(60):
        intake = after(intake, [0.001], int(intake.limit))

    assert intake.limit == 512


def test_places_that_nobody_wants_are_not_added() -> None:
    assert after(Intake(32.0), [0.001], 4).limit == 32


def test_the_least_places_stay_however_long_the_delay_is() -> None:
    intake = Intake(512.0)
    for _ in range(100):
        intake = after(intake, [5.0], 8)

    assert intake.limit == 8


@pytest.mark.parametrize(
    ("under_way", "mine", "sharing", "is_let_in"),
    [(99, 99, 1, True), (100, 0, 4, False), (75, 75, 2, False), (75, 10, 4, True), (99, 24, 4, True), (99, 25, 4, False)],
)
def test_the_last_quarter_is_for_who_has_less_than_a_fair_share(under_way: int, mine: int, sharing: int, is_let_in: bool) -> None:
    assert admits(100.0, under_way, mine, sharing) is is_let_in


def test_a_consumer_that_floods_the_gate_leaves_places_for_another() -> None:
    places = Places(16, Telemetry(CollectorRegistry()))
    places.enter("quiet")
    for _ in range(11):
        places.enter("loud")

    with pytest.raises(Fault, match="overloaded") as refused:
        places.enter("loud")
    places.enter("quiet")
    assert refused.value.retry_after_s is not None


def test_a_place_that_is_given_back_is_free() -> None:
    places = Places(1, Telemetry(CollectorRegistry()))
    places.enter("a")
    places.leave("a")

    places.enter("b")
    with pytest.raises(Fault, match="overloaded"):
        places.enter("a")
