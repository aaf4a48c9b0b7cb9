"""`/orch schedule`: when the day's posts come, changed and skipped by leads (R-APR); in force from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from bot.domain.approvals import Person
from bot.domain.command_kinds import Schedule
from bot.domain.command_kinds import Slot as SlotKind
from bot.domain.project import Project
from bot.domain.slots import KINDS, NAMES, Slot, Timetable, why_not_skip
from bot.errors import UserMistake
from bot.store import project_events, slots, tasks
from bot.workflows.clock import timetable_of
from bot.workflows.office import Office
from bot.workflows.planning import need_lead


class Shown(NamedTuple):
    """When a project's posts come. `next`: of each kind; `changed`: which kinds a lead moved; `skipped`: the dates to
    come that are left out."""

    timetable: Timetable
    next: Sequence[tuple[SlotKind, Slot | None]]
    changed: Sequence[str]
    skipped: Sequence[tuple[SlotKind, date]]


async def show(office: Office, project: Project) -> Shown:
    """For everybody."""
    now = office.now()
    async with office.db.read() as session:
        changes = await slots.changes(session, project.key)
        rows = await slots.skipped(session, project.key, project.day(now))
    timetable = timetable_of(project, changes)
    out: dict[str, set[date]] = {kind: {row.day for row in rows if row.kind == kind} for kind in KINDS}
    coming = [(kind, timetable.next(kind, now, out[kind])) for kind in KINDS]
    left_out = [(kind, row.day) for row in rows for kind in KINDS if kind == row.kind]
    return Shown(timetable, coming, tuple(changes), left_out)


async def change(office: Office, project: Project, command: Schedule, person: Person) -> tuple[str, Slot | None]:
    """Move one of the posts: how it was written before, and the next one. Raises UserMistake."""
    need_lead(project, person)
    assert command.slot is not None and command.at is not None
    now = office.now()
    said = f"{command.at:%H:%M}"
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        row = await slots.schedule(session, project.key, now)
        before = timetable_of(project, row.changes)
        said = f"{command.weekday or before.times.weekly_on} {said}" if command.slot == "weekly" else said
        after = timetable_of(project, {**row.changes, command.slot: said})
        if after.times.disorder:
            raise UserMistake(f"That would be out of order: {after.times.disorder}. Nothing was changed.")
        row.changes = {**row.changes, command.slot: said}
        why = f"the {NAMES[command.slot]} comes at {said} from now on"
        moved = {"slot": command.slot, "to": said, "from": before.times.said(command.slot)}
        project_events.note(session, project.key, at=now, who=person.id, kind="schedule_set", why=why, detail=moved)
        left_out = {each.day for each in await slots.skipped(session, project.key, project.day(now))
                    if each.kind == command.slot}  # fmt: skip
    office.tick.set()
    return before.times.said(command.slot), after.next(command.slot, now, left_out)


async def skip(office: Office, project: Project, command: Schedule, person: Person) -> tuple[Slot, Slot | None]:
    """Leave out one post, the next where no date is named: that one, and the one after it. Raises UserMistake."""
    need_lead(project, person)
    assert command.slot is not None
    kind, now = command.slot, office.now()
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        timetable = timetable_of(project, (await slots.schedule(session, project.key, now)).changes)
        out = {each.day for each in await slots.skipped(session, project.key, project.day(now)) if each.kind == kind}
        coming = timetable.next(kind, now, out)
        day = command.on or (coming.day if coming else project.day(now))
        why_not = why_not_skip(timetable, kind, day, now, await slots.state_of(session, project.key, kind, day))
        slot = next((slot for slot in timetable.on(day) if slot.kind == kind), None)
        if why_not or slot is None:
            raise UserMistake(f"{why_not} Nothing was changed.", f"/orch schedule skip {kind} {coming.day}"
                              if coming else None)  # fmt: skip
        if not await slots.add(session, project.key, slot, "skipped", now, f"skipped by <@{person.id}>"):
            raise UserMistake(f"The {slot.name} of {day} is being posted at this moment. Nothing was changed.")
        why, which = f"the {slot.name} of {day} is skipped", {"slot": kind, "day": str(day)}
        project_events.note(session, project.key, at=now, who=person.id, kind="schedule_skip", why=why, detail=which)
    return slot, timetable.next(kind, now, {*out, day})
