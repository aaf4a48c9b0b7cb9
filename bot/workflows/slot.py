"""The durable workflow `slot`: one post of the day, under the slot's own id (`standup/<project>/<date>/<kind>`).

All that a slot does is one transaction, committed together with its DBOS checkpoint: what it does to tasks, the events
about it, the wanted message, and that it is posted. A crash at any point leaves all of that or nothing.
"""

from __future__ import annotations

import logging
from datetime import date

from dbos import DBOS, SetWorkflowID
from dbos._error import DBOSException  # not exported
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.slots import NAMES, late_minutes
from bot.store import outbox, slots, tasks
from bot.store.tables import TaskRow
from bot.workflows.clock import Start
from bot.workflows.day_posts import POSTS, Post
from bot.workflows.office import Office

log = logging.getLogger("orch.slot")


def slot_id(project: str, kind: str, day: date) -> str:
    """The workflow's id, and the key of its message."""
    return f"standup/{project}/{day}/{kind}"


def register_slots(office: Office) -> Start:
    """Register the workflow with DBOS (before its launch); returns what starts it."""

    @DBOS.workflow(name="slot")
    async def run_slot(project: str, kind: str, day: str) -> None:
        try:
            await office.tx(keep, project, kind, date.fromisoformat(day))
            if kind == "evening":
                await office.step(show_statuses, project)
        except DBOSException:
            raise
        except Exception:
            log.exception("%s failed; it is tried again", slot_id(project, kind, date.fromisoformat(day)))
        finally:
            office.nudge()

    async def start(project: str, kind: str, day: date, tries: int) -> None:
        """A no-op for a try that was started before, here or elsewhere."""
        again = f"/{tries}" if tries > 1 else ""
        with SetWorkflowID(f"{slot_id(project, kind, day)}{again}"):
            await DBOS.start_workflow_async(run_slot, project, kind, day.isoformat())

    return start


async def show_statuses(office: Office, project: str) -> None:
    """R-DAY-3: every open task's card shows how it stands. Each in a transaction of its own: stages change several in
    one, and in another order."""
    async with office.db.read() as session:
        pks = [row.pk for row in await tasks.in_project(session, project)]
    for pk in pks:
        async with office.db.begin() as session:
            await outbox.want_card(session, await session.get_one(TaskRow, pk))


async def keep(office: Office, session: AsyncSession, project: str, kind: str, day: date) -> None:
    """Do what the slot is for, and post it; nothing where that was done."""
    await tasks.lock_project(session, project)
    row = await slots.lock(session, project, kind, day)
    if row.state not in slots.OPEN:
        return
    now = office.now()
    await slots.settle(session, row, "posted", now)
    key, late = slot_id(project, kind, day), late_minutes(row.at, now)
    await POSTS[kind](Post(office, session, office.projects[project], day, key, late))
    if missed := await slots.missed_before(session, row):
        facts = {"missed": [(name, each.day) for each in missed for of, name in NAMES.items() if of == each.kind]}
        message = office.words_of(project).message("reports/missed", facts)
        channel = office.projects[project].channel
        await outbox.want(session, f"{key}/missed", "thread", channel, message, now, thread_of=key)
