"""Blockers as they are remembered, and the facts that they are found from. domain.blockers and domain.nudges decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from sqlalchemy import Text, cast, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.blockers import Blocker, Standing
from bot.domain.escalation import proposed_in
from bot.domain.nudges import Told
from bot.domain.task import ENDED, MACHINES, TaskState
from bot.store import tasks
from bot.store.statements import insert, took_effect
from bot.store.tables import ApprovalRow, AttemptRow, BlockerRow, EventRow, TaskRow

OfTask = TypeVar("OfTask", AttemptRow, ApprovalRow)


class Standings(NamedTuple):
    """A project's open tasks, the states of the ended ones that they wait for, and what is wrong with the rows that
    cannot be read, by task id."""

    found: list[Standing]
    ended: dict[str, TaskState]
    unreadable: dict[str, ValidationError]


async def standings(session: AsyncSession, project: str) -> Standings:
    rows = await tasks.in_project(session, project)
    stays = await tasks.stays(session, TaskRow.project == project, TaskRow.state.not_in(ENDED))
    blocked = [row.pk for row in rows if row.state == TaskState.BLOCKED]
    waiting = [row.pk for row in rows if row.state == TaskState.AWAITING_APPROVAL]
    attempts, approved = await attempts_of(session, blocked), await approvals_of(session, waiting)
    known = {row.task_id for row in rows}
    ended = await tasks.by_ids(session, project, {name for row in rows for name in row.after} - known)
    found: list[Standing] = []
    unreadable: dict[str, ValidationError] = {}
    for row in rows:
        try:
            if row.pk in stays:
                found.append(_standing(row, *stays[row.pk], attempts[row.pk], approved[row.pk]))
        except ValidationError as error:
            unreadable[row.task_id] = error
    return Standings(found, {row.task_id: TaskState(row.state) for row in ended}, unreadable)


def _standing(
    row: TaskRow, entered: EventRow, stands: EventRow, attempts: list[AttemptRow], approved: list[ApprovalRow]
) -> Standing:
    detail = stands.detail
    why = row.waits_for or stands.why
    return Standing(
        task=tasks.as_task(row),
        entered=entered.id,
        entered_at=entered.at,
        why=why,
        rule=str(detail.get("rule") or ""),
        by=stands.who if stands.who not in MACHINES else "",
        kind=stands.kind,
        propose=proposed_in(detail),
        split=bool(detail.get("split")),
        budget=bool(detail.get("budget")),
        resume=str(detail.get("resume") or ""),
        last_outcome=(attempts[-1].outcome or "") if attempts else "",
        tried=tuple(f"{attempt.rung}: {attempt.why or attempt.outcome}" for attempt in attempts),
        approved_by=tuple(each.person for each in approved if each.head_commit == row.head_commit),
        told=tuple(detail.get("told") or ()),
    )


async def attempts_of(session: AsyncSession, pks: Collection[int]) -> dict[int, list[AttemptRow]]:
    """The ended attempts of these tasks, oldest first."""
    query = select(AttemptRow).where(AttemptRow.task_pk.in_(pks), AttemptRow.outcome.is_not(None))
    return _by_task(await session.scalars(query.order_by(AttemptRow.number)) if pks else ())


async def approvals_of(session: AsyncSession, pks: Collection[int]) -> dict[int, list[ApprovalRow]]:
    """The approvals of these tasks that stand, oldest first."""
    query = select(ApprovalRow).where(ApprovalRow.task_pk.in_(pks), ApprovalRow.voided_at.is_(None))
    return _by_task(await session.scalars(query.order_by(ApprovalRow.id)) if pks else ())


def _by_task(rows: Iterable[OfTask]) -> dict[int, list[OfTask]]:
    found: dict[int, list[OfTask]] = defaultdict(list)
    for row in rows:
        found[row.task_pk].append(row)
    return found


async def open_ones(session: AsyncSession, project: str) -> dict[str, BlockerRow]:
    """The project's open blockers by key."""
    query = select(BlockerRow).where(BlockerRow.project == project, BlockerRow.resolved_at.is_(None))
    return {row.key: row for row in await session.scalars(query.order_by(BlockerRow.key))}


