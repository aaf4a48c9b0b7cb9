"""What people said at a stand-up: one answer for a person and a day; the last one stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.people_standup import Answer
from bot.domain.task import ENDED
from bot.store.statements import insert
from bot.store.tables import StandupAnswerRow, TaskRow


async def put(session: AsyncSession, project: str, day: date, person: str, answer: Answer, at: datetime) -> None:
    said = {**answer.model_dump(), "at": at}
    written = insert(session, StandupAnswerRow).values(project=project, day=day, person=person, **said)
    await session.execute(written.on_conflict_do_update(index_elements=["project", "day", "person"], set_=said))


async def get(session: AsyncSession, project: str, day: date, person: str) -> Answer | None:
    row = await session.get(StandupAnswerRow, (project, day, person), populate_existing=True)
    return as_answer(row) if row else None


async def of_day(session: AsyncSession, project: str, day: date) -> Sequence[StandupAnswerRow]:
    """The answers of a day, the first one first."""
    query = select(StandupAnswerRow).where(StandupAnswerRow.project == project, StandupAnswerRow.day == day)
    return (await session.scalars(query.order_by(StandupAnswerRow.at, StandupAnswerRow.person))).all()


def as_answer(row: StandupAnswerRow) -> Answer:
    """The row as decisions see it."""
    return Answer(done=row.done, next=row.next, blocked=row.blocked, task=row.task)


async def owners(session: AsyncSession, project: str) -> set[str]:
    """Who has open tasks."""
    query = select(TaskRow.owner).where(TaskRow.project == project, TaskRow.state.not_in(ENDED)).distinct()
    return set(await session.scalars(query))
