"""What `/orch budget` shows: the counters, who took what of them, and what waits. Facts only; templates say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import attempt_limit
from bot.domain.budget_shown import parts, projection
from bot.domain.project import Project
from bot.domain.task import PAID, TaskState
from bot.listeners.sights import find
from bot.store import ledger, limit_orders, taken, tasks
from bot.store.tables import TaskRow
from bot.workflows.budget_levels import counters
from bot.workflows.budget_waits import waits
from bot.workflows.office import Office

#: So many calls, and so many waiting tasks, are named.
SHOWN = 5
#: So many of a task's calls, the newest.
CALLS_SHOWN = 24
Of = Literal["day", "sprint"]


async def budget(office: Office, project: Project, of: Of) -> dict[str, Any]:
    """Where the day's and the sprint's counters stand; of one of them, who took what."""
    async with office.db.read() as session:
        now = await counters(office, session, project)
        level = now.today if of == "day" else now.sprint
        found = await taken.taken(session, project.key, level.limit.scope, now.day if of == "day" else None)
        unknown = await taken.unknown(session, level.limit.scope)
        waiting = await _waiting(office, session, project)
    return {
        "project": project.key,
        "of": of,
        "day": now.day,
        "today": now.today,
        "sprint": now.sprint,
        "sprint_number": now.sprint_number,
        "rungs": now.rungs,
        "own": now.own,
        "rung_parts": parts(found, "rung", len(PAID)),
        "task_parts": parts(found, "task"),
        "person_parts": parts(found, "person"),
        "projection": projection(
            now.today.used_tokens, now.today.reserved_tokens, project.hours, now.day, office.now()
        ),
        "limits": project.limits,
        "orders": now.orders,
        "waiting": waiting,
        "unknown": unknown,
        "shown": SHOWN,
        "drawn": office.charts is not None,
    }  # fmt: skip


async def of_task(office: Office, key: str, task_id: str) -> dict[str, Any]:
    """What one task has for each attempt, what is left of this one's, and each of its calls. Raises UserMistake."""
    async with office.db.read() as session:
        row = await find(session, key, task_id)
        calls = await ledger.calls_of(session, row.pk)
        tokens, microusd = await ledger.spent(session, row.pk)
        own = attempt_limit(row.project, row.task_id, row.attempt, row.token_budget)
        (level,) = await ledger.levels(session, [own])
        day = office.projects[row.project].day(office.now())
        raises = await limit_orders.rows_of(session, row.project, day, row.task_id)
    return {
        "row": row, "calls": calls, "tokens": tokens, "microusd": microusd, "level": level, "raises": raises,
        "open": ledger.OPEN, "shown": CALLS_SHOWN,
    }  # fmt: skip


async def _waiting(office: Office, session: AsyncSession, project: Project) -> list[tuple[str, str]]:
    """(task, why) of what no budget is left for now."""
    rows: Sequence[TaskRow] = await tasks.in_project(session, project.key)
    queued = await waits(office, session, project, rows)
    reviews = [
        (row.task_id, row.waits_for)
        for row in rows
        if row.state == TaskState.IN_REVIEW and row.needs_tokens and row.waits_for
    ]
    return [*((task, stuck.why) for task, stuck in queued.items()), *reviews]
