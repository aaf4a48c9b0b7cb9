"""The smaller tasks that a task was split into (workflows.split): their delivery keys name the whole."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import TaskRow


async def parts_of(session: AsyncSession, row: TaskRow) -> list[str]:
    """The ids of the tasks that a task was split into, in their order."""
    of_it = TaskRow.delivery_key.startswith(parts_key(row), autoescape=True)
    query = select(TaskRow.task_id).where(TaskRow.project == row.project, of_it).order_by(TaskRow.number)
    return list(await session.scalars(query))


def parts_key(row: TaskRow) -> str:
    """How the delivery keys of a task's parts begin: a task is split once."""
    return f"split:{row.project}/{row.task_id}/"
