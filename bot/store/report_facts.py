"""What reports and metrics are computed from: the event log and the ledger, as they stood at a moment (R-REP-3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.ledger import OPEN
from bot.store.tables import CallRow, EventRow, TaskRow
from bot.store.tasks import REMARKS


class Standing(NamedTuple):
    """One task, its state at that moment, since when, and the reason given last."""

    row: TaskRow
    state: str
    since: datetime
    why: str


class Paid(NamedTuple):
    """One call. `tokens` and `microusd`: used, or reserved while `open`."""

    task_pk: int
    rung: str
    day: date
    scopes: tuple[str, ...]
    tokens: int
    microusd: int
    open: bool


async def standings(session: AsyncSession, project: str, at: datetime) -> list[Standing]:
    """Every task that there was, oldest first, as its events until `at` tell; the database picks
    the one that matters of each task's history."""
    tasks = {
        row.pk: row
        for row in await session.scalars(select(TaskRow).where(TaskRow.project == project).order_by(TaskRow.pk))
    }
    before = func.lag(EventRow.state).over(partition_by=EventRow.task_pk, order_by=EventRow.id)
    events = (
        select(EventRow.id, EventRow.task_pk, EventRow.state, before.label("before"))
        .join(TaskRow, TaskRow.pk == EventRow.task_pk)
        .where(TaskRow.project == project, EventRow.at <= at, EventRow.kind.not_in(REMARKS))
        .subquery()
    )
    changes = or_(events.c.before.is_(None), events.c.before != events.c.state)
    last = select(func.max(events.c.id)).where(changes).group_by(events.c.task_pk)
    query = select(EventRow.task_pk, EventRow.at, EventRow.state, EventRow.why).where(EventRow.id.in_(last))
    found = {pk: Standing(tasks[pk], state, when, why) for pk, when, state, why in await session.execute(query)}
    return [found[pk] for pk in tasks if pk in found]


async def paid(session: AsyncSession, project: str, at: datetime) -> Sequence[Paid]:
    """Every call that was made until `at`, oldest first."""
    query = (
        select(
            CallRow.task_pk, CallRow.rung, CallRow.day, CallRow.scopes, CallRow.state, CallRow.used_tokens,
            CallRow.reserved_tokens, CallRow.cost_microusd, CallRow.reserved_microusd,
        )
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .where(TaskRow.project == project, CallRow.created_at <= at)
        .order_by(CallRow.created_at, CallRow.id)
    )  # fmt: skip
    return [
        Paid(pk, rung, day, tuple(scopes), *((held, dear, True) if state in OPEN else (used, cost, False)))
        for pk, rung, day, scopes, state, used, held, cost, dear in (await session.execute(query)).all()
    ]
