"""Work that waits for budget (R-BUD-3): it keeps its place, says what it waits for, and goes on by itself when there is
room again: on the next day, after a raise, or when other calls used less than they reserved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import Level, Limit, Limits, limits_of_call
from bot.domain.budget_waits import Need, Stuck, short, stuck
from bot.domain.project import Project
from bot.domain.task import Rung, TaskState
from bot.store import attempts, ledger, limit_orders, tasks
from bot.store.tables import TaskRow
from bot.workflows.attempts import needs_approval
from bot.workflows.office import ORCH, Office


async def waits(office: Office, session: AsyncSession, project: Project, rows: Sequence[TaskRow]) -> dict[str, Stuck]:
    """Task id -> what it waits for, of those queued tasks that no budget is left for now. What a person has to approve
    first waits for them: opus has a budget only then."""
    queued = [row for row in rows if row.state == TaskState.QUEUED and row.route["rung"] != Rung.MANUAL]
    going_on = await attempts.open_of(session, queued)  # their work is paid for
    paid = [row for row in queued if not needs_approval(row) and row.pk not in going_on]
    if not paid:
        return {}
    day = project.day(office.now())
    orders = await limit_orders.standing(session, project.key, day)
    held = {
        sprint: await limit_orders.limits_on(session, project.limits, project.key, sprint, day)
        for sprint in {row.sprint for row in paid}
    }
    limits = {
        (row.pk, rung): _limits(held[row.sprint], row, rung, day)
        for row in paid
        for rung in {Rung(row.route["rung"]), Rung.SONNET}
    }
    needed = {limit.scope: limit for each in limits.values() for limit in each}
    levels = {level.limit.scope: level for level in await ledger.levels(session, list(needed.values()))}

    def level(limit: Limit) -> Level:
        return levels[limit.scope].model_copy(update={"limit": limit})

    found: dict[str, Stuck | None] = {}
    for row in paid:
        rung = Rung(row.route["rung"])
        found[row.task_id] = stuck(
            rung, _need(row), [level(limit) for limit in limits[row.pk, rung]], orders,
            day=day, sprint=row.sprint, red=project.limits.red, sonnet=level(limits[row.pk, Rung.SONNET][0]),
        )  # fmt: skip
    return {task_id: what for task_id, what in found.items() if what is not None}


def _limits(limits: Limits, row: TaskRow, rung: Rung, day: date) -> tuple[Limit, ...]:
    """Those of the day and the sprint that a call of the task counts against."""
    approved = rung is Rung.OPUS and row.opus_approved_by is not None
    found = limits_of_call(
        limits, project=row.project, task=row.task_id, attempt=row.attempt, sprint=row.sprint, rung=rung, day=day,
        budget=1 if approved else 0, approved=approved,
    )  # fmt: skip
    return tuple(limit for limit in found if limit.kind)


async def review_waits(office: Office, session: AsyncSession, project: Project, row: TaskRow) -> str | None:
    """Why a review that was refused for want of budget cannot be made yet. It belongs to work that has started, so
    only what is left counts, not the red mark."""
    if not row.needs_tokens:
        return None
    day = project.day(office.now())
    held = await limit_orders.limits_on(session, project.limits, project.key, row.sprint, day)
    levels = await ledger.levels(session, _limits(held, row, Rung.GEMINI, day))
    return next((why for level in levels if (why := short(level, _need(row), None))), None)


async def wait_for_budget(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """The running attempt could not be paid for: nothing was sent, it does not count, and it is made when there is
    room."""
    await attempts.end(session, row, at=office.now(), outcome="day", why=why)
    if row.start_commit is None:
        row.base_commit = None
    await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=ORCH, kind="budget_waits", why=why,
                     detail={"rule": "R-BUD-3"})  # fmt: skip
    row.waits_for = f"waiting for budget: {why}"


def _need(row: TaskRow) -> Need:
    return Need(tokens=row.needs_tokens, microusd=row.needs_microusd)
