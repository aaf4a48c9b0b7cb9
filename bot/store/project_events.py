"""What people and the clock did to a project as a whole: the log beside the tasks' own events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import ProjectEventRow


def note(
    session: AsyncSession,
    project: str,
    *,
    at: datetime,
    who: str,
    kind: str,
    why: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one event, in the transaction of what it tells of. `who` is a Slack id, or "orch"."""
    session.add(ProjectEventRow(project=project, at=at, who=who, kind=kind, why=why, detail=dict(detail or {})))


async def between(
    session: AsyncSession, project: str, start: datetime, end: datetime, kinds: Sequence[str] = ()
) -> Sequence[ProjectEventRow]:
    """The project's events of [start, end), oldest first; all kinds where none is named."""
    query = select(ProjectEventRow).where(
        ProjectEventRow.project == project, ProjectEventRow.at >= start, ProjectEventRow.at < end
    )
    if kinds:
        query = query.where(ProjectEventRow.kind.in_(kinds))
    return (await session.scalars(query.order_by(ProjectEventRow.at, ProjectEventRow.id))).all()
