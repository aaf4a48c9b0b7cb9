"""The rule of the go / no-go line, and how budgets stand (R-REP-1, R-REP-2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.forecast import Forecast, forecast
from bot.domain.outlook import outlook, pace, pace_of_sprint
from bot.domain.task import Rung
from tests.domain.report_samples import AT, DAY, a_sprint, a_task, level, some_facts

LONG_AGO = AT - timedelta(hours=3)
OLD_REVIEW = AT - timedelta(hours=5)
BEHIND = Forecast(remaining=1, early=DAY, likely=date(2026, 2, 9), late=date(2026, 2, 10), planned=date(2026, 2, 5))
MAY_SLIP = BEHIND.model_copy(update={"likely": date(2026, 2, 4)})

#: (what is so, verdict, a reason that is given)
RULE: list[tuple[dict[str, Any], str, str]] = [
    ({}, "go", ""),
    ({"used": 120_000}, "caution", "may not last: 80 % used"),
    ({"used": 142_500}, "no_go", "are used up to 95 %"),
    ({"tasks": [a_task("B", state="blocked")]}, "caution", "blocked: B"),
    ({"tasks": [a_task("B", state="blocked", priority="critical")]}, "no_go", "blocked and critical: B"),
    ({"tasks": [a_task("B", state="blocked", since=LONG_AGO)]}, "no_go", "blocked for more than 2 h: B"),
    (
        {"tasks": [a_task("R", state="in_review", since=OLD_REVIEW)]},
        "caution",
        "waits for review or approval for more than 4 h: R",
    ),
    ({"tasks": [a_task("R", state="in_review", since=LONG_AGO)]}, "go", ""),
    ({"tasks": [a_task("L", state="running", deadline=LONG_AGO)]}, "caution", "past the deadline: L"),
    ({"tasks": [a_task("L", state="merged", deadline=LONG_AGO)]}, "go", ""),
    ({"today": level(24_000, 30_000, "today's")}, "caution", "today's: 80 % used"),
    ({"rungs": {Rung.HAIKU: level(15_000, 15_000, "haiku's")}}, "caution", "haiku's: 100 % used"),
    ({"rungs": {Rung.OPUS: level(0, 0)}}, "go", ""),
    ({"forecast": BEHIND}, "no_go", "expected on 2026-02-09, after the sprint's end on 2026-02-05"),
    ({"forecast": MAY_SLIP}, "caution", "may end as late as 2026-02-10"),
]


@pytest.mark.parametrize("so, verdict, reason", RULE, ids=[f"{n}-{rule[1]}" for n, rule in enumerate(RULE)])
def test_the_rule(so: dict[str, Any], verdict: str, reason: str) -> None:
    said = dict(so)
    tasks, expected, used = said.pop("tasks", []), said.pop("forecast", None), said.pop("used", 0)
    facts = some_facts(*tasks, sprints=(a_sprint(used=used),), **said)
    found = outlook(facts, expected or forecast(facts))
    assert found.verdict == verdict
    assert reason in "; ".join(found.reasons) and bool(found.reasons) == (verdict != "go")


@pytest.mark.parametrize(
    "used, of, stands",
    [(0, 100, "on track"), (79, 100, "on track"), (80, 100, "at risk"), (94, 100, "at risk"), (95, 100, "over"),
     (0, 0, "on track"), (1, 0, "over")],
)  # fmt: skip
def test_pace(used: int, of: int, stands: str) -> None:
    assert pace(level(used, of), 0.8, 0.95) == stands


def test_a_sprint_that_spends_too_fast_is_at_risk() -> None:
    """Two of five days took 70,000 of 150,000: five would take 175,000."""
    since = DAY - timedelta(days=1)
    assert pace_of_sprint(some_facts(sprints=(a_sprint(used=70_000, first_day=since),))) == "at risk"
    assert pace_of_sprint(some_facts(sprints=(a_sprint(used=50_000, first_day=since),))) == "on track"
    assert pace_of_sprint(some_facts(sprints=(a_sprint(used=70_000),))) == "on track", "its first day"


def test_a_blocker_stands_still_on_a_weekend() -> None:
    """The time that is counted is working time."""
    monday = AT + timedelta(days=2, hours=15)  # 08:00
    task = a_task("B", state="blocked", since=AT + timedelta(hours=2, minutes=30))  # Friday 19:30
    assert outlook(some_facts(task, at=monday, day=monday.date()), Forecast(remaining=0)).verdict == "caution"
