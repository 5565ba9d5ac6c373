"""Legal deadlines in working days of Vietnam."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import yaml

from lgsp.config import HOME
from lgsp.policy.deadline import VIETNAM, Calendar, read_calendar

CALENDAR = read_calendar(yaml.safe_load((HOME / "contracts" / "holidays.yaml").read_text("utf-8")))


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp()


@pytest.mark.parametrize(
    ("received", "days", "deadline"),
    [
        ("2026-11-23T08:00", 1, "2026-11-24T17:00"),
        ("2026-11-23T23:59", 1, "2026-11-24T17:00"),
        ("2026-11-20T16:00", 1, "2026-11-23T17:00"),
        ("2026-11-21T10:00", 3, "2026-11-25T17:00"),
        ("2026-02-13T09:00", 2, "2026-02-24T17:00"),
        ("2026-04-29T09:00", 1, "2026-05-04T17:00"),
        ("2025-04-25T09:00", 1, "2025-04-26T17:00"),
        ("2026-12-31T09:00", 1, "2027-01-04T17:00"),
    ],
)
def test_a_deadline_is_the_end_of_a_working_day(received: str, days: int, deadline: str) -> None:
    assert CALENDAR.deadline(moment(received), days) == moment(deadline)


def test_a_fixed_holiday_at_a_weekend_is_made_up_for_on_the_next_free_day() -> None:
    calendar = Calendar(frozenset({(1, 1), (5, 1), (4, 30)}), frozenset(), frozenset())

    assert [calendar.is_working(date(2028, 1, day)) for day in (1, 2, 3, 4)] == [False, False, False, True]
    assert [calendar.is_working(date(2022, 5, day)) for day in (1, 2, 3, 4)] == [False, False, False, True]


def test_every_listed_year_has_the_days_of_tet() -> None:
    assert {day.year for day in CALENDAR.off} == {2025, 2026, 2027}
    assert all(sum(day.year == year and day.month <= 2 for day in CALENDAR.off) >= 5 for year in (2025, 2026, 2027))
