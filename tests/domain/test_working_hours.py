"""When people may be alerted: quiet hours, days off, and the two nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours

LISBON = WorkingHours(zone="Europe/Lisbon")
NIGHT_SHIFT = WorkingHours(zone="Europe/Lisbon", days=WorkingDays(weekdays=()), quiet=(time(4), time(22)))
ALWAYS = WorkingHours(days=WorkingDays(weekdays=()), quiet=(time(0), time(0)))
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        (LISBON, "2026-11-23T10:00", "2026-11-23T10:00"),  # a Monday
        (LISBON, "2026-11-23T06:59", "2026-11-23T07:00"),
        (LISBON, "2026-11-23T20:00", "2026-11-24T07:00"),  # the end of the day is quiet already
        (LISBON, "2026-11-27T21:00", "2026-11-30T07:00"),  # Friday evening -> Monday
        (LISBON, "2026-07-03T19:30", "2026-07-06T06:00"),  # 20:30 in summer; 07:00 there is 06:00 UTC
        (LISBON, "2026-10-23T19:30", "2026-10-26T07:00"),  # the clocks go back on the Sunday between
        (LISBON, "2026-03-27T20:30", "2026-03-30T06:00"),  # and forward
        (NIGHT_SHIFT, "2026-11-22T05:00", "2026-11-22T22:00"),
        (NIGHT_SHIFT, "2026-11-22T23:30", "2026-11-22T23:30"),
        (NIGHT_SHIFT, "2026-11-22T03:59", "2026-11-22T03:59"),
        (ALWAYS, "2026-11-22T03:00", "2026-11-22T03:00"),
    ],
)
def test_the_next_moment_one_may_be_alerted(hours: WorkingHours, at: str, expected: str) -> None:
    assert hours.next_open(utc(at)) == utc(expected)


@pytest.mark.parametrize(
    ("hours", "start", "end", "expected"),
    [
        (LISBON, "2026-11-23T10:00", "2026-11-23T12:30", 2.5),
        (LISBON, "2026-11-23T19:00", "2026-11-24T08:00", 2),
        (LISBON, "2026-11-27T19:00", "2026-11-30T07:30", 1.5),  # over a week-end
        (LISBON, "2026-11-28T10:00", "2026-11-29T18:00", 0),
        (LISBON, "2026-11-23T12:00", "2026-11-23T10:00", 0),
        (NIGHT_SHIFT, "2026-10-24T21:00", "2026-10-25T04:00", 7),  # 22:00-04:00 local, and one hour twice
        (NIGHT_SHIFT, "2026-03-28T22:00", "2026-03-29T03:00", 5),  # and one hour less
        (ALWAYS, "2026-11-21T00:00", "2026-11-23T00:00", 48),
    ],
)
def test_working_time_between(hours: WorkingHours, start: str, end: str, expected: float) -> None:
    assert hours.between(utc(start), utc(end)) == expected * HOUR


def test_holidays_are_days_off() -> None:
    christmas = WorkingHours(days=WorkingDays(off=frozenset({date(2026, 12, 24), date(2026, 12, 25)})))
    assert christmas.next_open(utc("2026-12-23T21:00")) == utc("2026-12-28T07:00")


def test_a_year_without_a_working_day_is_a_mistake_and_mutes_nobody() -> None:
    every_day = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800))
    assert WorkingHours(days=WorkingDays(off=every_day)).next_open(utc("2026-05-01T03:00")) == utc("2026-05-01T03:00")


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
hours_of_day = st.integers(0, 23).map(time)
some_hours = st.builds(
    WorkingHours,
    zone=st.sampled_from(["UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    quiet=st.tuples(hours_of_day, hours_of_day),
)


@given(
    some_hours, moments, st.timedeltas(timedelta(), timedelta(days=9)), st.timedeltas(timedelta(), timedelta(days=9))
)
def test_working_time_adds_up_and_no_more_than_passed(
    hours: WorkingHours, start: datetime, one: timedelta, two: timedelta
) -> None:
    middle, end = start + one, start + one + two
    assert hours.between(start, middle) + hours.between(middle, end) == hours.between(start, end) <= one + two
    opens = hours.next_open(start)
    assert hours.is_open(opens) and hours.between(start, opens) == timedelta()


@pytest.mark.parametrize(
    ("hours", "at", "working", "expected"),
    [
        (LISBON, "2026-11-23T17:00", 4, "2026-11-23T13:00"),
        (LISBON, "2026-11-23T08:00", 4, "2026-11-20T17:00"),  # an hour of Monday, three of Friday
        (LISBON, "2026-11-22T12:00", 1, "2026-11-20T19:00"),  # a Sunday
        (LISBON, "2026-10-26T08:00", 2, "2026-10-23T18:00"),  # the clocks went back between: 19:00 in summer time
        (NIGHT_SHIFT, "2026-10-25T04:00", 7, "2026-10-24T21:00"),  # 22:00-04:00 local, and one hour twice
        (ALWAYS, "2026-11-23T01:00", 25, "2026-11-22T00:00"),
    ],
)
def test_the_moment_from_which_so_much_working_time_is_left(
    hours: WorkingHours, at: str, working: float, expected: str
) -> None:
    assert hours.before(utc(at), working * HOUR) == utc(expected)


@given(some_hours, moments, st.timedeltas(timedelta(minutes=1), timedelta(days=5)))
def test_before_and_after_are_two_sides_of_one_thing(hours: WorkingHours, at: datetime, working: timedelta) -> None:
    earlier = hours.before(at, working)
    assert hours.between(earlier, at) == working
    assert hours.is_open(earlier)
