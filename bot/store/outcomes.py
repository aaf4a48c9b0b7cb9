"""How calls to a provider went lately, and whether one is under way: what domain.providers judges its health by."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import TaskState
from bot.store.ledger import OPEN
from bot.store.tables import CallRow, TaskRow


async def failures(session: AsyncSession, since: datetime) -> list[tuple[str, datetime]]:
    """(rung, when) of the calls that failed for a reason of the provider's, oldest first."""
    query = (
        select(CallRow.rung, CallRow.settled_at)
        .where(CallRow.state.in_(("refused", "unknown")), CallRow.settled_at > since, CallRow.retryable)
        .order_by(CallRow.settled_at)
    )
    return [(rung, at) for rung, at in (await session.execute(query)).all() if at is not None]


async def last_answer(session: AsyncSession, rungs: Collection[str], since: datetime) -> datetime | None:
    """When a call on one of the rungs was answered last."""
    query = select(func.max(CallRow.settled_at)).where(
        CallRow.state == "settled", CallRow.settled_at > since, CallRow.rung.in_(rungs)
    )
    return await session.scalar(query)


async def call_under_way(session: AsyncSession, rungs: Collection[str]) -> bool:
    """Whether a call on one of the rungs is open."""
    awaited = (CallRow.state.in_(OPEN), CallRow.batch_id.is_(None), CallRow.rung.in_(rungs))  # no answer comes soon
    query = select(CallRow.id).where(*awaited).limit(1)
    return (await session.scalar(query)) is not None


async def task_at_work(session: AsyncSession, rungs: Collection[str], *, reviews: bool, but: int | None = None) -> bool:
    """Whether a task, other than `but`, is about to make a call on one of the rungs, or to have a review."""
    running = (TaskRow.state == TaskState.RUNNING) & TaskRow.route["rung"].as_string().in_(rungs)
    reviewed = (TaskRow.state == TaskState.IN_REVIEW) & TaskRow.waits_for.is_(None)
    query = select(TaskRow.pk).where(or_(running, reviewed) if reviews else running)
    if but is not None:
        query = query.where(TaskRow.pk != but)
    return (await session.scalar(query.limit(1))) is not None
