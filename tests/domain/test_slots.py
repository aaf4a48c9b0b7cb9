"""When the day's posts are due: working days, daylight saving in both directions, grace (R-DAY)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.local_time import instant
from bot.domain.slots import Slot, Times, Timetable, judge, late_minutes, why_not_skip
from bot.domain.working_days import WorkingDays

LISBON, NEW_YORK = "Europe/Lisbon", "America/New_York"
FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "local", "expected"),
    [
        # the days around a change: the same local time, another instant
        (LISBON, "2026-03-27", "08:00", "2026-03-27T08:00"),
        (LISBON, "2026-03-30", "08:00", "2026-03-30T07:00"),
        (LISBON, "2026-10-23", "08:00", "2026-10-23T07:00"),
        (LISBON, "2026-10-26", "08:00", "2026-10-26T08:00"),
        (NEW_YORK, "2026-03-06", "08:00", "2026-03-06T13:00"),
        (NEW_YORK, "2026-03-09", "08:00", "2026-03-09T12:00"),
        (NEW_YORK, "2026-10-30", "17:00", "2026-10-30T21:00"),
        (NEW_YORK, "2026-11-02", "17:00", "2026-11-02T22:00"),
        # in the gap: once, after it (01:00 -> 02:00 in Lisbon, 02:00 -> 03:00 in New York)
        (LISBON, "2026-03-29", "01:30", "2026-03-29T01:30"),
        (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:30"),
        # in the fold: once, the first of the two
        (LISBON, "2026-10-25", "01:30", "2026-10-25T00:30"),
        (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),
    ],
)
def test_local_times_as_instants(zone: str, day: str, local: str, expected: str) -> None:
    assert instant(date.fromisoformat(day), time.fromisoformat(local), zone) == at(expected)


@pytest.mark.parametrize(
    ("zone", "around"),
    [(LISBON, "2026-03-29"), (LISBON, "2026-10-25"), (NEW_YORK, "2026-03-08"), (NEW_YORK, "2026-11-01")],
)
@pytest.mark.parametrize("minutes", range(0, 240, 30))
def test_every_slot_of_a_day_with_a_change_happens_once(zone: str, around: str, minutes: int) -> None:
    """Looked at in small steps, none is lost in the gap and none comes twice in the fold."""
    times = Times(morning=time(minutes // 60, minutes % 60), midday=time(12), evening=time(17))
    table = Timetable(zone=zone, days=WorkingDays(weekdays=()), times=times)
    day = date.fromisoformat(around)
    now = at(f"{day - timedelta(days=1)}T12:00")
    found: list[Slot] = []
    for _ in range(4 * 24 * 2):
        found += table.between(now, now + timedelta(minutes=15))
        now += timedelta(minutes=15)
    assert [slot.kind for slot in found if slot.day == day and slot.kind == "morning"] == ["morning"]
    assert found == sorted(found, key=lambda slot: slot.at)


@pytest.mark.parametrize(
    ("day", "off", "expected"),
    [
        (MONDAY, (), ["morning", "midday", "evening"]),
        (FRIDAY, (), ["morning", "midday", "weekly", "evening"]),
        (SATURDAY, (), []),
        (FRIDAY, (FRIDAY,), []),
        (date(2026, 11, 19), (FRIDAY,), ["morning", "midday", "weekly", "evening"]),  # the last working day before it
        (date(2026, 11, 19), (), ["morning", "midday", "evening"]),
    ],
)
def test_the_slots_of_a_date(day: date, off: tuple[date, ...], expected: list[str]) -> None:
    """R-DAY-5: where Friday is a day off, the weekly report comes on the last working day before it."""
    assert [slot.kind for slot in Timetable(days=WorkingDays(off=frozenset(off))).on(day)] == expected


def test_a_week_off_has_no_weekly_report() -> None:
    week = frozenset(MONDAY + timedelta(days=n) for n in range(5))
    table = Timetable(days=WorkingDays(off=week))
    assert table.weekly_day(MONDAY) is None
    assert table.between(at("2026-11-23T00:00"), at("2026-11-29T23:00")) == ()


def test_a_weekday_that_is_never_worked_on() -> None:
    table = Timetable(days=WorkingDays(weekdays=("sun", "mon", "tue", "wed", "thu")))
    assert table.weekly_day(FRIDAY) == FRIDAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("late", "settled", "minutes"),
    [
        (timedelta(0), "due", 0),
        (timedelta(seconds=59), "due", 0),
        (timedelta(minutes=1), "due", 0),
        (timedelta(minutes=1, seconds=1), "due", 1),
        (timedelta(minutes=6), "due", 6),
        (timedelta(minutes=120), "due", 120),
        (timedelta(minutes=120, seconds=1), "missed", 120),
        (timedelta(days=3), "missed", 4320),
    ],
)
def test_grace(late: timedelta, settled: str, minutes: int) -> None:
    slot = Slot(kind="morning", day=MONDAY, at=at("2026-11-23T08:00"))
    assert judge(slot, slot.at + late, timedelta(minutes=120)) == settled
    assert late_minutes(slot.at, slot.at + late) == minutes


def test_the_next_slot() -> None:
    table = Timetable()
    now = at("2026-11-20T09:00")
    assert table.next("morning", now) == Slot(kind="morning", day=MONDAY, at=at("2026-11-23T08:00"))
    assert table.next("weekly", now) == Slot(kind="weekly", day=FRIDAY, at=at("2026-11-20T16:00"))
    skipped = table.next("morning", now, {MONDAY})
    assert skipped is not None and skipped.day == MONDAY + timedelta(days=1)
    never = Timetable(days=WorkingDays(weekdays=("sat",), off=frozenset(SATURDAY + timedelta(days=n * 7)
                                                                       for n in range(60))))  # fmt: skip
    assert never.next("morning", now) is None


@pytest.mark.parametrize(
    ("changes", "disorder"),
    [
        ({}, None),
        ({"morning": "08:30"}, None),
        ({"morning": "12:00"}, "morning (12:00) must come before midday (12:00)"),
        ({"evening": "11:00"}, "midday (12:00) must come before evening (11:00)"),
        ({"weekly": "mon 09:00"}, None),
    ],
)
def test_the_order_of_the_day(changes: dict[str, str], disorder: str | None) -> None:
    assert Times().changed(changes).disorder == disorder


def test_what_is_written_is_what_is_read() -> None:
    times = Times().changed({"weekly": "thu 15:30", "midday": "13:05"})
    assert (times.said("weekly"), times.said("midday"), times.weekly_on) == ("thu 15:30", "13:05", "thu")


@pytest.mark.parametrize(
    ("kind", "day", "state", "why"),
    [
        ("morning", MONDAY, None, None),
        ("morning", MONDAY, "skipped", "is skipped already"),
        ("morning", FRIDAY, "posted", "was posted already"),
        ("morning", SATURDAY, None, "2026-11-21 (sat) is a day off"),
        ("weekly", MONDAY, None, "There is no weekly report on 2026-11-23 (mon)"),
        ("morning", FRIDAY, None, "was due at 08:00, which is past"),
    ],
)
def test_what_can_be_skipped(kind: str, day: date, state: str | None, why: str | None) -> None:
    said = why_not_skip(Timetable(), kind, day, at("2026-11-20T09:00"), state)  # type: ignore[arg-type]
    assert said is None if why is None else said is not None and why in said
