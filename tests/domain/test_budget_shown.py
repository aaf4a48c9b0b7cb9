"""Who took how much of a budget, and where the day will end (R-BUD-3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.budget_shown import FEW, Taken, parts, projection
from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours

LISBON = WorkingHours(zone="Europe/Lisbon")  # open from 7:00 to 20:00: 13 hours
FRIDAY, SATURDAY = date(2026, 1, 30), date(2026, 1, 31)


def at(hour: int, minute: int = 0, day: date = FRIDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


TAKEN = [
    Taken(task="A", person="U1", rung="haiku", used=100, reserved=20, microusd=5),
    Taken(task="A", person="U1", rung="gemini", used=50, microusd=3),
    Taken(task="B", person="U1", rung="haiku", used=30, microusd=1),
    Taken(task="C", person="U2", rung="sonnet", used=200, microusd=90),
]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("task", [("C", 200, 0, 90), ("A", 150, 20, 8), ("B", 30, 0, 1)]),
        ("person", [("U1", 180, 20, 9), ("U2", 200, 0, 90)]),
        ("rung", [("sonnet", 200, 0, 90), ("haiku", 130, 20, 6), ("gemini", 50, 0, 3)]),
    ],
)
def test_parts_are_summed_the_largest_first(by: str, expected: list[tuple[str, int, int, int]]) -> None:
    assert [(p.name, p.used, p.reserved, p.microusd) for p in parts(TAKEN, by)] == expected


@pytest.mark.parametrize(("number", "named", "rest"), [(0, 0, 0), (FEW, FEW, 0), (FEW + 1, FEW + 1, 0), (40, FEW, 35)])
def test_beyond_a_few_the_rest_is_one_sum(number: int, named: int, rest: int) -> None:
    many = [Taken(task=f"T{n:02}", person="U", rung="haiku", used=n + 1, microusd=n) for n in range(number)]
    found = parts(many, "task")
    assert len([p for p in found if p.name]) == named
    assert [p.count for p in found if not p.name] == ([rest] if rest else [])
    assert sum(p.used for p in found) == sum(t.used for t in many)
    assert sum(p.microusd for p in found) == sum(t.microusd for t in many)


@pytest.mark.parametrize(
    ("used", "reserved", "now", "tokens"),
    [
        (0, 0, at(12), 0),
        (1_000, 0, at(8), 13_000),  # an hour of thirteen
        (6_500, 0, at(13, 30), 13_000),  # half of them
        (6_500, 9_000, at(13, 30), 15_500),  # never less than what is taken
        (9_000, 0, at(21), 9_000),  # the working day is over
        (9_000, 500, at(23, 59), 9_500),
    ],
)
def test_a_day_ends_at_the_rate_of_its_working_hours(used: int, reserved: int, now: datetime, tokens: int) -> None:
    assert projection(used, reserved, LISBON, FRIDAY, now).tokens == tokens


@pytest.mark.parametrize(
    ("now", "day", "words"),
    [
        (at(0, 10), FRIDAY, "too early"),
        (at(7, 59), FRIDAY, "too early"),
        (at(12, day=SATURDAY), SATURDAY, "a day off"),
        (at(12) - timedelta(days=1), FRIDAY, "too early"),  # a clock that goes back
    ],
)
def test_where_nothing_can_be_said_it_is_said(now: datetime, day: date, words: str) -> None:
    found = projection(5_000, 0, LISBON, day, now)
    assert found.tokens is None and words in found.why_none


def test_a_day_of_23_hours_has_an_hour_less() -> None:
    """The clocks go forward in Lisbon on Sunday 29 March 2026, at 1:00."""
    day = date(2026, 3, 29)
    hours = WorkingHours(zone="Europe/Lisbon", days=WorkingDays(weekdays=()), quiet=(time(0), time(0)))
    assert projection(2_300, 0, hours, day, datetime(2026, 3, 29, 11, 30, tzinfo=UTC)).tokens == 4_600
