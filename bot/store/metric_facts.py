"""What the metrics are computed from (R-MET): events, attempts, deadlines, tokens by day, blockers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.metrics import Covered, Happened, Stuck, Tried
from bot.domain.task import TaskState
from bot.store.tables import AttemptRow, BlockerRow, CallRow, EventRow, TaskRow
from bot.store.tasks import REMARKS


async def happened(session: AsyncSession, project: str, start: datetime, end: datetime) -> tuple[Happened, ...]:
    """The events until `end`, in order, of the tasks that something happened to since `start` or that were to be
    finished in between: what tells how long they had been where they were."""
    due = and_(TaskRow.deadline >= start, TaskRow.deadline < end)
    query = (
        select(EventRow.id, TaskRow.task_id, EventRow.at, EventRow.state, EventRow.kind)
        .join(TaskRow, TaskRow.pk == EventRow.task_pk)
        .where(TaskRow.project == project, EventRow.at < end, EventRow.kind.not_in(REMARKS))
        .where(or_(TaskRow.updated_at >= start, due))
        .order_by(EventRow.id)
    )
    found = (await session.execute(query)).all()
    return tuple(Happened(id=n, task=t, at=at, state=TaskState(state), kind=kind) for n, t, at, state, kind in found)


async def tried(session: AsyncSession, project: str, start: datetime) -> tuple[Tried, ...]:
    """Every attempt that ended, of the tasks that something happened to since `start`."""
    query = (
        select(TaskRow.task_id, AttemptRow.number, AttemptRow.rung, AttemptRow.outcome, AttemptRow.ended_at)
        .join(TaskRow, TaskRow.pk == AttemptRow.task_pk)
        .where(TaskRow.project == project, AttemptRow.outcome.is_not(None), AttemptRow.ended_at.is_not(None))
        .where(TaskRow.updated_at >= start)
    )
    found = (await session.execute(query)).all()
    return tuple(
        Tried(task=task, number=number, rung=rung, outcome=outcome, ended_at=at)
        for task, number, rung, outcome, at in found
        if outcome and at
    )


async def deadlines(session: AsyncSession, project: str, start: datetime, end: datetime) -> dict[str, datetime]:
    """The deadlines that lie in [start, end)."""
    query = select(TaskRow.task_id, TaskRow.deadline).where(
        TaskRow.project == project, TaskRow.deadline >= start, TaskRow.deadline < end
    )
    return {task: at for task, at in (await session.execute(query)).all() if at}


async def tokens_by_day(session: AsyncSession, project: str, first: date, last: date) -> dict[date, int]:
    """Tokens used on each day, both ends included; days without any are left out."""
    query = (
        select(CallRow.day, func.sum(CallRow.used_tokens))
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, CallRow.day >= first, CallRow.day <= last)
        .group_by(CallRow.day)
        .order_by(CallRow.day)
    )
    return {day: int(used) for day, used in (await session.execute(query)).all() if used}


async def cost(session: AsyncSession, project: str, start: datetime, end: datetime) -> int:
    """Micro-dollars of the calls that were made in [start, end)."""
    query = (
        select(func.sum(CallRow.cost_microusd))
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, CallRow.created_at >= start, CallRow.created_at < end)
    )
    return int(await session.scalar(query) or 0)


async def incidents(session: AsyncSession, project: str, start: datetime, end: datetime) -> tuple[str, ...]:
    """The tasks in which opus was to look into an incident: one for each that was reported."""
    query = (
        select(TaskRow.task_id)
        .join(EventRow, EventRow.task_pk == TaskRow.pk)
        .where(
            TaskRow.project == project, EventRow.kind == "created", EventRow.why == "incident, to opus",
            EventRow.at >= start, EventRow.at < end,
        )
        .order_by(EventRow.id)
    )  # fmt: skip
    return tuple((await session.scalars(query)).all())


async def covered(session: AsyncSession, project: str, start: datetime, end: datetime) -> tuple[Covered, ...]:
    """The merges in [start, end) whose checks reported coverage, in order."""
    query = (
        select(EventRow.id, EventRow.detail)
        .join(TaskRow, TaskRow.pk == EventRow.task_pk)
        .where(TaskRow.project == project, EventRow.kind == TaskState.MERGED, EventRow.at >= start, EventRow.at < end)
        .order_by(EventRow.id)
    )
    found = ((n, detail.get("coverage")) for n, detail in (await session.execute(query)).all())
    return tuple(Covered(event=n, share=share) for n, share in found if share is not None)


async def stuck(session: AsyncSession, project: str) -> tuple[Stuck, ...]:
    query = (
        select(TaskRow.task_id, BlockerRow.since, BlockerRow.detected_at, BlockerRow.resolved_at)
        .join(TaskRow, TaskRow.pk == BlockerRow.task_pk)
        .where(BlockerRow.project == project)
        .order_by(BlockerRow.detected_at)
    )
    found = (await session.execute(query)).all()
    return tuple(Stuck(task=t, since=since, detected_at=seen, resolved_at=over) for t, since, seen, over in found)
