"""The clock: finds which of the day's posts are due, and starts each of them exactly once (R-DAY).

APScheduler only wakes it, at the times of the posts and each minute. What is due is decided by the store: a project's
`looked_until` moves on in one conditional UPDATE, and so does the state of each slot, so that of several processes one
puts a slot into the table, one starts it and one posts it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.project import Project
from bot.domain.slots import BACK, KINDS, Slot, Timetable, judge
from bot.store import project_events, slots
from bot.store.tables import SlotRow
from bot.workflows import people_standup
from bot.workflows.office import ORCH, Office

#: A post that was started and is not there after this long is started once more: its process died, or it failed.
AGAIN = timedelta(minutes=2)
#: So often a post is tried, then it is missed.
TRIES = 5

#: Starts the workflow of a slot: project, kind, date, try.
Start = Callable[[str, str, date, int], Awaitable[None]]


class Clock:
    """One per process that runs stages."""

    def __init__(self, office: Office, start: Start) -> None:
        self._office = office
        self._start = start

    async def run(self) -> None:
        """Work until cancelled."""
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._office.tick.set, "cron", second=0, misfire_grace_time=None)
        scheduler.start()
        try:
            while True:
                self._office.tick.clear()
                for key in self._office.projects:
                    with self._office.troubles.at(f"clock {key}"):
                        await self._look(key)
                        await self._set_alarms(scheduler, key)
                await self._office.tick.wait()
        finally:
            scheduler.shutdown(wait=False)

    async def look(self) -> None:
        """Start what is due in every project."""
        for key in self._office.projects:
            await self._look(key)

    async def _look(self, key: str) -> None:
        project, now = self._office.projects[key], self._office.now()
        async with self._office.db.begin() as session:
            found = await slots.schedule(session, key, now)
            before = found.looked_until
            if before < now and await slots.move_on(session, key, before, now):
                await _put_in(session, project, timetable_of(project, found.changes), before, now)
            if project.people_standup:
                skipped = {
                    row.day for row in await slots.skipped(session, key, project.day(now)) if row.kind == "morning"
                }
                await people_standup.ask(self._office, session, project, timetable_of(project, found.changes), skipped)
            starting = []
            for row in await slots.to_post(session, key):
                tries = row.tries + 1
                if await _may_start(session, project, row, now) and await slots.start(session, row, now):
                    starting.append((row.kind, row.day, tries))
        for kind, day, tries in starting:
            await self._start(key, kind, day, tries)

    async def _set_alarms(self, scheduler: AsyncIOScheduler, key: str) -> None:
        """Wake up at the project's own times, by cron in its zone; leads may have changed them."""
        project = self._office.projects[key]
        async with self._office.db.read() as session:
            times = timetable_of(project, await slots.changes(session, key)).times
        for kind in KINDS:
            at = getattr(times, kind)
            when = CronTrigger(hour=at.hour, minute=at.minute, timezone=project.zone)
            scheduler.add_job(
                self._office.tick.set, when, id=f"{key}/{kind}", replace_existing=True, misfire_grace_time=None
            )


def timetable_of(project: Project, changes: object) -> Timetable:
    """When the project's posts are due, with what its leads changed."""
    assert isinstance(changes, dict)
    times = project.times.changed(changes)
    return Timetable(zone=project.timezone, days=project.working_days, times=times, grace=project.grace)


async def _put_in(
    session: AsyncSession, project: Project, timetable: Timetable, before: datetime, now: datetime
) -> None:
    """Write down the slots that came since the last look. Those missed for good are one event, however many."""
    missed: list[Slot] = []
    for slot in timetable.between(max(before, now - BACK), now):
        state = judge(slot, now, timetable.grace)
        why = "Orch was not at work, and it is too late now" if state == "missed" else ""
        if await slots.add(session, project.key, slot, state, now, why) and state == "missed":
            missed.append(slot)
    if missed:
        posts = [f"{slot.day} {slot.kind}" for slot in missed]
        project_events.note(
            session, project.key, at=now, who=ORCH, kind="posts_missed",
            why=f"{len(missed)} posts were due while Orch was not at work: {posts[0]} to {posts[-1]}"
            if len(missed) > 1 else f"the {missed[0].name} of {missed[0].day} was due while Orch was not at work",
            detail={"posts": posts},
        )  # fmt: skip


async def _may_start(session: AsyncSession, project: Project, row: SlotRow, now: datetime) -> bool:
    """Whether a slot is to be started now; one that can no longer be is settled as missed."""
    if row.state == "started" and row.started_at is not None and now - row.started_at < AGAIN:
        return False
    too_late = row.state == "due" and now - row.at > project.grace
    if too_late or row.tries >= TRIES:
        why = "it was too late by then" if too_late else f"it failed {row.tries} times (the log says why)"
        if await slots.settle(session, row, "missed", now, why):
            project_events.note(session, project.key, at=now, who=ORCH, kind="posts_missed", why=why,
                                detail={"posts": [f"{row.day} {row.kind}"]})  # fmt: skip
        return False
    return True
