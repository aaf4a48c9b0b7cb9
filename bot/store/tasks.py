"""Tasks, their events and what hangs on them. `step` is the only way a task's state changes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.change import CheckRun
from bot.domain.escalation import Attempt
from bot.domain.task import ENDED, MACHINES, STAGED, Route, Task, TaskState, may_step
from bot.store import messages, outbox
from bot.store.tables import (
    ApprovalRow,
    AttemptRow,
    CallRow,
    CheckRow,
    EventRow,
    PlanTaskRow,
    ReviewRow,
    TaskRow,
)

#: Events beside the task's own life. Their state may be out of date, since they are written without the task's lock.
REMARKS = ("alerted", "acknowledged", "solved")


class IllegalStep(RuntimeError):
    """A transition that domain.task.TRANSITIONS does not allow: a defect, never a person's mistake."""


async def find(session: AsyncSession, project: str, task_id: str) -> TaskRow | None:
    query = select(TaskRow).where(TaskRow.project == project, func.lower(TaskRow.task_id) == task_id.lower())
    return (await session.scalars(query)).one_or_none()


async def of_delivery(session: AsyncSession, delivery_key: str) -> TaskRow | None:
    """The task that an inbox row made already, if any."""
    return (await session.scalars(select(TaskRow).where(TaskRow.delivery_key == delivery_key))).one_or_none()


async def lock(session: AsyncSession, pk: int) -> TaskRow:
    """The task's row, held until the transaction ends, so that what is decided on it stays true. It is read anew:
    a copy that the session has from before the lock may be out of date."""
    query = select(TaskRow).where(TaskRow.pk == pk).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one()


async def lock_project(session: AsyncSession, project: str) -> None:
    """Hold what concerns all of a project's tasks (the next number, slots, files) until the transaction ends. Taken
    before any task's lock. A writing transaction on SQLite has the database for itself already."""
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(f"orch/{project}".encode()).digest()[:8], "big", signed=True)
        await session.execute(select(func.pg_advisory_xact_lock(key)))


async def next_number(session: AsyncSession, project: str, sprint: int, day: int) -> int:
    """The next n of S<sprint>-D<day>-<n> (R-MSG-4), beyond those of plans too; the caller holds `lock_project`."""
    start = f"S{sprint}-D{day}-"
    found = [0]
    for rows in (TaskRow, PlanTaskRow):
        query = select(rows.task_id).where(rows.project == project, rows.task_id.startswith(start, autoescape=True))
        found += [int(task_id.removeprefix(start)) for task_id in await session.scalars(query)]
    return max(found) + 1


async def create(session: AsyncSession, row: TaskRow, *, who: str, why: str) -> None:
    """Insert a task with its first event and its card."""
    session.add(row)
    await session.flush()
    told = await messages.assignment(session, row, as_task(row))
    add_event(session, row, at=row.created_at, who=who, kind="created", why=why,
              detail={"route": row.route, "message": told})  # fmt: skip
    await outbox.want_card(session, row)


