"""What was said of a task's commits: by checks, by reviews and by the people who approve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.change import CheckRun
from bot.store.statements import rows_changed
from bot.store.tables import ApprovalRow, CheckRow, ReviewRow, TaskRow


async def record_checks(
    session: AsyncSession, row: TaskRow, commit: str, runs: Sequence[CheckRun], at: datetime
) -> None:
    session.add_all(CheckRow(task_pk=row.pk, commit=commit, run=run.model_dump(mode="json"), at=at) for run in runs)


async def checks_of(session: AsyncSession, pk: int, commit: str | None) -> tuple[CheckRun, ...]:
    """The newest run of each command on the commit."""
    if commit is None:
        return ()
    query = select(CheckRow).where(CheckRow.task_pk == pk, CheckRow.commit == commit).order_by(CheckRow.id)
    newest = {row.run["command"]: CheckRun.model_validate(row.run) for row in (await session.scalars(query)).all()}
    return tuple(newest.values())


async def newest_review(session: AsyncSession, pk: int) -> ReviewRow | None:
    query = select(ReviewRow).where(ReviewRow.task_pk == pk).order_by(ReviewRow.id.desc()).limit(1)
    return (await session.scalars(query)).one_or_none()


async def approvals(session: AsyncSession, pk: int) -> dict[str, str]:
    """person -> head commit, for the approvals that stand."""
    query = (
        select(ApprovalRow).where(ApprovalRow.task_pk == pk, ApprovalRow.voided_at.is_(None)).order_by(ApprovalRow.id)
    )
    return {row.person: row.head_commit for row in (await session.scalars(query)).all()}


async def approve(session: AsyncSession, row: TaskRow, person: str, at: datetime) -> bool:
    """Record one person's consent to the head commit; False when it stands already. The caller holds the row."""
    query = select(ApprovalRow).where(
        ApprovalRow.task_pk == row.pk, ApprovalRow.head_commit == row.head_commit, ApprovalRow.person == person
    )
    known = (await session.scalars(query)).one_or_none()
    if known is not None:
        stood = known.voided_at is None
        known.at, known.voided_at = (known.at if stood else at), None
        await session.flush()
        return not stood
    session.add(ApprovalRow(task_pk=row.pk, head_commit=row.head_commit or "", person=person, at=at))
    await session.flush()
    return True


async def void_approvals(session: AsyncSession, pk: int, at: datetime) -> int:
    """A new commit voids what was approved before; returns how many approvals that were (R-APR-1)."""
    standing = update(ApprovalRow).where(ApprovalRow.task_pk == pk, ApprovalRow.voided_at.is_(None))
    return await rows_changed(session, standing.values(voided_at=at))


async def reviews_without_verdict(session: AsyncSession, pk: int, head_commit: str | None) -> int:
    """How many reviews of this head commit ended without a verdict."""
    query = select(func.count()).where(
        ReviewRow.task_pk == pk, ReviewRow.head_commit == head_commit, ReviewRow.verdict.is_(None)
    )
    return int(await session.scalar(query) or 0)
