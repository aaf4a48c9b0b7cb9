"""Who is asked before the stand-up, when, and with what filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from bot.domain.people_standup import LINES, TITLE, asked, board, to_ask
from bot.domain.person_settings import PersonSettings
from bot.domain.slots import Timetable
from bot.domain.task import Route, Rung, Task, TaskState, TaskType
from bot.domain.working_hours import WorkingHours

MONDAY = date(2026, 11, 23)
BEFORE = timedelta(minutes=45)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), UTC)


@pytest.mark.parametrize(
    "now, zone, skipped, found",
    [
        (at("07:14"), "UTC", (), None),
        (at("07:15"), "UTC", (), MONDAY),
        (at("07:59"), "UTC", (), MONDAY),
        (at("08:00"), "UTC", (), None),  # it is being posted
        (at("07:30"), "UTC", (MONDAY,), None),  # a lead skipped it
        (at("07:30", date(2026, 11, 22)), "UTC", (), None),  # a Sunday
        (at("06:30"), "Europe/Berlin", (), MONDAY),
        (at("07:30"), "Europe/Berlin", (), None),
    ],
)
def test_when_people_are_asked(now: datetime, zone: str, skipped: tuple[date, ...], found: date | None) -> None:
    slot = to_ask(Timetable(zone=zone), BEFORE, now, skipped)
    assert (slot.day if slot else None) == found


@pytest.mark.parametrize(
    "settings, now, is_asked",
    [
        ({}, at("07:30"), True),
        ({}, at("06:30"), False),  # the project's quiet hours
        ({}, at("07:30", date(2026, 11, 22)), False),  # a day off
        ({"quiet_from": time(20), "quiet_to": time(7, 45)}, at("07:30"), False),
        ({"quiet_from": time(20), "quiet_to": time(7, 45)}, at("07:45"), True),
        ({"away_until": date(2026, 11, 24)}, at("07:30"), False),
        ({"away_until": MONDAY}, at("07:30"), True),  # back today
        ({"zone": "America/New_York"}, at("07:30"), False),  # half past two at night there
        ({"zone": "Asia/Tokyo"}, at("07:30"), True),
    ],
)
def test_who_is_asked(settings: dict[str, Any], now: datetime, is_asked: bool) -> None:
    known = {"U0DEV": PersonSettings(**settings)} if settings else {}
    assert asked(["U0DEV", ""], known, WorkingHours(), now) == (("U0DEV",) if is_asked else ())


def a_task(task_id: str, state: TaskState, owner: str = "U0DEV", text: str = "Do it", **fields: Any) -> Task:
    route = Route(rung=Rung.HAIKU, type=TaskType.DOCS, complexity="low", security=False, reason="", rule="R-RT-1",
                  confidence=1)  # fmt: skip
    return Task(project="G", id=task_id, text=text, route=route, state=state, requester="U0DEV", owner=owner,
                token_budget=10, created_at=at("06:00"), updated_at=at("06:00"), **fields)  # fmt: skip


def test_the_form_says_what_the_board_knows() -> None:
    tasks = [
        a_task("S0-D1-1", TaskState.QUEUED),
        a_task("S0-D1-2", TaskState.QUEUED, text="Second\nwith more", priority="critical"),
        a_task("S0-D1-3", TaskState.WITH_HUMAN),
        a_task("S0-D1-4", TaskState.BLOCKED),
        a_task("S0-D1-5", TaskState.MERGING),
        a_task("S0-D1-6", TaskState.QUEUED, owner="U0TWO"),
    ]
    over = [a_task("S0-D1-8", TaskState.MERGED), a_task("S0-D1-9", TaskState.DONE, owner="U0TWO")]
    found = board("U0DEV", tasks, over)
    assert found.done == ("S0-D1-8 Do it",)
    assert [line.split()[0] for line in found.next] == ["S0-D1-3", "S0-D1-2", "S0-D1-1"], "at work, then by urgency"
    assert [choice.id for choice in found.tasks] == ["S0-D1-1", "S0-D1-2", "S0-D1-3", "S0-D1-4"]


def test_much_work_fits_into_the_form() -> None:
    """Slack's limits: 100 choices, 75 characters each."""
    found = board("U0DEV", [a_task(f"S0-D1-{n}", TaskState.QUEUED, text="word " * 99) for n in range(150)], [])
    assert len(found.tasks) == 100 and len(found.next) == LINES
    assert max(len(choice.title) for choice in found.tasks) <= TITLE
