"""Work that a person does by hand (R-RT-4): given by a direct message, finished with what was seen, or handed over."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import card
from bot.domain.approvals import Action
from bot.domain.task import TaskState, TaskType
from bot.store import outbox, tasks
from bot.store.tables import TaskRow
from bot.workflows import reach
from bot.workflows.deeds import Deed, can_click, doing
from bot.workflows.office import Office

#: Manual work of these types is not a change of the code, so the project's checks say nothing about it.
WITHOUT_CHECKS = frozenset({TaskType.VALIDATION, TaskType.OPS})


async def hand_over_work(office: Office, session: AsyncSession, row: TaskRow, *, who: str, kind: str, why: str) -> None:
    """The task is with its owner, or with the backup of an owner who is away. They get a message with everything to
    see to before it is done, after their quiet hours unless it is critical or they asked for it; whoever had it
    before reads in their own message where it went. The caller holds the row."""
    away = row.owner
    if backup := await reach.in_their_place(office, session, row.project, away):
        row.owner, why = backup, f"{why}; <@{away}> is away, and <@{backup}> stands in"
    await tasks.step(session, row, TaskState.WITH_HUMAN, at=office.now(), who=who, kind=kind, why=why)
    await retire(office, session, row, "handed", by=who)
    checks = office.projects[row.project].checks if row.route["type"] not in WITHOUT_CHECKS else ()
    facts = {"row": row, "checks": (*row.checks, *checks), "by": who, "instead_of": away if backup else ""}
    message = office.render.message("alerts/manual", facts)
    key = f"{_keys(row)}{(await tasks.newest_event(session, row.pk)).id}"
    at_once = row.priority == "critical" or row.owner in (who, row.requester)
    await reach.write(office, session, row.project, row.owner, key, message, at_once=at_once, task_pk=row.pk)


async def mark_done(office: Office, deed: Deed, seen: str = "") -> None:
    """Manual work is finished; `seen`: what the person saw, which is kept with it and told with its status."""
    async with doing(office, deed, Action.DONE) as (session, row):
        if await can_click(office, session, row, deed, card.MARK_DONE, "done"):
            await finish(office, session, row, who=deed.person.id, by="a person", seen=seen)


async def finish(office: Office, session: AsyncSession, row: TaskRow, *, who: str, by: str, seen: str) -> None:
    """The task is done. The caller holds the row."""
    seen = office.redact(seen).strip()
    why = f"done by {by}: {seen}" if seen else f"done by {by}"
    await tasks.step(session, row, TaskState.DONE, at=office.now(), who=who, why=why, detail={"seen": seen})
    await retire(office, session, row, "done", by=who, why=seen)


async def retire(office: Office, session: AsyncSession, row: TaskRow, what: str, *, by: str, why: str = "") -> None:
    """The newest message that gave the task to somebody says what became of it, and offers nothing any more. `what`:
    handed, done, blocked or stopped."""
    key = await outbox.newest_direct(session, row.pk, _keys(row))
    if key is not None:
        facts = {"row": row, "what": what, "by": by, "why": why}
        await reach.rewrite(office, session, key, office.render.message("alerts/manual_over", facts))


def _keys(row: TaskRow) -> str:
    return f"manual/{row.project}/{row.task_id}/"
