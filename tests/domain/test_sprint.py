"""Which sprint may start, be closed, and what it may spend (R-PAR-3, R-BUD-2)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.budget import LEAN
from bot.domain.plan import PlanTask
from bot.domain.slots import Times, Timetable
from bot.domain.sprint import Sprint, current, day_one, why_not_close, why_not_start, with_budget
from bot.domain.task import Rung, TaskState
from bot.domain.working_days import WorkingDays
from bot.store.tasks import as_task
from tests.store.samples import a_task

PLANNED, OPEN, CLOSED = Sprint(number=1), Sprint(number=0, state="open"), Sprint(number=0, state="closed")
NOT_OPEN = "Sprint 0 is not open; there is nothing to close."
TASK = PlanTask(id="S1-D1-1", sprint=1, day=1, number=1, prompt="Write it", after=("S0-D1-1",))


@pytest.mark.parametrize(
    ("number", "sprints", "known", "said"),
    [
        (1, (), (), "There is no sprint 1. No plan is loaded yet."),
        (2, (CLOSED, PLANNED), (), "There is no sprint 2. There are: 0, 1."),
        (0, (CLOSED, PLANNED), (), "Sprint 0 is closed already."),
        (0, (OPEN, PLANNED), (), "Sprint 0 is open already."),
        (1, (OPEN, PLANNED), ("S0-D1-1",), "Sprint 0 is still open; close it first: `/orch sprint close 0`."),
        (1, (CLOSED, PLANNED), (), "S1-D1-1 waits for S0-D1-1, which is not queued yet. Start its sprint first."),
        (1, (CLOSED, PLANNED), ("S0-D1-1",), None),
    ],
)
def test_when_a_sprint_may_start(number: int, sprints: tuple[Sprint, ...], known: tuple[str, ...], said: str) -> None:
    assert why_not_start(number, sprints, [TASK], known) == said


def test_a_sprint_is_not_closed_while_something_merges() -> None:
    merging = as_task(a_task(state=TaskState.MERGING.value, touched=[]))
    assert "S0-D0-1 is being merged" in (why_not_close(OPEN, 0, [merging]) or "")
    assert why_not_close(OPEN, 0, [as_task(a_task(touched=[]))]) is None
    assert why_not_close(CLOSED, 0, []) == why_not_close(None, 0, []) == NOT_OPEN


def test_the_open_sprint_is_the_current_one() -> None:
    assert current([CLOSED, PLANNED]) is None and current([OPEN, PLANNED]) is OPEN


def test_a_sprints_budget_is_the_sum_and_the_config_goes_first() -> None:
    """R-BUD-2"""
    plan = {Rung.HAIKU: 3_000, Rung.SONNET: 42_000, Rung.GEMINI: 2_500}
    assert with_budget(LEAN, 1, plan).sprints == {1: 47_500}
    assert with_budget(LEAN, 1, {}).sprints == {}
    configured = LEAN.model_copy(update={"sprints": {1: 99_000}})
    assert with_budget(configured, 1, plan).sprints == {1: 99_000}


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("UTC", "2026-11-23T08:00", "2026-11-23"),
        ("UTC", "2026-11-23T16:59", "2026-11-23"),
        ("UTC", "2026-11-23T17:00", "2026-11-24"),  # the day's end has come
        ("UTC", "2026-11-23T23:59", "2026-11-24"),
        ("UTC", "2026-11-20T16:59", "2026-11-20"),  # a Friday
        ("UTC", "2026-11-20T17:30", "2026-11-23"),
        ("UTC", "2026-11-21T09:00", "2026-11-23"),  # a Saturday
        ("UTC", "2026-12-24T18:00", "2026-12-28"),  # Christmas Day, and the weekend behind it
        ("UTC", "2026-12-25T09:00", "2026-12-28"),
        ("Europe/Lisbon", "2026-03-27T17:01", "2026-03-30"),  # the clocks go forward on Sunday
        ("Europe/Lisbon", "2026-03-30T16:59", "2026-03-30"),
        ("Europe/Lisbon", "2026-10-23T17:01", "2026-10-26"),  # and back
        ("Europe/Lisbon", "2026-10-26T16:59", "2026-10-26"),
        ("Pacific/Auckland", "2026-11-23T16:59", "2026-11-23"),  # still the 23rd, at 03:59, in UTC
        ("America/Los_Angeles", "2026-11-23T17:00", "2026-11-24"),  # the 24th already in UTC
    ],
)
def test_the_first_day_of_a_sprint(zone: str, local: str, expected: str) -> None:
    """A day that is over, or is no working day, is not the first."""
    table = Timetable(zone=zone, days=WorkingDays(off=frozenset({date(2026, 12, 25)})))
    assert day_one(table, _at(local, zone)) == date.fromisoformat(expected)


def test_the_first_day_goes_by_the_teams_own_hours() -> None:
    late = Timetable(times=Times(evening=datetime(2026, 1, 1, 21).time()))
    assert day_one(late, _at("2026-11-23T20:30", "UTC")) == date(2026, 11, 23)
    every_day = Timetable(days=WorkingDays(weekdays=()))
    assert day_one(every_day, _at("2026-11-20T18:00", "UTC")) == date(2026, 11, 21)
    assert day_one(Timetable(days=WorkingDays(weekdays=("none",))), _at("2026-11-20T18:00", "UTC")) == date(
        2026, 11, 20
    )


def _at(local: str, zone: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
