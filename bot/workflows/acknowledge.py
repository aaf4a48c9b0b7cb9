"""Somebody says that they are on it: the nudges stop for a while, the clock does not (R-SEC-5)."""

from __future__ import annotations

from bot.domain.approvals import Action, refusal, whom_to_ask
from bot.domain.nudges import acknowledged_until
from bot.errors import UserMistake
from bot.store import blockers as store
from bot.store import sprints, tasks
from bot.workflows.blocker_messages import show_again
from bot.workflows.deeds import Deed, state_words
from bot.workflows.office import Office


async def acknowledge(office: Office, deed: Deed) -> None:
    """For all that blocks the task now, by whoever was told of it or may act on it. Raises UserMistake."""
    now = office.now()
    async with office.db.begin() as session:
        task = await tasks.find(session, deed.project, deed.task_id)
        if task is None:
            raise await sprints.no_task(session, deed.project, deed.task_id)
        rows = await store.lock(session, [row.key for row in await store.of_task(session, task.pk)])
        if not rows:
            raise UserMistake(f"{task.task_id} is {state_words(task)}; nothing about it waits for an answer any more.")
        project = office.projects[task.project]
        why_not = refusal(Action.RETRY, deed.person, project.team, tasks.as_task(task))
        if why_not and not any(told.who == deed.person.id for row in rows.values() for told in store.told_of(row)):
            ask = whom_to_ask(Action.RETRY, deed.person, project.team, tasks.as_task(task))
            raise UserMistake(f"{why_not} {task.task_id} was left as it is.", ask=ask)
        until = acknowledged_until(project.blocker_sla, now)
        for row in rows.values():
            fresh = row.acknowledged_until and row.acknowledged_until - now > (until - now) / 2
            if fresh and row.acknowledged_by == deed.person.id:
                continue  # a double click
            row.acknowledged_by, row.acknowledged_until = deed.person.id, until
            await tasks.remark(session, task, at=now, who=deed.person.id, kind="acknowledged",
                               why=f"is on it: {row.reason}", detail={"blocker": row.key})  # fmt: skip
        await show_again(office, session, rows.values())
    office.nudge()
