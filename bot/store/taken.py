"""Who took what of a budget: the calls behind one counter, summed by task and rung."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget_shown import Taken
from bot.store.ledger import OPEN, TAKEN_MICROUSD, TAKEN_TOKENS
from bot.store.tables import CallRow, TaskRow


async def taken(session: AsyncSession, project: str, scope: str, day: date | None = None) -> tuple[Taken, ...]:
    """What the calls that count against `scope` used or still reserve: its counter, taken apart. `day`: the only one
    that such calls can be of, where there is one."""
    held = CallRow.state.in_(OPEN)
    used = func.sum(case((held, 0), else_=CallRow.used_tokens))
    reserved = func.sum(case((held, CallRow.reserved_tokens), else_=0))
    cost = func.sum(TAKEN_MICROUSD)
    query = (
        select(TaskRow.task_id, TaskRow.requester, CallRow.rung, used, reserved, cost)
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, _counts_against(scope))
        .group_by(TaskRow.task_id, TaskRow.requester, CallRow.rung)
    )
    query = query.where(CallRow.day == day) if day else query
    return tuple(
        Taken(task=task, person=person, rung=rung, used=int(spent), reserved=int(kept), microusd=int(dear))
        for task, person, rung, spent, kept, dear in (await session.execute(query)).all()
        if spent or kept
    )


class Unknown(NamedTuple):
    """A call that counts in full, since its outcome is unknown."""

    id: str
    rung: str
    used_tokens: int
    error: str


async def unknown(session: AsyncSession, scope: str) -> list[Unknown]:
    """Those that count against `scope`, newest first."""
    query = select(CallRow.id, CallRow.rung, CallRow.used_tokens, CallRow.error).where(
        CallRow.state == "unknown",
        CallRow.id.startswith(f"{scope.partition('/')[0]}/", autoescape=True),
        _counts_against(scope),
    )
    found = (await session.execute(query.order_by(CallRow.created_at.desc(), CallRow.id))).all()
    return [Unknown(*row) for row in found]


async def used_by_day(session: AsyncSession, project: str, scope: str) -> dict[date, int]:
    """Tokens used on each day, or still reserved, of the calls that count against `scope`."""
    query = (
        select(CallRow.day, func.sum(TAKEN_TOKENS))
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, _counts_against(scope))
        .group_by(CallRow.day)
    )
    return {day: int(used) for day, used in (await session.execute(query)).all()}


def _counts_against(scope: str) -> ColumnElement[bool]:
    """The scopes are a JSON list: the quotes keep `sprint/1` from being found in `sprint/11`."""
    return cast(CallRow.scopes, Text).contains(f'"{scope}"', autoescape=True)
