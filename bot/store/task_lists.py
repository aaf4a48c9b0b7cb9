"""Pages of tasks, newest first: filtered and counted by the database, so that thousands of tasks cost no more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import TaskState
from bot.store.tables import TaskRow


async def page(
    session: AsyncSession,
    project: str,
    states: Sequence[TaskState],
    *,
    mine: str | None = None,
    owner: str | None = None,
    words: Sequence[str] = (),
    first: int,
    count: int,
) -> tuple[Sequence[TaskRow], int]:
    """`count` tasks from `first` (0 = the newest) on, and how many there are. `mine`: asked for or owned by them;
    each of `words` stands in the task's text or id, in whatever case."""
    wanted: list[ColumnElement[bool]] = [TaskRow.project == project, TaskRow.state.in_(states)]
    if mine:
        wanted.append(or_(TaskRow.owner == mine, TaskRow.requester == mine))
    if owner:
        wanted.append(TaskRow.owner == owner)
    for word in words:
        wanted.append(
            or_(TaskRow.text.icontains(word, autoescape=True), TaskRow.task_id.icontains(word, autoescape=True))
        )
    total = await session.scalar(select(func.count()).select_from(TaskRow).where(*wanted)) or 0
    query = select(TaskRow).where(*wanted).order_by(TaskRow.pk.desc()).offset(first).limit(count)
    return (await session.scalars(query)).all(), total


async def any_of(session: AsyncSession, project: str) -> bool:
    """Whether the project ever had a task."""
    return await session.scalar(select(TaskRow.pk).where(TaskRow.project == project).limit(1)) is not None
