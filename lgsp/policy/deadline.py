"""Legal deadlines: N working days after the day of receipt, by the calendar of Vietnam.

Monday to Friday are working days, but for public holidays and the days that a yearly decision swaps; the day of receipt does not count
(Civil Code 2015, article 147), and the deadline is the end of the last working day, in Vietnam's one time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VIETNAM = timezone(timedelta(hours=7))
DAY_ENDS = time(17, 0)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked: `fixed` holidays as (month, day), single days off, and single days that are worked though at a weekend."""

    fixed: frozenset[tuple[int, int]]
    off: frozenset[date]
    working: frozenset[date]

    def is_working(self, day: date) -> bool:
        """Whether offices work on this day."""
        if day in self.working:
            return True
        return day.weekday() < SATURDAY and not self._is_holiday(day) and day not in self.made_up(day.year)

    def deadline(self, received_at: float, working_days: int) -> float:
        """POSIX seconds of the end of the last of so many working days after the day of receipt."""
        day = datetime.fromtimestamp(received_at, UTC).astimezone(VIETNAM).date()
        left = working_days
        while left > 0:
            day += timedelta(days=1)
            left -= self.is_working(day)
        return datetime.combine(day, DAY_ENDS, VIETNAM).timestamp()

    def _is_holiday(self, day: date) -> bool:
        return (day.month, day.day) in self.fixed or day in self.off

    def made_up(self, year: int) -> frozenset[date]:
        """The days off that make up for fixed holidays of this year at a weekend: each takes the next day that is free."""
        taken: set[date] = set()
        for month, number in sorted(self.fixed):
            day = date(year, month, number)
            if day.weekday() < SATURDAY:
                continue
            while day.weekday() >= SATURDAY or self._is_holiday(day) or day in taken:
                day += timedelta(days=1)
            taken.add(day)
        return frozenset(taken)


def read_calendar(value: Mapping[str, Any]) -> Calendar:
    """From the values of holidays.yaml; ValueError names what is no day."""
    years = value["listed"].values()
    fixed = frozenset((day.month, day.day) for day in (date.fromisoformat(f"2024-{text}") for text in value["fixed"]))
    off = frozenset(date.fromisoformat(text) for year in years for text in year["closed"])
    return Calendar(fixed, off, frozenset(date.fromisoformat(text) for year in years for text in year["worked"]))
