"""What people read of a blocker. A message is rendered from the store alone, so that it can be shown again, in place,
whenever something about it changes: somebody acknowledged it, or it is solved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.blockers import tried_lines
from bot.domain.card import alert_buttons
from bot.domain.escalation import proposed_in
from bot.domain.nudges import ORDINARY, Told
from bot.domain.spans import exact
from bot.domain.task import TaskState
from bot.store import blockers as store
from bot.store import tasks
from bot.store.parts import parts_of
from bot.store.tables import BlockerRow, TaskRow
from bot.workflows import reach
from bot.workflows.office import Office

#: Attempts that an alert tells of: the last ones.
TRIED = 4


async def message_of(office: Office, session: AsyncSession, rows: list[BlockerRow], told: Told) -> dict[str, Any]:
    """The message with which somebody was told of these blockers. Those still open come first."""
    rows = sorted(rows, key=lambda row: (row.resolved_at is not None, not row.critical, row.since, row.key))
    items = [await _item(office, session, row) for row in rows]
    project = office.projects[rows[0].project]
    in_channel = told.who == project.channel
    settings_thread = told.message.startswith("thread/")
    facts = {
        "items": items,
        "step": told.step,
        "instead_of": told.instead_of,
        "waited": exact(told.at - min(row.since for row in rows)),
        "told_at": told.at,
        "mention": told.who if settings_thread and not in_channel else "",
        "leads": project.team.leads,
        "to_channel": told.step == "lead",
        "quiet_for": exact(project.blocker_sla * ORDINARY.acknowledged),
    }
    return office.words_of(project.key).message("alerts/blocked", facts)


async def show_again(office: Office, session: AsyncSession, rows: Iterable[BlockerRow]) -> None:
    """Rewrite every message in which these blockers stand."""
    await session.flush()
    messages = {told.message: told for row in rows for told in store.told_of(row) if told.message}
    shown = {key: list(await store.in_message(session, key)) for key in messages}
    said = {key: await message_of(office, session, shown[key], told) for key, told in messages.items()}
    await reach.rewrite_all(office, session, said)


async def _item(office: Office, session: AsyncSession, blocker: BlockerRow) -> dict[str, Any]:
    """One blocker as the template names it."""
    row = await session.get_one(TaskRow, blocker.task_pk, populate_existing=True)
    task = tasks.as_task(row)
    stands = (await tasks.standing_event(session, row)).detail
    propose = proposed_in(stands)
    resume = stands.get("resume") if row.state == TaskState.BLOCKED else None
    attempts = (await store.attempts_of(session, [row.pk]))[row.pk] if row.state == TaskState.BLOCKED else []
    split = bool(await parts_of(session, row))
    end = blocker.resolved_at
    return {
        "blocker": blocker,
        "row": row,
        "title": task.title,
        "propose": propose,
        "split": bool(stands.get("split")),
        "resume": resume,
        "tried": tried_lines([(each.rung, each.why or each.outcome or "interrupted") for each in attempts[-TRIED:]]),
        "buttons": () if end else alert_buttons(task, proposed=propose, was_split=split),
        "solved": end is not None,
        "after": exact(end - blocker.since) if end else "",
        "who": await store.who_solved(session, blocker) if end else "",
    }
