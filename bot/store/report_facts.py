"""What reports and metrics are computed from: the event log and the ledger, as they stood at a moment (R-REP-3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.store import tasks
from bot.store.ledger import OPEN
from bot.store.tables import CallRow, EventRow, TaskRow


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
    """Every task that there was, oldest first, as its events until `at` tell."""
    ids = tasks.stays_until(TaskRow.project == project, at=at)
    entered, stands = aliased(EventRow), aliased(EventRow)
    query = (
        select(TaskRow, entered.state, entered.at, stands.why)
        .join(ids, ids.c.task_pk == TaskRow.pk)
        .join(entered, entered.id == ids.c.entered)
        .join(stands, stands.id == ids.c.stands)
        .order_by(TaskRow.pk)
    )
    return [Standing(*found) for found in await session.execute(query)]


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
