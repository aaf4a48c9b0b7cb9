"""A task's attempts: one row each, from its start to its outcome."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.escalation import Attempt
from bot.store.tables import AttemptRow, CallRow, TaskRow


async def start(session: AsyncSession, row: TaskRow, at: datetime) -> None:
    """Open the next attempt at the route's rung."""
    row.attempt += 1
    session.add(AttemptRow(task_pk=row.pk, number=row.attempt, rung=row.route["rung"], started_at=at, why=""))


async def move(session: AsyncSession, row: TaskRow) -> None:
    """The running attempt goes on at the route's rung, before any work was paid for."""
    running = _newest(row).where(AttemptRow.outcome.is_(None))
    await session.execute(running.values(rung=row.route["rung"]))


async def end(session: AsyncSession, row: TaskRow, *, at: datetime, outcome: str, why: str) -> None:
    """Close the running attempt; a closed one keeps its first outcome."""
    running = _newest(row).where(AttemptRow.outcome.is_(None))
    await session.execute(running.values(ended_at=at, outcome=outcome, why=why))


async def is_open(session: AsyncSession, row: TaskRow) -> bool:
    """Whether the task's newest attempt has not ended."""
    return row.pk in await open_of(session, [row])


async def open_of(session: AsyncSession, rows: Collection[TaskRow]) -> set[int]:
    """The pks of those whose newest attempt has not ended."""
    begun = [row.pk for row in rows if row.attempt]
    if not begun:
        return set()
    query = select(AttemptRow.task_pk, AttemptRow.number).where(
        AttemptRow.task_pk.in_(begun), AttemptRow.outcome.is_(None)
    )
    found = {(pk, number) for pk, number in (await session.execute(query)).all()}
    return {row.pk for row in rows if (row.pk, row.attempt) in found}


async def reopen_as(session: AsyncSession, row: TaskRow, outcome: str, why: str) -> None:
    """A passed attempt turned out otherwise (a person asked for changes, the merge conflicted)."""
    await session.execute(_newest(row).values(outcome=outcome, why=why))


async def go_on(session: AsyncSession, row: TaskRow) -> None:
    """An attempt that was interrupted goes on, so that how it ends counts."""
    interrupted = _newest(row).where(AttemptRow.outcome == "interrupted")
    await session.execute(interrupted.values(outcome=None, ended_at=None, why=""))


def _newest(row: TaskRow) -> Update:
    return update(AttemptRow).where(AttemptRow.task_pk == row.pk, AttemptRow.number == row.attempt)


async def ended(session: AsyncSession, pk: int) -> tuple[Attempt, ...]:
    """The attempts that ended, oldest first."""
    query = (
        select(AttemptRow).where(AttemptRow.task_pk == pk, AttemptRow.outcome.is_not(None)).order_by(AttemptRow.number)
    )
    rows = (await session.scalars(query)).all()
    worked = select(CallRow.attempt, CallRow.created_at, CallRow.settled_at, CallRow.used_tokens, CallRow.batch).where(
        CallRow.task_pk == pk, CallRow.purpose.in_(("edit", "repair", "report"))
    )
    seconds: dict[int, float] = defaultdict(float)
    tokens: Counter[int] = Counter()
    for number, begun, ended, used, batch in (await session.execute(worked)).all():
        seconds[number] += (ended - begun).total_seconds() if ended and not batch else 0  # a batch waits its turn
        tokens[number] += used
    return tuple(
        Attempt(rung=r.rung, outcome=r.outcome, signature=f"{r.outcome}: {r.why}", seconds=seconds[r.number],
                tokens=tokens[r.number])
        for r in rows
    )  # fmt: skip
