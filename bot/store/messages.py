"""The plan's messages about a task, as JSON, from what the store knows (R-MSG-1, R-MSG-2, R-MSG-3). `store.tasks`
writes them into the event log in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import Verdict
from bot.domain.escalation import proposed_in
from bot.domain.messages import assignment_of, blocker_alert_of, status_update_of
from bot.domain.plan_graph import Graph, blocked_by, first_unblocked
from bot.domain.task import FINISHED, PLAN_STATUS, Rung, Task, TaskState
from bot.store import ledger
from bot.store.tables import PlanTaskRow, ReviewRow, TaskRow


async def assignment(session: AsyncSession, row: TaskRow, task: Task) -> dict[str, Any]:
    """R-MSG-1."""
    graph, _ = await _graph(session, row)
    asked = await session.get(PlanTaskRow, (row.project, row.task_id))
    said = asked.task if asked else {}
    waiting = blocked_by({row.task_id: (), **graph})[row.task_id]
    told = assignment_of(
        task,
        zone=ZoneInfo(row.zone),
        blockers_if_fail=list(dict.fromkeys((*said.get("blockers_if_fail", ()), *waiting))),
        assigned_to=said.get("owner") or "",
    )
    return told.json_fields()


async def status_update(
    session: AsyncSession, row: TaskRow, task: Task, tokens: int, verdict: Verdict | None, seen: str = ""
) -> dict[str, Any]:
    """R-MSG-2. `verdict`: the newest of the change as it is now. `seen`: what somebody saw who did the work by hand,
    which no review judged. What it names next is asked only of a task that is over (R-MSG-6)."""
    told = status_update_of(
        task,
        zone=ZoneInfo(row.zone),
        tokens_used=tokens,
        quality_score=verdict.quality_score if verdict else None,
        issues=[f"{found.severity}: {found.message}" for found in verdict.findings] if verdict else [seen] * bool(seen),
        next_task_id=await _next(session, row) if PLAN_STATUS[task.state] == "completed" else None,
    )
    return told.json_fields()


async def after_step(
    session: AsyncSession, row: TaskRow, task: Task, why: str, detail: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What a change of state tells: a status update, and an alert where the task needs a person now."""
    tokens, _cost = await ledger.spent(session, row.pk)
    seen = detail.get("seen") or ""
    told = {"message": await status_update(session, row, task, tokens, await _verdict(session, row), seen)}
    if task.state is TaskState.BLOCKED:
        told["alert"] = alert(row, task, why, proposed_in(detail))
    return told


def alert(row: TaskRow, task: Task, why: str, propose: Rung | None = None) -> dict[str, Any]:
    """R-MSG-3. `propose`: the rung that the rules recommend."""
    told = blocker_alert_of(task, zone=ZoneInfo(row.zone), reason=why, at=row.updated_at, recommended=propose)
    return told.json_fields()


async def _verdict(session: AsyncSession, row: TaskRow) -> Verdict | None:
    """The newest review of the change as it is now."""
    if row.head_commit is None:
        return None
    query = select(ReviewRow.verdict).where(ReviewRow.task_pk == row.pk, ReviewRow.head_commit == row.head_commit)
    found = (await session.scalars(query.order_by(ReviewRow.id.desc()).limit(1))).one_or_none()
    return Verdict.model_validate(found) if found else None


async def _graph(session: AsyncSession, row: TaskRow) -> tuple[Graph, dict[str, TaskState]]:
    """Which of the project's tasks that are not over wait for which, by sprint, day and number; planned ones too."""
    fields = (TaskRow.task_id, TaskRow.after, TaskRow.state, TaskRow.sprint, TaskRow.day, TaskRow.number)
    query = select(*fields).where(TaskRow.project == row.project, TaskRow.state.not_in(FINISHED))
    found = (await session.execute(query.order_by(TaskRow.sprint, TaskRow.day, TaskRow.number))).all()
    graph: dict[str, tuple[str, ...]] = {each.task_id: tuple(each.after) for each in found}
    waiting = select(PlanTaskRow).where(PlanTaskRow.project == row.project, PlanTaskRow.queued.is_(False))
    for planned in await session.scalars(waiting.order_by(PlanTaskRow.sprint, PlanTaskRow.place)):
        graph.setdefault(planned.task_id, tuple(planned.task.get("after", ())))
    return graph, {each.task_id: TaskState(each.state) for each in found}


async def _next(session: AsyncSession, row: TaskRow) -> str | None:
    await session.flush()
    graph, states = await _graph(session, row)
    return first_unblocked(graph, states, row.task_id)
