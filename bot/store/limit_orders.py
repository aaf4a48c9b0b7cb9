"""What leads ordered about limits, and so the limits that hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import get_args

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import LimitName, Limits
from bot.domain.limit_orders import Order, raised
from bot.store import sprints
from bot.store.tables import LimitOrderRow


async def standing(session: AsyncSession, project: str, day: date) -> tuple[Order, ...]:
    """The orders that may hold on this day or later, oldest first; those about single tasks left out."""
    rows = await rows_of(session, project, day)
    return tuple(as_order(row) for row in rows if not _is_of_task(row))


async def rows_of(session: AsyncSession, project: str, day: date, limit: str | None = None) -> Sequence[LimitOrderRow]:
    """The orders that nobody took back and whose last day is not over."""
    query = select(LimitOrderRow).where(
        LimitOrderRow.project == project,
        LimitOrderRow.ended_at.is_(None),
        or_(LimitOrderRow.last.is_(None), LimitOrderRow.last >= day),
    )
    if limit is not None:
        query = query.where(LimitOrderRow.limit == limit)
    return (await session.scalars(query.order_by(LimitOrderRow.id))).all()


async def ever(
    session: AsyncSession, project: str, first: date, last: date, day_of: Callable[[datetime], date]
) -> tuple[Order, ...]:
    """The orders that held on some day from `first` to `last`. One that was taken back held until that day."""
    query = select(LimitOrderRow).where(
        LimitOrderRow.project == project,
        LimitOrderRow.first <= last,
        or_(LimitOrderRow.last.is_(None), LimitOrderRow.last >= first),
    )
    rows = [row for row in await session.scalars(query.order_by(LimitOrderRow.id)) if not _is_of_task(row)]
    ended = [min(row.last or date.max, day_of(row.ended_at)) if row.ended_at else row.last for row in rows]
    return tuple(as_order(row).model_copy(update={"last": end}) for row, end in zip(rows, ended, strict=True))


def _is_of_task(row: LimitOrderRow) -> bool:
    """Whether it added to one task's budget; `limit` is then the task's id, and not a LimitName."""
    return row.limit not in get_args(LimitName)


def as_order(row: LimitOrderRow) -> Order:
    """The row as decisions see it."""
    return Order.model_validate({name: getattr(row, name) for name in Order.model_fields})


async def of_delivery(session: AsyncSession, delivery_key: str) -> LimitOrderRow | None:
    """The order that a delivery made already, if any."""
    query = select(LimitOrderRow).where(LimitOrderRow.delivery_key == delivery_key)
    return (await session.scalars(query)).one_or_none()


async def end(session: AsyncSession, ids: Sequence[int], at: datetime) -> None:
    """Take orders back."""
    await session.execute(update(LimitOrderRow).where(LimitOrderRow.id.in_(ids)).values(ended_at=at))


async def limits_on(session: AsyncSession, limits: Limits, project: str, sprint: int, day: date) -> Limits:
    """The limits that hold on a day in a sprint: the configuration's, the plan's for the sprint (R-BUD-2), and what
    leads raised."""
    held = await sprints.limits_in(session, limits, project, sprint)
    return raised(held, await standing(session, project, day), day, sprint)
