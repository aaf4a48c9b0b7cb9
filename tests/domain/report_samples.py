"""Facts for reports, with sensible defaults; and those of the plan's own examples (EXAMPLES.md)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.domain.budget import LEAN, Level, Limit
from bot.domain.report_facts import Facts, PlannedFact, SprintFact, TaskFact
from bot.domain.sprint import Sprint
from bot.domain.task import Rung, TaskState, TaskType

DAY = date(2026, 1, 30)  # a Friday
AT = datetime(2026, 1, 30, 17, 0, tzinfo=UTC)


def a_task(task_id: str, title: str = "Something", state: str = "queued", **fields: Any) -> TaskFact:
    known: dict[str, Any] = {
        "id": task_id, "title": title, "state": TaskState(state), "rung": Rung.HAIKU, "type": TaskType.SETUP,
        "sprint": 0, "created_at": AT - timedelta(hours=8), "since": AT - timedelta(hours=1),
    }  # fmt: skip
    return TaskFact(**known | fields)


def a_planned(task_id: str, title: str = "Something", **fields: Any) -> PlannedFact:
    known = {"id": task_id, "title": title, "sprint": 1, "day": 1, "rung": Rung.SONNET, "type": TaskType.AUTH}
    return PlannedFact(**known | fields)


def level(used: int, of: int, name: str = "the tokens", reserved: int = 0) -> Level:
    return Level(limit=Limit(scope=name, name=name, tokens=of), used_tokens=used, reserved_tokens=reserved)


def a_sprint(
    number: int = 0, used: int = 0, of: int = 150_000, *, microusd: int = 0, first_day: date | None = DAY, **fields: Any
) -> SprintFact:
    sprint = Sprint(number=number, state=fields.pop("state", "open"), first_day=first_day, **fields)
    return SprintFact(sprint=sprint, level=level(used, of, f"the tokens of sprint {number}"), microusd=microusd)


def some_facts(*tasks: TaskFact, used: int = 0, **fields: Any) -> Facts:
    ended = {t.id: t.since.date() for t in tasks if not t.open}
    known: dict[str, Any] = {
        "project": "GRANTER", "day": DAY, "at": AT, "limits": LEAN, "tasks": tasks,
        "today": level(used, 30_000, f"the tokens for {DAY}"), "sprints": (a_sprint(used=used),),
        "urgent": tuple(t.id for t in tasks if t.state is TaskState.QUEUED), "ended_on": ended,
    }  # fmt: skip
    return Facts(**known | fields)


def the_plans_day() -> Facts:
    """EXAMPLES.md, "Daily stand-up, as facts": 60 % of the way is done once the review is."""
    return some_facts(
        a_task("S0-D1-1", "Turbo setup", "merged", tokens=1_800, microusd=4_000),
        a_task("S0-D1-2", "Next.js boilerplate", "done", tokens=2_100, microusd=5_000),
        a_task("S0-D1-3", "NestJS boilerplate", "awaiting_approval"),
        a_task("S0-D2-1", "Docker Compose", priority="critical"),
        planned=(a_planned("S0-D2-2", "TypeORM schema", sprint=0, type=TaskType.SCHEMA),),
        project="GRANTER v2",
        used=3_900,
    )


def the_plans_week() -> Facts:
    """EXAMPLES.md, "Weekly report, as facts"; a budget of $25 is $5 for each of five days. 19 of 20 tasks are 95 %."""
    monday = date(2026, 1, 26)
    milestones = ("Monorepo set up", "5 services dockerised", "CI/CD pipeline configured")
    done = [a_task(f"S0-D1-{n}", title, "merged", priority="critical") for n, title in enumerate(milestones, 1)]
    done += [
        a_task(f"S0-D{n}-9", f"Part {n}", "merged", since=AT - timedelta(days=1 + n % 4), tokens=100) for n in range(16)
    ]
    friday = datetime(2026, 1, 30, 18, 0, tzinfo=UTC)
    left = a_task("S0-D5-1", "Local environment validated", "with_human", type=TaskType.VALIDATION, rung=Rung.MANUAL,
                  deadline=friday)  # fmt: skip
    coming = [a_planned(f"S1-D1-{n}", "Auth", priority="critical", tokens=9_500, microusd=270_000) for n in range(5)]
    return some_facts(
        *done,
        left,
        project="GRANTER v2",
        limits=LEAN.model_copy(update={"daily_microusd": 5_000_000}),
        sprints=(
            a_sprint(0, 42_300, microusd=980_000, first_day=monday, title="Set-up"),
            a_sprint(1, title="Auth and security", state="planned", first_day=None),
        ),
        planned=tuple(coming),
    )
