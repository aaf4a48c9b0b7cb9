"""Who does something to which task, and whether they may: the start of everything that people do (R-APR)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import card
from bot.domain.approvals import Action, Person, refusal, whom_to_ask
from bot.domain.clicks import CLICKS, hindrance
from bot.domain.task import TaskState
from bot.errors import UserMistake
from bot.store import sprints, tasks
from bot.store.tables import TaskRow
from bot.workflows.office import Office

#: The same click by the same person within so long is one click.
DOUBLE_CLICK = timedelta(seconds=10)


@dataclass(frozen=True)
class Deed:
    """Who does something to which task."""

    project: str
    task_id: str
    person: Person


@asynccontextmanager
async def doing(
    office: Office, deed: Deed, action: Action, *, whole_project: bool = False
) -> AsyncIterator[tuple[AsyncSession, TaskRow]]:
    """The locked row, for someone who may do this; `whole_project` locks what concerns all tasks first. Raises
    UserMistake."""
    async with office.db.begin() as session:
        if whole_project:
            await tasks.lock_project(session, deed.project)
        found = await tasks.find(session, deed.project, deed.task_id)
        if found is None:
            raise await sprints.no_task(session, deed.project, deed.task_id)
        row = await tasks.lock(session, found.pk)
        need_right(office, deed, action, row)
        yield session, row
    office.nudge()


def need_right(office: Office, deed: Deed, action: Action, row: TaskRow) -> None:
    """Raises UserMistake where the person may not do this to the task (R-APR)."""
    team, task = office.projects[row.project].team, tasks.as_task(row)
    why_not = refusal(action, deed.person, team, task)
    if why_not:
        ask = whom_to_ask(action, deed.person, team, task)
        raise UserMistake(f"{why_not} {row.task_id} was left as it is.", ask=ask)


async def can_click(
    office: Office, session: AsyncSession, row: TaskRow, deed: Deed, button: card.Button, *recorded: str
) -> bool:
    """Whether the click does something in the task's state (domain.clicks). False: it is a double click, since the
    last thing that a person did was `recorded` as this very deed. Raises UserMistake that says why not."""
    why_not = hindrance(button.action, TaskState(row.state))
    if why_not is None:
        return True
    last = await tasks.newest_by_person(session, row.pk)
    again = last is not None and last.who == deed.person.id and last.kind in recorded
    if again and last is not None and office.now() - last.at < DOUBLE_CLICK:
        return False
    raise UserMistake(f"{row.task_id} {why_not}.")


async def may_open(office: Office, deed: Deed, button: card.Button, head: str = "") -> TaskRow:
    """The task, where what the button's form is for would be done: asked before it is opened. Raises UserMistake."""
    async with doing(office, deed, CLICKS[button.action].action) as (session, row):
        await can_click(office, session, row, deed, button)
        need_head(row, head)
        return row


def need_head(row: TaskRow, head: str) -> None:
    """Raises UserMistake where a click was meant for another commit than today's (R-APR-1). `head` empty: for any."""
    if head and head != row.head_commit:
        raise UserMistake(
            f"{row.task_id} has a new commit since that message ({(row.head_commit or '')[:10]}). "
            "Look at the change in its thread, then decide on the card."
        )


def state_words(row: TaskRow) -> str:
    """The task's state, in words."""
    return TaskState(row.state).words
