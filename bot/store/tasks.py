"""Tasks and their events. `step` is the only way a task's state changes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Subquery, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import ENDED, FINISHED, MACHINES, STAGED, Route, Task, TaskState, may_step
from bot.store import messages, outbox
from bot.store.tables import EventRow, PlanTaskRow, TaskRow

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


async def newest_event_id(session: AsyncSession) -> int:
    """Of the last thing that happened to any task; the same again = nothing happened."""
    return await session.scalar(select(func.max(EventRow.id))) or 0


async def events_after(session: AsyncSession, event_id: int) -> Sequence[Row[EventRow, TaskRow]]:
    """What happened since then to any task, oldest first, with the task as it is now."""
    query = select(EventRow, TaskRow).join(TaskRow).where(EventRow.id > event_id).order_by(EventRow.id)
    return (await session.execute(query)).all()


async def was_hurried(session: AsyncSession, pk: int) -> bool:
    """Whether the task was pulled out of a batch once."""
    query = select(EventRow.id).where(EventRow.task_pk == pk, EventRow.kind == "run_now").limit(1)
    return await session.scalar(query) is not None


async def newest_event(session: AsyncSession, pk: int) -> EventRow:
    """The last thing that happened to a task, remarks apart."""
    query = (
        select(EventRow)
        .where(EventRow.task_pk == pk, EventRow.kind.not_in(REMARKS))
        .order_by(EventRow.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one()


async def newest_of(session: AsyncSession, pk: int, kinds: Collection[str]) -> EventRow | None:
    """The last thing of these kinds that happened to a task."""
    query = select(EventRow).where(EventRow.task_pk == pk, EventRow.kind.in_(kinds))
    return (await session.scalars(query.order_by(EventRow.id.desc()).limit(1))).one_or_none()


async def newest_by_person(session: AsyncSession, pk: int) -> EventRow | None:
    """The last thing that a person did to a task."""
    query = select(EventRow).where(EventRow.task_pk == pk, EventRow.who.not_in(MACHINES))
    return (await session.scalars(query.order_by(EventRow.id.desc()).limit(1))).one_or_none()


#: Notes that say anew why a task stands where it does, and what it may go on with.
RESTATES = ("blocked", "split_refused")


class Stay(NamedTuple):
    """A task in a state: the event that brought it there, and the one that says why it is there and what it may go on
    with (the same, or one of RESTATES since). What else was noted meanwhile hides neither."""

    entered: EventRow
    stands: EventRow


def stays_until(*which: ColumnElement[bool], at: datetime | None = None) -> Subquery:
    """`task_pk`, `entered` and `stands` (ids of events, as in Stay) of these tasks, today or as they stood at a moment;
    without those that were not there yet."""
    events = select(EventRow.id, EventRow.task_pk, EventRow.kind, EventRow.state).join(TaskRow)
    before = func.lag(EventRow.state).over(partition_by=EventRow.task_pk, order_by=EventRow.id)
    until = () if at is None else (EventRow.at <= at,)
    event = events.add_columns(before.label("before")).where(*which, *until, EventRow.kind.not_in(REMARKS)).subquery().c
    enters = or_(event.before.is_(None), event.before != event.state)
    query = (
        select(event.task_pk, func.max(case((enters, event.id))).label("entered"), func.max(event.id).label("stands"))
        .where(or_(enters, event.kind.in_(RESTATES)))
        .group_by(event.task_pk)
    )
    return query.subquery()


async def stays(session: AsyncSession, *which: ColumnElement[bool]) -> dict[int, Stay]:
    """Since when and why each of these tasks is in its state, by pk."""
    ids = (await session.execute(select(stays_until(*which)))).all()
    named = {each for _, entered, stands in ids for each in (entered, stands)}
    events = {event.id: event for event in await session.scalars(select(EventRow).where(EventRow.id.in_(named)))}
    return {pk: Stay(events[entered], events[stands]) for pk, entered, stands in ids}


async def standing_event(session: AsyncSession, row: TaskRow) -> EventRow:
    """Why the task is in its state, and what it may go on with (Stay.stands)."""
    ids = stays_until(TaskRow.pk == row.pk)
    return (await session.scalars(select(EventRow).join(ids, EventRow.id == ids.c.stands))).one()


async def in_project(session: AsyncSession, project: str, *, ended: bool = False) -> Sequence[TaskRow]:
    """The project's tasks, oldest first; those that ended only when asked for."""
    query = select(TaskRow).where(TaskRow.project == project).order_by(TaskRow.pk)
    if not ended:
        query = query.where(TaskRow.state.not_in(ENDED))
    return (await session.scalars(query)).all()


async def by_ids(session: AsyncSession, project: str, ids: Collection[str]) -> Sequence[TaskRow]:
    if not ids:
        return []
    return (await session.scalars(select(TaskRow).where(TaskRow.project == project, TaskRow.task_id.in_(ids)))).all()


async def finished(session: AsyncSession, project: str, start: datetime, end: datetime) -> Sequence[TaskRow]:
    """The tasks that were merged or done in [start, end), in that order."""
    query = (
        select(TaskRow)
        .join(EventRow)
        .where(TaskRow.project == project, EventRow.at >= start, EventRow.at < end, EventRow.state.in_(FINISHED))
        .where(TaskRow.state.in_(FINISHED))
        .order_by(EventRow.id)
    )
    return tuple({row.pk: row for row in await session.scalars(query)}.values())


async def not_ended(session: AsyncSession) -> Sequence[TaskRow]:
    """The tasks of all projects that have not ended, oldest first."""
    query = select(TaskRow).where(TaskRow.state.not_in(ENDED)).order_by(TaskRow.pk)
    return (await session.scalars(query)).all()


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
