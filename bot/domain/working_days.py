"""A project's working days, and a sprint's days counted in them (R-MSG-4, R-DAY). Dates are the project's own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

from bot.domain.task import Frozen

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS = get_args(Weekday)
#: The longest stretch of days off that is believed; more can only be a mistake in the configuration.
LONGEST_BREAK = 366


class WorkingDays(Frozen):
    """Which days are worked on. Without any weekday, every day is."""

    weekdays: tuple[str, ...] = WEEKDAYS[:5]
    off: frozenset[date] = frozenset()

    def includes(self, day: date) -> bool:
        return (not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays) and day not in self.off

    def from_(self, day: date) -> date:
        """This day, or the first working day after it."""
        later = (day + timedelta(days=n) for n in range(LONGEST_BREAK))
        return next((each for each in later if self.includes(each)), day)

    def before(self, day: date) -> date:
        """The last working day before this one."""
        earlier = (day - timedelta(days=n) for n in range(1, LONGEST_BREAK))
        return next((each for each in earlier if self.includes(each)), day - timedelta(days=1))

    def week_of(self, day: date) -> date:
        """The first date of the week that a day is in: weeks begin after the longest run of weekdays off, with Monday
        as a rule, with Sunday where Friday and Saturday are off."""
        worked = [n for n, name in enumerate(WEEKDAYS) if not self.weekdays or name in self.weekdays]

        def off_before(weekday: int) -> int:
            return next(gap for gap in range(7) if (weekday - 1 - gap) % 7 in worked)

        return day - timedelta(days=(day.weekday() - max(worked, key=off_before)) % 7)

    def nth(self, first: date, number: int) -> date:
        """The sprint's nth working day, counted from 1; 0 is the day before all of them, and so the first as well."""
        found = self.from_(first)
        for _ in range(number - 1):
            found = self.from_(found + timedelta(days=1))
        return found

    def number(self, first: date, day: date) -> int:
        """How many working days of the sprint have begun by the end of `day`; 0 before its first."""
        return sum(self.includes(first + timedelta(days=n)) for n in range((day - first).days + 1))
