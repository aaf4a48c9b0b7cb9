"""How the attempts of a project's newest tasks ended, as domain.history learns from them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Subquery, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.history import Past, size_of
from bot.domain.task import Rung, TaskState, TaskType
from bot.store.tables import AttemptRow, CallRow, TaskRow

#: The newest tasks that are looked at: more would say little more, and age.
MOST_TASKS = 500


async def past_attempts(
    session: AsyncSession, project: str, types: Collection[TaskType], since: datetime
) -> tuple[Past, ...]:
    """The attempts that ended, of tasks of these types created since then: task by task, each task's oldest first.
    What the coordinator asked is no rung's cost."""
    kinds = [kind.value for kind in types]
    newest = (
        select(TaskRow.pk)
        .where(
            TaskRow.project == project,
            TaskRow.attempt > 0,
            TaskRow.created_at >= since,
            TaskRow.route["type"].as_string().in_(kinds),
        )
        .order_by(TaskRow.pk.desc())
        .limit(MOST_TASKS)
        .subquery()
    )
    spent = await _spent(session, newest)
    query = (
        select(TaskRow.pk, TaskRow.text, TaskRow.files, TaskRow.route["type"].as_string(), TaskRow.state,
               AttemptRow.number, AttemptRow.rung, AttemptRow.outcome)
        .join(newest, newest.c.pk == TaskRow.pk)
        .join(AttemptRow, and_(AttemptRow.task_pk == TaskRow.pk, AttemptRow.outcome.is_not(None)))
        .order_by(TaskRow.pk, AttemptRow.number)
    )  # fmt: skip
    found = []
    for pk, text, files, kind, state, number, rung, outcome in (await session.execute(query)).all():
        microusd, seconds = spent.get((pk, number), (0, 0.0))
        found.append(
            Past(task=pk, type=TaskType(kind), size=size_of(text, files), state=TaskState(state), rung=Rung(rung),
                 outcome=outcome, microusd=microusd, seconds=seconds)
        )  # fmt: skip
    return tuple(found)


async def _spent(session: AsyncSession, newest: Subquery) -> dict[tuple[int, int], tuple[int, float]]:
    """(task, attempt) -> what its calls cost, and the seconds that they took; a batch's waiting is not counted."""
    query = (
        select(CallRow.task_pk, CallRow.attempt, CallRow.cost_microusd, CallRow.created_at, CallRow.settled_at,
               CallRow.batch)
        .join(newest, newest.c.pk == CallRow.task_pk)
        .where(CallRow.settled_at.is_not(None), CallRow.purpose != "triage")
    )  # fmt: skip
    found: dict[tuple[int, int], tuple[int, float]] = {}
    for pk, attempt, microusd, begun, ended, batch in (await session.execute(query)).all():
        cost, seconds = found.get((pk, attempt), (0, 0.0))
        took = 0.0 if batch or ended is None else (ended - begun).total_seconds()
        found[pk, attempt] = cost + microusd, seconds + took
    return found
