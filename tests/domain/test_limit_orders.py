"""R-BUD, R-APR: what leads order about limits, by the project's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.budget import LEAN, LimitName, limits_of_call
from bot.domain.limit_orders import Order, defer_order, deferral, raise_order, raised
from bot.domain.project import Project
from bot.domain.task import Rung
from bot.domain.working_days import WorkingDays
from bot.errors import UserMistake
from bot.settings import parse_config

MONDAY = date(2026, 2, 2)


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def a_raise(limit: LimitName, tokens: int = 5_000, until: date | None = None, sprint: int = 1) -> Order:
    return raise_order(limit, tokens, until, today=MONDAY, sprint=sprint, who="U0LEAD")


#: order, day (0 = Monday), sprint; then what haiku's day, the day, and the sprint have more.
RAISES = [
    (a_raise("haiku"), 0, 1, (5_000, 0, 0)),
    (a_raise("haiku"), 1, 1, (0, 0, 0)),  # it ends with the day
    (a_raise("haiku"), -1, 1, (0, 0, 0)),  # a clock that goes back does not carry it along
    (a_raise("day", until=day(2)), 2, 1, (0, 5_000, 0)),  # the last day is included
    (a_raise("day", until=day(2)), 3, 1, (0, 0, 0)),
    (a_raise("sprint"), 30, 1, (0, 0, 5_000)),  # as long as the sprint
    (a_raise("sprint"), 0, 2, (0, 0, 0)),
    (a_raise("sprint", until=day(1)), 2, 1, (0, 0, 0)),
]


@pytest.mark.parametrize("order, offset, sprint, more", RAISES)
def test_a_raise_holds_for_its_period_only(order: Order, offset: int, sprint: int, more: tuple[int, int, int]) -> None:
    """R-BUD-1"""
    now = raised(LEAN, [order], day(offset), sprint)
    was = (LEAN.day.rungs[Rung.HAIKU], LEAN.day.total, LEAN.sprint)
    found = (now.day.rungs[Rung.HAIKU], now.day.total, now.sprints.get(sprint, now.sprint))
    assert tuple(b - a for a, b in zip(was, found, strict=True)) == more
    assert now.day.rungs[Rung.SONNET] == LEAN.day.rungs[Rung.SONNET]


def test_raises_add_up() -> None:
    now = raised(LEAN, [a_raise("opus", 100), a_raise("opus", 200)], MONDAY, 0)
    assert now.day.rungs[Rung.OPUS] == 300


@pytest.mark.parametrize(
    "tokens, until, said",
    [
        (0, None, "out of range"),
        (-5, None, "out of range"),
        (100_000_001, None, "out of range"),
        (5, MONDAY - timedelta(days=1), "is over already"),
        (5, MONDAY + timedelta(days=400), "too far away"),
    ],
)
def test_what_cannot_be_raised(tokens: int, until: date | None, said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        a_raise("day", tokens, until)


@pytest.mark.parametrize(
    "today, last",
    [(MONDAY, MONDAY), (day(4), day(6)), (day(5), day(6))],  # Friday's work goes on on Monday
)
def test_deferred_to_the_next_working_day(today: date, last: date) -> None:
    order = defer_order("sonnet", today=today, sprint=1, days=WorkingDays(), who="U0LEAD")
    assert order.last == last
    assert deferral([order], ["sonnet", "day", "sprint"], last, 1) == order
    assert deferral([order], ["sonnet"], last + timedelta(days=1), 1) is None, "it starts by itself"
    assert deferral([order], ["sonnet"], today - timedelta(days=1), 1) == order, "not by a clock that goes back"
    assert deferral([order], ["haiku", "day", "sprint"], last, 1) is None
    assert deferral([order, a_raise("day")], ["sonnet", "day"], today, 1) == order, "a raise of another limit"


#: Days of 23 and 25 hours, one without a midnight, and one of 24 and a half.
ODD = [
    ("Europe/Lisbon", date(2026, 3, 29), 23.0),
    ("Europe/Lisbon", date(2026, 10, 25), 25.0),
    ("America/New_York", date(2026, 3, 8), 23.0),
    ("Asia/Beirut", date(2026, 3, 29), 23.0),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ("Asia/Kathmandu", date(2026, 5, 5), 24.0),
]


@pytest.mark.parametrize("name, odd, hours", ODD)
def test_a_day_has_one_budget_however_long_it_is(name: str, odd: date, hours: float) -> None:
    """R-BUD-4: its hours all count against the same counters, and a raise for the day holds in each of them."""
    limits = parse_config({}).limits
    project = Project(key="P", channel="C", branch="main", timezone=name, limits=limits, models={})
    start = datetime.combine(odd - timedelta(days=1), time(0), UTC)
    quarters = [start + timedelta(minutes=15 * n) for n in range(4 * 72)]
    within = [at for at in quarters if project.day(at) == odd]
    assert len(within) == hours * 4
    assert within[-1] - within[0] == timedelta(hours=hours, minutes=-15), "without a gap, and never twice"
    facts = {"project": "P", "task": "T", "attempt": 1, "sprint": 1, "rung": Rung.HAIKU, "budget": 0}
    scopes = {limits_of_call(limits, **facts, day=project.day(at))[0].scope for at in within}  # type: ignore[arg-type]
    assert scopes == {f"P/day/{odd}/haiku"}
    order = raise_order("haiku", 5, None, today=odd, sprint=1, who="U0LEAD")
    assert {at for at in quarters if order.holds(project.day(at), 1)} == set(within)
