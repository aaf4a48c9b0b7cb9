"""The counts that a monitor watches."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import CallRow, InboxRow, OutboxRow, TaskRow


async def tasks_by_state(session: AsyncSession) -> dict[tuple[str, str], int]:
    """(project, state) -> how many tasks."""
    query = select(TaskRow.project, TaskRow.state, func.count()).group_by(TaskRow.project, TaskRow.state)
    return {(project, state): count for project, state, count in (await session.execute(query)).all()}


async def tokens_on(session: AsyncSession, project: str, day: date) -> dict[str, int]:
    """Rung -> tokens used on that day."""
    query = (
        select(CallRow.rung, func.sum(CallRow.used_tokens))
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, CallRow.day == day)
        .group_by(CallRow.rung)
    )
    return {rung: int(used or 0) for rung, used in (await session.execute(query)).all()}


async def messages_due(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.count()).where(OutboxRow.due.is_(True))) or 0)


async def messages_given_up(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.count()).where(OutboxRow.due.is_(False), OutboxRow.error != "")) or 0)


async def deliveries_open(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.count()).where(InboxRow.done_at.is_(None))) or 0)
