"""R-BUD-5: which calls may wait for a batch, and until when. By default only those of low priority (DESIGN, "Model
wire")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.batching import WHENEVER, latest, may_batch, may_begin, waits_until
from bot.domain.budget import LEAN
from bot.domain.calls import Purpose
from bot.domain.project import Project
from bot.domain.task import Route, Rung, Task, TaskState, TaskType

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROUTE = Route(
    rung=Rung.HAIKU, type=TaskType.DOCS, complexity="low", security=False, reason="r", rule="R-RT-1", confidence=1.0
)


def project(**leaning: Any) -> Project:
    """Its people work from 07:00 to 20:00 UTC, and have four hours for a review."""
    return Project(key="P", channel="", branch="main", limits=LEAN, models={}, **leaning)


def task(number: int, **fields: Any) -> Task:
    at = MONDAY + timedelta(seconds=number)
    return Task(project="P", id=f"S0-D0-{number}", text="t", route=ROUTE, created_at=at, updated_at=at, **fields)


def at(day: int, clock: str) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    return datetime(2026, 11, day, hours, minutes, tzinfo=UTC)


LOW_ONLY = project()
NOTHING = project(batch_low_priority=False)
BY_DEADLINE = project(batch_by_deadline=True)
REVIEWS = project(batch_by_deadline=True, batch_reviews=True)


@pytest.mark.parametrize(
    ("leaning", "purpose", "rung", "expected"),
    [
        (LOW_ONLY, "edit", Rung.HAIKU, True),
        (LOW_ONLY, "repair", Rung.SONNET, True),
        (LOW_ONLY, "report", Rung.OPUS, True),
        (LOW_ONLY, "triage", Rung.HAIKU, False),  # waited for by something more urgent
        (LOW_ONLY, "split", Rung.SONNET, False),
        (LOW_ONLY, "review", Rung.GEMINI, False),
        (BY_DEADLINE, "report", Rung.GEMINI, False),
        (REVIEWS, "review", Rung.GEMINI, True),
        (REVIEWS, "report", Rung.GEMINI, True),
        (NOTHING, "edit", Rung.HAIKU, False),
    ],
)
def test_which_calls_go_into_batches_at_all(leaning: Project, purpose: Purpose, rung: Rung, expected: bool) -> None:
    assert may_batch(leaning, purpose, rung) is expected


DEADLINE = at(23, "17:00")
LAST = at(23, "13:00")  # four working hours before it
FAR, FARTHEST = at(24, "09:00"), at(23, "18:00")  # two hours of the next day, and two of this one


@pytest.mark.parametrize(
    ("leaning", "fields", "expected"),
    [
        (LOW_ONLY, {"priority": "low"}, WHENEVER),
        (LOW_ONLY, {"priority": "low", "deadline": DEADLINE}, WHENEVER),
        (LOW_ONLY, {}, None),
        (LOW_ONLY, {"deadline": FAR}, None),
        (NOTHING, {"priority": "low"}, None),
        (BY_DEADLINE, {"deadline": DEADLINE}, LAST),
        (BY_DEADLINE, {"deadline": FAR}, FARTHEST),
        (BY_DEADLINE, {"deadline": DEADLINE, "priority": "high"}, LAST),
        (BY_DEADLINE, {"deadline": DEADLINE, "priority": "low"}, LAST),
        (BY_DEADLINE, {"deadline": DEADLINE, "priority": "critical"}, None),  # now, whatever its deadline
        (BY_DEADLINE, {"priority": "low"}, WHENEVER),
        (BY_DEADLINE, {}, None),  # nobody said that there is time
    ],
)
def test_until_when_an_answer_may_be_waited_for(
    leaning: Project, fields: dict[str, Any], expected: datetime | None
) -> None:
    one = task(1, **fields)
    assert waits_until(leaning, one, latest(leaning, [one])) == expected


def test_what_waits_for_a_task_counts_as_well() -> None:
    first, second = task(1, deadline=at(27, "17:00")), task(2, deadline=at(24, "12:00"), after=("S0-D0-1",))
    third = task(3, after=("S0-D0-1",))
    due = latest(BY_DEADLINE, [first, second, third])
    assert due == {"S0-D0-2": at(24, "08:00"), "S0-D0-1": at(23, "17:00")}, "four hours for each of the two"
    over = second.model_copy(update={"state": TaskState.CANCELLED})
    assert latest(BY_DEADLINE, [first, over, third]) == {"S0-D0-1": at(27, "13:00")}


def test_so_does_what_waits_for_a_file_of_it() -> None:
    """R-PAR-2"""
    holder = task(1, files=("a.md",), deadline=at(27, "17:00"), state=TaskState.RUNNING)
    waiting = task(2, files=("a.md",), deadline=at(24, "12:00"))
    assert latest(BY_DEADLINE, [holder, waiting])["S0-D0-1"] == at(23, "17:00")
    elsewhere = waiting.model_copy(update={"files": ("b.md",)})
    assert latest(BY_DEADLINE, [holder, elsewhere])["S0-D0-1"] == at(27, "13:00")


def test_a_circle_waits_for_nothing() -> None:
    both = [task(1, after=("S0-D0-2",), deadline=DEADLINE), task(2, after=("S0-D0-1",), deadline=DEADLINE)]
    assert latest(BY_DEADLINE, both) == {}


@pytest.mark.parametrize(
    ("now", "purpose", "rung", "expected"),
    [
        (LAST - HOUR, "edit", Rung.SONNET, True),
        (LAST - HOUR + timedelta(seconds=1), "edit", Rung.SONNET, False),  # most batches take up to an hour
        (LAST + HOUR, "edit", Rung.SONNET, False),
        (LAST - HOUR, "review", Rung.GEMINI, True),
    ],
)
def test_it_begins_only_where_there_is_room(now: datetime, purpose: Purpose, rung: Rung, expected: bool) -> None:
    one = task(1, deadline=DEADLINE)
    assert may_begin(REVIEWS, one, latest(REVIEWS, [one]), purpose, rung, now) is expected


def test_a_review_that_people_want_soon_does_not_wait() -> None:
    """R-MET: half of the time that a review may take is for the wait."""
    hasty = project(batch_by_deadline=True, batch_reviews=True, review_sla=timedelta(minutes=90))
    one = task(1, deadline=at(27, "17:00"))
    assert not may_begin(hasty, one, latest(hasty, [one]), "review", Rung.GEMINI, MONDAY)
    assert may_begin(hasty, one, latest(hasty, [one]), "edit", Rung.HAIKU, MONDAY)
