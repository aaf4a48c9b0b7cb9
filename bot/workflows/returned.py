"""Tasks that stopped for nothing but that their project had left the configuration go on when it is back."""

from __future__ import annotations

from bot.domain.task import TaskState
from bot.store import tasks
from bot.store.tables import TaskRow
from bot.workflows.attempts import tell_thread
from bot.workflows.moves import back_to_work
from bot.workflows.office import ORCH, Office

#: Why a stage stops whose project was taken out of the configuration.
GONE = (
    "its project is not in Orch's configuration any more. What was paid for is kept: once whoever runs Orch has put "
    "the project back and started Orch anew, it goes on by itself"
)
#: The same, where a proposal to split the task was asked for: it would be paid for again, so a person decides.
GONE_SPLIT = (
    "its project is not in Orch's configuration any more, so there is no proposal to split it. Once the project is "
    "back, split it or retry"
)


def gone_words(stage: str) -> str:
    """Why a task stands still whose project is gone, and what comes next."""
    return GONE_SPLIT if stage == TaskState.SPLITTING else GONE


async def go_on_with_returned(office: Office) -> None:
    """Let those of the configured projects go on where they stopped. For a start; whichever process comes first does
    it. A task that a person blocked meanwhile stays so."""
    async with office.db.read() as session:
        rows = [row for row in await tasks.not_ended(session) if row.project in office.projects and _is_stopped(row)]
    for row in rows:
        with office.troubles.at(f"start {row.project} {row.task_id}"):
            await _go_on(office, row.pk)


def _is_stopped(row: TaskRow) -> bool:
    return row.state == TaskState.BLOCKED and row.waits_for == GONE


async def _go_on(office: Office, pk: int) -> None:
    async with office.db.begin() as session:
        row = await tasks.lock(session, pk)
        if not _is_stopped(row):
            return  # another process was first, or a person
        stood = await tasks.standing_event(session, row)
        why = "its project is back in the configuration"
        await back_to_work(office, session, row, ORCH, "unblocked", why)
        await tell_thread(
            office, session, row, f"returned-{stood.id}", "thread/returned", kept="resume" in stood.detail
        )
