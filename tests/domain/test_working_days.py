"""A sprint's days, counted in the project's working days (R-MSG-4, R-DAY)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.domain.working_days import WorkingDays

FRIDAY, SATURDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23), date(2026, 11, 24)
USUAL = WorkingDays()
WITH_HOLIDAY = WorkingDays(off=frozenset({MONDAY}))
EVERY_DAY = WorkingDays(weekdays=())


@pytest.mark.parametrize(
    ("days", "first", "number", "expected"),
    [
        (USUAL, FRIDAY, 0, FRIDAY),
        (USUAL, FRIDAY, 1, FRIDAY),
        (USUAL, FRIDAY, 2, MONDAY),
        (USUAL, SATURDAY, 1, MONDAY),
        (WITH_HOLIDAY, FRIDAY, 2, TUESDAY),
        (WITH_HOLIDAY, SATURDAY, 1, TUESDAY),
        (EVERY_DAY, FRIDAY, 2, SATURDAY),
        (USUAL, MONDAY, 6, date(2026, 11, 30)),
    ],
)
def test_the_nth_day(days: WorkingDays, first: date, number: int, expected: date) -> None:
    assert days.nth(first, number) == expected


@pytest.mark.parametrize(
    ("days", "first", "today", "expected"),
    [
        (USUAL, MONDAY, FRIDAY, 0),
        (USUAL, FRIDAY, FRIDAY, 1),
        (USUAL, FRIDAY, SATURDAY, 1),
        (USUAL, FRIDAY, MONDAY, 2),
        (WITH_HOLIDAY, FRIDAY, TUESDAY, 2),
        (EVERY_DAY, FRIDAY, MONDAY, 4),
    ],
)
def test_the_day_of_the_sprint(days: WorkingDays, first: date, today: date, expected: int) -> None:
    assert days.number(first, today) == expected


@pytest.mark.parametrize("off, before", [((), FRIDAY), ((FRIDAY,), date(2026, 11, 19))])
def test_the_last_working_day_before(off: tuple[date, ...], before: date) -> None:
    assert WorkingDays(off=frozenset(off)).before(MONDAY) == before


@pytest.mark.parametrize(
    ("weekdays", "first"),
    [
        (("mon", "tue", "wed", "thu", "fri"), date(2026, 11, 23)),
        (("sun", "mon", "tue", "wed", "thu"), date(2026, 11, 22)),
        (("tue", "wed", "thu", "fri", "sat"), date(2026, 11, 24)),
        (("mon", "wed", "fri"), date(2026, 11, 23)),
        (("wed",), date(2026, 11, 25)),
        ((), date(2026, 11, 23)),  # every day
    ],
)
def test_a_week_begins_after_the_longest_run_of_days_off(weekdays: tuple[str, ...], first: date) -> None:
    days = WorkingDays(weekdays=weekdays)
    assert {days.week_of(first + timedelta(days=n)) for n in range(7)} == {first}
    assert days.week_of(first - timedelta(days=1)) == first - timedelta(days=7)
