"""R-BUD, R-APR: what leads order about limits, by the project's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.budget import LEAN, LimitName, limits_of_call
from bot.domain.limit_orders import Order, defer_order, deferral, raise_order, raised, without_raises
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


def dollars(limit: LimitName, microusd: int, until: date | None = None) -> Order:
    return raise_order(limit, 0, until, today=MONDAY, sprint=1, who="U0LEAD", microusd=microusd)


@pytest.mark.parametrize(
    ("order", "offset", "sprint", "day_has", "sprint_has"),
    [
        (dollars("day", 500), 0, 1, 1_500, 9_000),
        (dollars("day", 500), 1, 1, 1_000, 9_000),
        (dollars("day", 500, day(1)), 1, 1, 1_500, 9_000),
        (dollars("sprint", 500), 30, 1, 1_000, 9_500),
        (dollars("sprint", 500), 0, 2, 1_000, 9_000),
        (a_raise("day"), 0, 1, 1_000, 9_000),  # tokens are no dollars
    ],
)
def test_dollars_are_raised_like_tokens(order: Order, offset: int, sprint: int, day_has: int, sprint_has: int) -> None:
    limited = LEAN.model_copy(update={"daily_microusd": 1_000, "sprint_microusd": 9_000})
    now = raised(limited, [order], day(offset), sprint)
    assert (now.daily_microusd, now.sprint_microusd) == (day_has, sprint_has)
    if order.microusd:
        assert now.day == limited.day, "dollars are no tokens"
    unlimited = raised(LEAN, [order], day(offset), sprint)
    assert (unlimited.daily_microusd, unlimited.sprint_microusd) == (None, None), "no limit comes into being by a raise"


def test_absurd_dollars_are_refused() -> None:
    for microusd in (-1, 10**15):
        with pytest.raises(UserMistake, match="At most"):
            dollars("day", microusd)
    with pytest.raises(UserMistake, match="out of range"):
        dollars("day", 0)


@pytest.mark.parametrize(
    ("had", "usual_then", "usual_now", "moved", "expected"),
    [
        (2_000, 2_000, 2_000, False, 2_000),
        (1_000, 2_000, 2_000, False, 1_000),  # somebody asked for less
        (2_000, 2_000, 5_000, True, 5_000),  # it escalated, and has the rung's usual budget (R-ESC-8)
        (8_000, 2_000, 5_000, True, 8_000),  # what somebody asked for stays, where it is more
        (1_000, 2_000, 5_000, True, 5_000),
        (5_000, 5_000, 2_000, True, 2_000),  # it was downgraded
    ],
)
def test_what_a_task_has_without_what_leads_added(
    had: int, usual_then: int, usual_now: int, moved: bool, expected: int
) -> None:
    assert without_raises(had, usual_then, usual_now, moved=moved) == expected


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
