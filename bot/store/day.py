"""What the day's posts look at beside the tasks' rows: since when a task stands where it is, and what was finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import FINISHED
from bot.store.tables import EventRow, TaskRow
from bot.store.tasks import REMARKS


async def events_of(session: AsyncSession, pks: Collection[int]) -> Mapping[int, Sequence[EventRow]]:
    """Each task's events, oldest first, remarks apart: an alert must not hide why a task stands where it does."""
    found: dict[int, list[EventRow]] = defaultdict(list)
    query = select(EventRow).where(EventRow.task_pk.in_(pks), EventRow.kind.not_in(REMARKS)).order_by(EventRow.id)
    for event in await session.scalars(query):
        found[event.task_pk].append(event)
    return found


def since(row: TaskRow, events: Sequence[EventRow]) -> datetime:
    """Since when the task has been in its state without a break."""
    here = list(takewhile(lambda event: event.state == row.state, reversed(events)))
    return here[-1].at if here else row.updated_at


async def finished(session: AsyncSession, project: str, start: datetime, end: datetime) -> Sequence[TaskRow]:
    """The tasks that were merged or done in [start, end), in that order."""
    query = (
        select(TaskRow)
        .join(EventRow)
        .where(TaskRow.project == project, EventRow.at >= start, EventRow.at < end, EventRow.state.in_(FINISHED))
        .where(TaskRow.state.in_(FINISHED))
        .order_by(EventRow.id)
    )
    return tuple({row.pk: row for row in await session.scalars(query)}.values())
