"""When the work will be finished, by how fast it was so far."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest

from bot.domain.forecast import HORIZON, daily_finishes, days_needed, forecast
from bot.domain.working_days import WorkingDays
from tests.domain.report_samples import AT, a_planned, a_sprint, a_task, some_facts

MONDAY = date(2026, 1, 26)


@pytest.mark.parametrize(
    "remaining, history, early, likely, late",
    [
        (10, [5], 2, 2, 2),
        (11, [5], 3, 3, 3),
        (1, [0, 1], 1, 1, 4),  # half of all days finish one: 1 - 0.5 ** 4 is beyond nine of ten
        (4, [0, 4], 1, 1, 4),
        (2, [0, 0, 0, 1], 3, 7, 15),
        (5, [0], None, None, None),
    ],
)
def test_days_needed(
    remaining: int, history: list[int], early: int | None, likely: int | None, late: int | None
) -> None:
    assert [days_needed(remaining, history, share) for share in (0.1, 0.5, 0.9)] == [early, likely, late]


def test_it_is_what_very_many_draws_would_say() -> None:
    random, history, remaining = Random(7), [0, 1, 1, 3, 6], 12
    needed: Counter[int] = Counter()
    for _ in range(20_000):
        days, done = 0, 0
        while done < remaining:
            days, done = days + 1, done + random.choice(history)
        needed[days] += 1
    for share in (0.1, 0.5, 0.9):
        drawn = next(n for n in range(1, 99) if sum(c for d, c in needed.items() if d <= n) >= share * 20_000)
        assert days_needed(remaining, history, share) == drawn


def test_weekends_belong_to_the_friday_before() -> None:
    ended = {"a": MONDAY, "b": MONDAY + timedelta(days=4), "c": MONDAY + timedelta(days=5), "d": MONDAY}
    assert daily_finishes(ended, WorkingDays(), MONDAY + timedelta(days=7)) == [2, 0, 0, 0, 2, 0]
    assert daily_finishes({}, WorkingDays(), MONDAY) == []


def test_the_range_and_the_sprints_end() -> None:
    done = [a_task(f"S0-D1-{n}", state="merged", since=AT - timedelta(days=1 + n % 4)) for n in range(8)]
    left = [a_task(f"S0-D5-{n}", state="queued") for n in range(6)]
    found = forecast(some_facts(*done, *left, sprints=(a_sprint(first_day=MONDAY),)))
    assert (found.remaining, found.likely, found.planned) == (6, date(2026, 2, 3), date(2026, 1, 30))
    assert found.behind and found.may_slip


def test_expected_cost_goes_by_what_such_tasks_took() -> None:
    done = a_task("S0-D1-1", state="merged", tokens=1_000, microusd=400)
    begun = a_task("S0-D1-2", state="running", tokens=300, microusd=100)
    other = a_task("S0-D1-3", rung="sonnet", expected_tokens=5_000, expected_microusd=9_000)
    planned = a_planned("S0-D2-1", sprint=0, tokens=70, microusd=7)
    found = forecast(some_facts(done, begun, other, planned=(planned,), sprints=(a_sprint(used=1_300, microusd=500),)))
    assert found.expected_microusd == 500 + (400 - 100) + 9_000 + 7
    assert found.expected_tokens == 1_300 + 700 + 5_000 + 70


@pytest.mark.parametrize(
    "states, unknown",
    [(["queued"], "no day has passed yet"), ([*["queued"] * 300, "merged"], f"more than {HORIZON} working days")],
)
def test_it_says_why_it_knows_no_date(states: list[str], unknown: str) -> None:
    tasks = [a_task(f"S0-D1-{n}", state=state, since=AT - timedelta(days=2)) for n, state in enumerate(states)]
    found = forecast(some_facts(*tasks))
    assert unknown in found.unknown and found.likely is None and not found.behind


def test_nothing_left_is_finished_today() -> None:
    assert forecast(some_facts(a_task("S0-D1-1", state="done"))).likely == date(2026, 1, 30)