async def step(
    session: AsyncSession,
    row: TaskRow,
    to: TaskState,
    *,
    at: datetime,
    who: str,
    why: str,
    kind: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Change the state: the row, the event and the card's next revision in one transaction."""
    before = TaskState(row.state)
    if not may_step(before, to):
        raise IllegalStep(f"{row.task_id}: {before} -> {to}")
    row.state = to.value
    row.updated_at = at
    if to in STAGED:
        row.entry += 1
    row.waits_for = why if to is TaskState.BLOCKED else None
    told = await messages.after_step(session, row, as_task(row), why, detail or {})
    add_event(session, row, at=at, who=who, kind=kind or to.value, why=why, detail={**(detail or {}), **told})
    await session.flush()
    await outbox.want_card(session, row)


async def note(
    session: AsyncSession,
    row: TaskRow,
    *,
    at: datetime,
    who: str,
    kind: str,
    why: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Record something that does not change the state; the card is shown anew."""
    row.updated_at = at
    add_event(session, row, at=at, who=who, kind=kind, why=why, detail=detail or {})
    await session.flush()
    await outbox.want_card(session, row)


async def remark(
    session: AsyncSession, row: TaskRow, *, at: datetime, who: str, kind: str, why: str, detail: dict[str, Any]
) -> None:
    """Record something beside the task's life (REMARKS); the card is shown anew."""
    assert kind in REMARKS
    add_event(session, row, at=at, who=who, kind=kind, why=why, detail=detail)
    await session.flush()
    await outbox.want_card(session, row)


def add_event(
    session: AsyncSession, row: TaskRow, *, at: datetime, who: str, kind: str, why: str, detail: dict[str, Any]
) -> None:
    session.add(EventRow(task_pk=row.pk, at=at, who=who, kind=kind, state=row.state, why=why, detail=detail))


async def events(session: AsyncSession, pk: int) -> Sequence[EventRow]:
    """Oldest first."""
    return (await session.scalars(select(EventRow).where(EventRow.task_pk == pk).order_by(EventRow.id))).all()


async def newest_event(session: AsyncSession, pk: int) -> EventRow:
    """The last thing that happened to a task, remarks apart."""
    query = (
        select(EventRow)
        .where(EventRow.task_pk == pk, EventRow.kind.not_in(REMARKS))
        .order_by(EventRow.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one()


async def newest_by_person(session: AsyncSession, pk: int) -> EventRow | None:
    """The last thing that a person did to a task."""
    query = select(EventRow).where(EventRow.task_pk == pk, EventRow.who.not_in(MACHINES))
    return (await session.scalars(query.order_by(EventRow.id.desc()).limit(1))).one_or_none()


#: Notes that say anew why a task stands where it does, and what it may go on with.
RESTATES = ("blocked", "split_refused")


async def standing_event(session: AsyncSession, row: TaskRow) -> EventRow:
    """Why the task is in its state and what it may go on with: the event that brought it there, or said so anew. What
    else was noted meanwhile does not hide it."""
    own = (EventRow.task_pk == row.pk, EventRow.kind.not_in(REMARKS))
    others = select(func.max(EventRow.id)).where(*own, EventRow.state != row.state)
    since = (*own, EventRow.id > (await session.scalar(others) or 0))
    entered = select(func.min(EventRow.id)).where(*since)
    query = select(EventRow).where(*since, (EventRow.id == entered.scalar_subquery()) | EventRow.kind.in_(RESTATES))
    return (await session.scalars(query.order_by(EventRow.id.desc()).limit(1))).one()


async def in_project(session: AsyncSession, project: str, *, ended: bool = False) -> Sequence[TaskRow]:
    """The project's tasks, oldest first; those that ended only when asked for."""
    query = select(TaskRow).where(TaskRow.project == project).order_by(TaskRow.pk)
    if not ended:
        query = query.where(TaskRow.state.not_in([s.value for s in ENDED]))
    return (await session.scalars(query)).all()


async def by_ids(session: AsyncSession, project: str, ids: Collection[str]) -> Sequence[TaskRow]:
    if not ids:
        return []
    return (await session.scalars(select(TaskRow).where(TaskRow.project == project, TaskRow.task_id.in_(ids)))).all()


async def in_stages(session: AsyncSession) -> Sequence[TaskRow]:
    """Every task whose state has a stage workflow."""
    return (await session.scalars(select(TaskRow).where(TaskRow.state.in_([s.value for s in STAGED])))).all()


async def stages_of(session: AsyncSession, pks: Collection[int]) -> dict[int, tuple[str, int]]:
    """pk -> (state, stage entry) of these tasks, as they are now."""
    query = select(TaskRow.pk, TaskRow.state, TaskRow.entry).where(TaskRow.pk.in_(pks))
    return {pk: (state, entry) for pk, state, entry in (await session.execute(query)).all()}


def as_task(row: TaskRow) -> Task:
    """The row as decisions see it."""
    return Task(
        project=row.project,
        id=row.task_id,
        text=row.text,
        route=Route.model_validate(row.route),
        state=TaskState(row.state),
        priority=row.priority,
        files=tuple(row.files),
        touched=tuple(row.touched),
        checks=tuple(row.checks),
        criteria=tuple(row.criteria),
        after=tuple(row.after),
        requester=row.requester,
        owner=row.owner,
        deadline=row.deadline,
        token_budget=row.token_budget,
        attempt=row.attempt,
        entry=row.entry,
        base_commit=row.base_commit,
        head_commit=row.head_commit,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def start_attempt(session: AsyncSession, row: TaskRow, at: datetime) -> None:
    """Open the next attempt at the route's rung."""
    row.attempt += 1
    session.add(AttemptRow(task_pk=row.pk, number=row.attempt, rung=row.route["rung"], started_at=at, why=""))


async def move_attempt(session: AsyncSession, row: TaskRow) -> None:
    """The running attempt goes on at the route's rung, before any work was paid for."""
    running = (AttemptRow.task_pk == row.pk, AttemptRow.number == row.attempt, AttemptRow.outcome.is_(None))
    await session.execute(update(AttemptRow).where(*running).values(rung=row.route["rung"]))


async def end_attempt(session: AsyncSession, row: TaskRow, *, at: datetime, outcome: str, why: str) -> None:
    """Close the running attempt; a closed one keeps its first outcome."""
    await session.execute(
        update(AttemptRow)
        .where(AttemptRow.task_pk == row.pk, AttemptRow.number == row.attempt, AttemptRow.outcome.is_(None))
        .values(ended_at=at, outcome=outcome, why=why)
    )


async def reopen_attempt_as(session: AsyncSession, row: TaskRow, outcome: str, why: str) -> None:
    """A passed attempt turned out otherwise (a person asked for changes, the merge conflicted)."""
    await session.execute(
        update(AttemptRow)
        .where(AttemptRow.task_pk == row.pk, AttemptRow.number == row.attempt)
        .values(outcome=outcome, why=why)
    )


async def go_on_with_attempt(session: AsyncSession, row: TaskRow) -> None:
    """An attempt that was interrupted goes on, so that how it ends counts."""
    await session.execute(
        update(AttemptRow)
        .where(AttemptRow.task_pk == row.pk, AttemptRow.number == row.attempt, AttemptRow.outcome == "interrupted")
        .values(outcome=None, ended_at=None, why="")
    )


async def history(session: AsyncSession, pk: int) -> tuple[Attempt, ...]:
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


async def record_checks(
    session: AsyncSession, row: TaskRow, commit: str, runs: Sequence[CheckRun], at: datetime
) -> None:
    session.add_all(CheckRow(task_pk=row.pk, commit=commit, run=run.model_dump(mode="json"), at=at) for run in runs)


async def checks_of(session: AsyncSession, pk: int, commit: str | None) -> tuple[CheckRun, ...]:
    """The newest run of each command on the commit."""
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
    result = await session.execute(
        update(ApprovalRow).where(ApprovalRow.task_pk == pk, ApprovalRow.voided_at.is_(None)).values(voided_at=at)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


async def reviews_without_verdict(session: AsyncSession, pk: int, head_commit: str | None) -> int:
    """How many reviews of this head commit ended without a verdict."""
    query = select(func.count()).where(
        ReviewRow.task_pk == pk, ReviewRow.head_commit == head_commit, ReviewRow.verdict.is_(None)
    )
    return int(await session.scalar(query) or 0)
