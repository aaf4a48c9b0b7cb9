"""What people see of plans and sprints. Facts only; templates say them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.plan_budget import Planned, planned_of, review_tokens
from bot.domain.project import Project
from bot.domain.sprint import Sprint, current
from bot.domain.task import FINISHED, PAID, Rung, TaskState
from bot.errors import UserMistake
from bot.store import ledger, limit_orders, sprints, tasks
from bot.store.tables import TaskRow
from bot.workflows.intake import route_policy
from bot.workflows.learning import learned
from bot.workflows.office import Office

LISTED = 40


async def plan(office: Office, project: Project) -> dict[str, Any]:
    """Every sprint: how many tasks in which state, and tokens expected, used and allowed. Raises UserMistake."""
    today = project.day(office.now())
    async with office.db.read() as session:
        every = await sprints.of_project(session, project.key)
        if not every:
            raise UserMistake(f"{project.key} has no plan yet.", "/orch plan load NAME")
        rows = await tasks.in_project(session, project.key, ended=True)
        planned = await _forecast(office, session, project)
        lines = [await _sprint(session, project, sprint, rows, planned, today) for sprint in every]
    return {"project": project.key, "sprints": lines}


async def sprint(office: Office, project: Project, number: int | None) -> dict[str, Any]:
    """One sprint, its tasks and its tokens by rung; without a number the one that work belongs to now. Raises
    UserMistake."""
    today = project.day(office.now())
    async with office.db.read() as session:
        every = await sprints.of_project(session, project.key)
        found = _meant(every, number)
        rows = [row for row in await tasks.in_project(session, project.key, ended=True) if row.sprint == found.number]
        planned = await _forecast(office, session, project)
        facts = await _sprint(session, project, found, rows, planned, today)
        used = await ledger.used_by_rung(session, [row.pk for row in rows])
    waiting = [each for each in planned if each.task.sprint == found.number and each.task.id not in _ids(rows)]
    budget: Mapping[Rung, int] = found.budget
    by_rung = [(str(rung), used.get(rung.value, 0), budget.get(rung)) for rung in PAID]
    return {
        **facts,
        "project": project.key,
        "ad_hoc": found not in every,
        "rows": rows[:LISTED],
        "waiting": waiting[: LISTED - len(rows)] if len(rows) < LISTED else [],
        "more": max(0, len(rows) + len(waiting) - LISTED),
        "rungs": [each for each in by_rung if each[1] or each[2]],
    }


def _meant(every: Sequence[Sprint], number: int | None) -> Sprint:
    """Raises UserMistake. Sprint 0 is there without a plan too (R-MSG-4)."""
    going_on = current(every)
    if number is None and every:
        if going_on is None:
            raise UserMistake("No sprint is open.", "/orch sprint start N")
        return going_on
    found = next((each for each in every if each.number == number), None)
    if found is None and number:
        raise UserMistake(f"There is no sprint {number}.", "/orch plan show")
    return found or Sprint(number=0, state="closed" if going_on else "open")


async def _sprint(
    session: AsyncSession,
    project: Project,
    sprint: Sprint,
    rows: Sequence[TaskRow],
    planned: Sequence[Planned],
    today: date,
) -> dict[str, Any]:
    """One line about a sprint: planned tasks that are not queued count as `planned`."""
    of_it = [row for row in rows if row.sprint == sprint.number]
    waiting = [each for each in planned if each.task.sprint == sprint.number and each.task.id not in _ids(rows)]
    states = Counter({"planned": len(waiting)}) + Counter(row.state for row in of_it)
    mine = [each for each in planned if each.task.sprint == sprint.number]
    limits = await limit_orders.limits_on(session, project.limits, project.key, sprint.number, today)
    return {
        "sprint": sprint,
        "total": len(of_it) + len(waiting),
        "over": sum(row.state in FINISHED for row in of_it),
        "states": [
            (TaskState(name).words if name in set(TaskState) else name, count) for name, count in states.items()
        ],
        "expected": sum(each.expected for each in mine) + review_tokens(mine),
        "used": await sprints.used_tokens(session, project.key, sprint.number),
        "allowed": limits.sprints.get(sprint.number, limits.sprint),
    }


async def _forecast(office: Office, session: AsyncSession, project: Project) -> tuple[Planned, ...]:
    """What the tasks of plans are expected to take."""
    asked = [sprints.as_plan_task(row) for row in await sprints.plan_rows(session, project.key)]
    history = await learned(session, project, office.price, office.now())
    return planned_of(asked, route_policy(project, history), project.limits)


def _ids(rows: Sequence[TaskRow]) -> set[str]:
    return {row.task_id for row in rows}
