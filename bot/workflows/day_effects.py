"""What the day's posts do to tasks (domain.day.Action): each is asked again of the locked row, and is in its log."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.day import Action
from bot.domain.task import TaskState
from bot.errors import OrchError
from bot.store import attempts, tasks
from bot.store.tables import TaskRow
from bot.workflows import reach
from bot.workflows.attempts import forget_head, move_to, take_next_step, tell_thread
from bot.workflows.moves import back_to_work, need_fit
from bot.workflows.office import ORCH, Office

log = logging.getLogger("orch.day")


async def do_all(
    office: Office, session: AsyncSession, project: str, actions: Iterable[Action], slot: str
) -> tuple[Action, ...]:
    """Do what was decided; returns what was done. One that cannot be done is undone alone, and left to people.

    `slot`: the key of the post, so that a message is wanted once."""
    done = []
    for action in actions:
        try:
            async with session.begin_nested():
                await _do(office, session, project, action, slot)
        except (OrchError, tasks.IllegalStep) as error:
            log.warning("%s: %s was not done to %s: %s", slot, action.what, action.task.id, error)
        else:
            done.append(action)
    return tuple(done)


async def _do(office: Office, session: AsyncSession, project: str, action: Action, slot: str) -> None:
    found = await tasks.find(session, project, action.task.id)
    assert found is not None
    row = await tasks.lock(session, found.pk)
    if row.state != action.task.state:
        raise tasks.IllegalStep(f"{row.task_id} is {row.state} by now")
    match action.what:
        case "requeue" | "review":
            await back_to_work(office, session, row, ORCH, "resumed", action.why)
        case "step":
            await take_next_step(office, session, row, lesson="", who=ORCH)
        case "cheaper":
            await _cheaper(office, session, row, action)
        case "merge":
            await tasks.step(session, row, TaskState.MERGING, at=office.now(), who=ORCH, why=action.why,
                             detail={"rule": action.rule})  # fmt: skip
        case "chase" | "remind":
            await _tell(office, session, row, action, slot)


async def _cheaper(office: Office, session: AsyncSession, row: TaskRow, action: Action) -> None:
    assert action.rung is not None
    need_fit(office, row, action.rung)
    move_to(office, row, action.rung, action.why, action.rule)
    row.base_commit = row.start_commit = row.waits_for = None
    await attempts.end(session, row, at=office.now(), outcome="interrupted", why=action.why)
    await forget_head(office, session, row)
    await tasks.note(session, row, at=office.now(), who=ORCH, kind="reassigned", why=action.why,
                     detail={"rule": action.rule})  # fmt: skip


async def _tell(office: Office, session: AsyncSession, row: TaskRow, action: Action, slot: str) -> None:
    """Approvers in the task's thread, an owner by a message."""
    now = office.now()
    if action.what == "chase":
        await tell_thread(office, session, row, f"chased/{slot}", "thread/chased", people=action.people, why=action.why)
    else:
        message = office.render.message("alerts/behind", {"row": row, "why": action.why})
        for person in action.people:
            key = f"behind/{slot}/{row.task_id}/{person}"
            await reach.write(office, session, row.project, person, key, message, task_pk=row.pk)
    await tasks.note(session, row, at=now, who=ORCH, kind="chased" if action.what == "chase" else "reminded",
                     why=action.said, detail={"rule": action.rule, "people": list(action.people)})  # fmt: skip