async def of_task(session: AsyncSession, pk: int) -> Sequence[BlockerRow]:
    """The task's open blockers, oldest first."""
    query = select(BlockerRow).where(BlockerRow.task_pk == pk, BlockerRow.resolved_at.is_(None))
    return (await session.scalars(query.order_by(BlockerRow.detected_at, BlockerRow.key))).all()


async def lock(session: AsyncSession, keys: Collection[str]) -> dict[str, BlockerRow]:
    """Those of them that are open, held until the transaction ends."""
    query = (
        select(BlockerRow)
        .where(BlockerRow.key.in_(keys), BlockerRow.resolved_at.is_(None))
        .order_by(BlockerRow.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.key: row for row in await session.scalars(query)}


async def detected(session: AsyncSession, blocker: Blocker, pk: int, told: Sequence[Told], at: datetime) -> bool:
    """Remember it; False where it is known and open. One that was thought solved is opened again, with whom it was
    told to, so that nobody hears of it twice."""
    values = {"project": blocker.task.project, "task_pk": pk, "kind": blocker.kind.value, "critical": blocker.critical,
              "owner": blocker.task.owner, "reason": blocker.reason, "since": blocker.since, "detected_at": at,
              "level": "", "told": [each.model_dump(mode="json") for each in told]}  # fmt: skip
    added = insert(session, BlockerRow).values(key=blocker.key, **values).on_conflict_do_nothing(index_elements=["key"])
    if await session.scalar(added.returning(BlockerRow.key)) is not None:
        return True
    again = update(BlockerRow).where(BlockerRow.key == blocker.key, BlockerRow.resolved_at.is_not(None))
    reopened = again.values(resolved_at=None, reason=blocker.reason, kind=blocker.kind.value)
    return await took_effect(session, reopened)


async def changed(session: AsyncSession, blocker: Blocker) -> None:
    """Its words, its kind or its owner are others by now."""
    values = {"reason": blocker.reason, "kind": blocker.kind.value, "critical": blocker.critical,
              "owner": blocker.task.owner}  # fmt: skip
    await session.execute(update(BlockerRow).where(BlockerRow.key == blocker.key).values(**values))


async def solved(session: AsyncSession, key: str, at: datetime) -> bool:
    """It is no more; False where that is known already."""
    ended = update(BlockerRow).where(BlockerRow.key == key, BlockerRow.resolved_at.is_(None)).values(resolved_at=at)
    return await took_effect(session, ended)


async def who_solved(session: AsyncSession, row: BlockerRow) -> str:
    """The last person who did something to the task while the blocker stood; "" where none did."""
    query = select(EventRow.who).where(
        EventRow.task_pk == row.task_pk,
        EventRow.kind.not_in(tasks.REMARKS),
        EventRow.who.not_in(MACHINES),
        EventRow.at > row.since,
        EventRow.at <= (row.resolved_at or row.since),
    )
    return await session.scalar(query.order_by(EventRow.id.desc()).limit(1)) or ""


def tell(row: BlockerRow, told: Told) -> None:
    """Record one alert that is wanted. The caller holds the row."""
    row.told = [*row.told, told.model_dump(mode="json")]
    row.level = told.step


def told_of(row: BlockerRow) -> tuple[Told, ...]:
    return tuple(Told.model_validate(each) for each in row.told)


async def in_message(session: AsyncSession, message: str) -> Sequence[BlockerRow]:
    """The blockers that one message shows, solved ones too."""
    shown: Any = cast(BlockerRow.told, Text).contains(f'"{message}"', autoescape=True)
    return (await session.scalars(select(BlockerRow).where(shown).order_by(BlockerRow.since, BlockerRow.key))).all()


def remark_of(
    row: BlockerRow, at: datetime, who: str, kind: str, why: str, blocker: Blocker, detail: dict[str, Any]
) -> EventRow:
    """An event about a blocker, beside its task's own life (tasks.REMARKS)."""
    state = blocker.task.state.value
    return EventRow(task_pk=row.task_pk, at=at, who=who, kind=kind, state=state, why=why, detail=detail)
