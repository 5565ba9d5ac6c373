"""How long a backlog lasts, and what that means for who comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgsp.errors import Fault
from lgsp.model.agreed import Pattern
from lgsp.policy.drain import Drain, Pace, again_s, lasts_s, measured, refused_s
from tests.unit.small_hub import OPERATION, PROVIDER, SmallHub


def after(pace: Pace, settled_each_s: list[int]) -> Pace:
    for count in settled_each_s:
        pace = measured(pace, pace.settled + count, pace.at + 1.0)
    return pace


def test_the_rate_settles_at_what_is_settled_a_second() -> None:
    assert after(Pace(0, 0.0), [50] * 30).rate == pytest.approx(50)


def test_the_rate_follows_a_change_by_half_in_ten_seconds() -> None:
    assert after(Pace(0, 0.0, 100.0), [20] * 10).rate == pytest.approx(60, abs=1)


def test_a_provider_that_is_away_keeps_the_rate_at_which_it_went() -> None:
    pace = after(Pace(0, 0.0), [50] * 30)
    away = measured(measured(pace, pace.settled, pace.at + 20), pace.settled, pace.at + 600)

    back = measured(away, away.settled + 50, away.at + 1)

    assert (away.rate, round(back.rate)) == (pace.rate, 50)


def test_one_message_in_ten_seconds_is_no_message_a_second() -> None:
    pace = Pace(0, 0.0)
    for second in range(1, 101):
        pace = measured(pace, second // 10, float(second))

    assert pace.rate == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("drain", "seconds"), [(Drain(), 0.0), (Drain(500, 50.0), 10.0), (Drain(10, 0.0), 100.0), (Drain(10**9, 1.0), 3600.0)]
)
def test_a_backlog_lasts_as_long_as_its_rate_says(drain: Drain, seconds: float) -> None:
    assert lasts_s(drain) == seconds


@pytest.mark.parametrize(("drain", "seconds"), [(Drain(), 2), (Drain(500, 50.0), 10), (Drain(100_000, 10.0), 60)])
def test_receipts_are_asked_for_when_their_turn_has_come(drain: Drain, seconds: int) -> None:
    assert again_s(drain) == seconds


@pytest.mark.parametrize(("drain", "seconds"), [(Drain(999, 10.0), None), (Drain(1000, 10.0), 10.0), (Drain(1000, 1000.0), 1.0)])
def test_a_full_backlog_says_when_a_tenth_will_have_gone(drain: Drain, seconds: float | None) -> None:
    assert refused_s(drain, 1000) == seconds


async def hub_with(backlog: int) -> SmallHub:
    operation = replace(OPERATION, pattern=Pattern.ONE_WAY, provider=replace(PROVIDER, backlog=backlog))
    return await SmallHub(operation).open()


async def test_a_message_for_a_full_backlog_is_refused_before_it_costs_quota_or_room() -> None:
    hub = await hub_with(2)
    for _ in range(2):
        await hub.carry()
    await hub.store.measure(hub.now)

    with pytest.raises(Fault, match="backlog-full") as refused:
        await hub.carry()

    assert refused.value.retry_after_s == pytest.approx(2.0)
    assert (await hub.store.backlog())[0].states == {"waiting": 2}


async def test_there_is_room_again_when_it_has_gone() -> None:
    hub = await hub_with(1)
    await hub.carry()
    await hub.store.measure(hub.now)
    await hub.deliver()
    await hub.store.measure(hub.now)

    assert (await hub.carry()).status == 202
