"""Plans as they are read: values, dependencies, deadlines, people (R-MSG-4, R-PAR-3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.adapters.plan_file import load_plan
from bot.domain.plan import PlanTask, person_of, unknown_owners
from bot.domain.plan_fields import DayTime
from bot.domain.task import Rung, TaskType
from tests.domain.plans import task, two

GOOD = """\
name: demo
title: A demo
sprints:
  - {number: 1, title: First, days: 5, budget: {haiku: 4000, sonnet: 5k}}
tasks:
  - id: S1-D1-1
    title: Set-up
    prompt: Set up the monorepo
    type: setup
    files: [package.json, ./turbo.json]
    checks: npm test
    success_criteria: [docker compose up]
    blockers_if_fail: [S1-D1-2]
    priority: critical
    deadline: D1 10:30
    token_budget: 2,000
    owner: human-dev-1
  - id: s1-d1-2
    text: Implement the orders service
    deadline: 2026-02-03 17:00
    security: no
"""


def test_a_plan_is_read() -> None:
    plan = load_plan(GOOD)
    one, other = plan.tasks
    assert (plan.name, plan.title, plan.sprints[0].budget) == ("demo", "A demo", {Rung.HAIKU: 4000, Rung.SONNET: 5000})
    assert one.text == "Set-up\n\nSet up the monorepo" and other.text == "Implement the orders service"
    assert (one.sprint, one.day, one.number, one.line) == (1, 1, 1, 6)
    assert (one.type, one.files, one.checks) == (TaskType.SETUP, ("package.json", "turbo.json"), ("npm test",))
    assert (one.priority, one.token_budget, one.owner) == ("critical", 2000, "human-dev-1")
    assert one.deadline == DayTime(day=1, at=time(10, 30))
    assert (other.id, other.security, other.deadline) == ("S1-D1-2", False, datetime(2026, 2, 3, 17))


def test_a_dependency_is_known_at_both_ends() -> None:
    """R-PAR-3: blockers_if_fail of A = the tasks that cannot start if A fails."""
    for plan in (
        load_plan(two("blockers_if_fail: [S1-D1-2]", "title: t")),
        load_plan(two("title: t", "after: s1-d1-1")),
    ):
        one, other = plan.tasks
        assert one.blockers_if_fail == ("S1-D1-2",) and other.after == ("S1-D1-1",)
        assert plan.graph == {"S1-D1-1": (), "S1-D1-2": ("S1-D1-1",)}


def test_sprints_may_be_left_out_and_after_may_name_tasks_of_the_project() -> None:
    plan = load_plan(task("after: [S0-D1-1]"), known={"S0-D1-1"})
    assert [sprint.number for sprint in plan.sprints] == [1]
    assert plan.task("S1-D1-1").after == ("S0-D1-1",)


def test_the_messages_own_names_work() -> None:
    """R-MSG-1"""
    plan = load_plan(
        "name: d\ntasks:\n- {task_id: S1-D2-3, sprint: 1, day: 2, mcp_assignment: gemini-bridge, prompt: Look it over, "
        "assigned_to: <@U0DEV>, model: gemini-3.8-flash}"
    )
    one = plan.tasks[0]
    assert (one.id, one.model, one.owner) == ("S1-D2-3", Rung.GEMINI, "U0DEV")


BRIDGES = [
    ("mcp_assignment: claude-bridge", None),
    ("mcp_assignment: gemini-bridge", Rung.GEMINI),
    ("mcp_assignment: manual", Rung.MANUAL),
    ("model: haiku-4.5-20251001", Rung.HAIKU),
    ("model: sonnet-3.5\nmcp_assignment: claude-bridge", Rung.SONNET),
]


@pytest.mark.parametrize(("lines", "model"), BRIDGES)
def test_a_bridge_means_its_rung(lines: str, model: Rung | None) -> None:
    assert load_plan(task(lines)).tasks[0].model == model


LISBON = ZoneInfo("Europe/Lisbon")
DEADLINES = [
    ("D2 17:00", datetime(2026, 7, 7, 16, tzinfo=UTC)),
    ("day 2, 17:00", datetime(2026, 7, 7, 16, tzinfo=UTC)),
    ("D1", datetime(2026, 7, 6, 22, 59, tzinfo=UTC)),
    ("2026-07-10 10:30", datetime(2026, 7, 10, 9, 30, tzinfo=UTC)),
    ("2026-07-10", datetime(2026, 7, 10, 22, 59, tzinfo=UTC)),
    ("2026-07-10T10:30Z", datetime(2026, 7, 10, 10, 30, tzinfo=UTC)),
    ("2026-07-10 10:30+02:00", datetime(2026, 7, 10, 8, 30, tzinfo=UTC)),
    ('""', None),
]


@pytest.mark.parametrize(("written", "expected"), DEADLINES)
def test_times_without_a_zone_are_in_the_projects(written: str, expected: datetime | None) -> None:
    one = load_plan(task(f"deadline: {written}")).tasks[0]
    assert one.deadline_at(lambda day: date(2026, 7, 5) + timedelta(days=day), LISBON) == expected


def test_owners_are_aliases_or_ids() -> None:
    aliases = {"human-dev-1": "U0DEV"}
    assert [person_of(name, aliases) for name in ("human-dev-1", "U0TWO", "human-dev-2", "Uwe")] == [
        "U0DEV", "U0TWO", None, None,
    ]  # fmt: skip
    plan = load_plan(task("owner: human-dev-2"))
    assert [owner for _, owner in unknown_owners(plan, aliases)] == ["human-dev-2"]


def test_tasks_are_plain_values() -> None:
    one = PlanTask(id="S0-D0-1", sprint=0, day=0, number=1, prompt="p")
    assert one.route_request.text == "p" and one.deadline_at(lambda _: date(2026, 1, 1), LISBON) is None
