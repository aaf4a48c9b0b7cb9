"""The day's posts and what became of each: every one is in `slots` at most once (domain.slots decides which)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.command_kinds import Slot as SlotKind
from bot.domain.slots import Slot
from bot.store.statements import insert, took_effect
from bot.store.tables import ScheduleRow, SlotRow

#: What still has to be posted.
OPEN = ("due", "started")


async def schedule(session: AsyncSession, project: str, now: datetime) -> ScheduleRow:
    """The project's clock. The first look ever begins it: nothing from before is due."""
    found = await _schedule(session, project)
    if found is None:
        new = {"project": project, "looked_until": now, "changes": {}}
        await session.execute(insert(session, ScheduleRow).values(new).on_conflict_do_nothing())
        found = await _schedule(session, project)
    assert found is not None
    return found


async def _schedule(session: AsyncSession, project: str) -> ScheduleRow | None:
    return await session.get(ScheduleRow, project, populate_existing=True)


async def changes(session: AsyncSession, project: str) -> Mapping[str, str]:
    """The times that leads changed, by kind."""
    found = await _schedule(session, project)
    return found.changes if found else {}


async def move_on(session: AsyncSession, project: str, before: datetime, until: datetime) -> bool:
    """Everything up to `until` is in `slots` from here on; False where another process was faster."""
    moved = (
        update(ScheduleRow)
        .where(ScheduleRow.project == project, ScheduleRow.looked_until == before)
        .values(looked_until=until)
    )
    return await took_effect(session, moved)


async def add(session: AsyncSession, project: str, slot: Slot, state: str, at: datetime, why: str = "") -> bool:
    """Put a slot in; False where its kind has that date already."""
    new = {"project": project, "kind": slot.kind, "day": slot.day, "at": slot.at, "state": state, "tries": 0,
           "started_at": None, "settled_at": None if state in OPEN else at, "why": why}  # fmt: skip
    added = insert(session, SlotRow).values(new).on_conflict_do_nothing().returning(SlotRow.kind)
    return await session.scalar(added) is not None


async def to_post(session: AsyncSession, project: str) -> Sequence[SlotRow]:
    """What still has to be posted, oldest first."""
    query = select(SlotRow).where(SlotRow.state.in_(OPEN), SlotRow.project == project).order_by(SlotRow.at)
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def start(session: AsyncSession, row: SlotRow, now: datetime) -> bool:
    """Claim a slot for one more try; False where another process was faster."""
    claimed = (
        update(SlotRow)
        .where(_is(row.project, row.kind, row.day), SlotRow.state.in_(OPEN), SlotRow.tries == row.tries)
        .values(state="started", tries=SlotRow.tries + 1, started_at=now)
    )
    return await took_effect(session, claimed)


async def settle(session: AsyncSession, row: SlotRow, state: str, now: datetime, why: str = "") -> bool:
    """A slot is over: `posted` or `missed`. False where it was over already."""
    settled = (
        update(SlotRow)
        .where(_is(row.project, row.kind, row.day), SlotRow.state.in_(OPEN))
        .values(state=state, settled_at=now, why=why)
    )
    return await took_effect(session, settled)


async def lock(session: AsyncSession, project: str, kind: str, day: date) -> SlotRow:
    """A slot's row, held until the transaction ends."""
    query = select(SlotRow).where(_is(project, kind, day)).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


async def state_of(session: AsyncSession, project: str, kind: SlotKind, day: date) -> str | None:
    found = await session.get(SlotRow, (project, kind, day), populate_existing=True)
    return found.state if found else None


async def last_posted(session: AsyncSession, project: str, kind: SlotKind, before: date) -> SlotRow | None:
    """The newest post of this kind for a date before this one."""
    of_kind = (SlotRow.project == project) & (SlotRow.kind == kind) & (SlotRow.state == "posted")
    query = select(SlotRow).where(of_kind, SlotRow.day < before).order_by(SlotRow.day.desc()).limit(1)
    return (await session.scalars(query)).first()


async def skipped(session: AsyncSession, project: str, since: date) -> Sequence[SlotRow]:
    """What is skipped from this date on."""
    query = select(SlotRow).where(SlotRow.project == project, SlotRow.state == "skipped", SlotRow.day >= since)
    return (await session.scalars(query.order_by(SlotRow.day, SlotRow.at))).all()


async def missed_before(session: AsyncSession, row: SlotRow) -> Sequence[SlotRow]:
    """What came too late to be tried, and was found so since the post before this one was made; oldest first."""
    others = (SlotRow.project == row.project) & (SlotRow.state == "posted") & ~_is(row.project, row.kind, row.day)
    last = await session.scalar(select(func.max(SlotRow.settled_at)).where(others))
    query = select(SlotRow).where(SlotRow.project == row.project, SlotRow.state == "missed", SlotRow.tries == 0)
    if last is not None:
        query = query.where(SlotRow.settled_at > last)
    return (await session.scalars(query.order_by(SlotRow.at))).all()


def _is(project: str, kind: str, day: date) -> ColumnElement[bool]:
    return (SlotRow.project == project) & (SlotRow.kind == kind) & (SlotRow.day == day)
