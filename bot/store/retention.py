"""What nobody needs any more of finished work. Events, numbers and what a report or an export reads stay for ever.

Each function does at most `limit` rows, so that no other writer waits long, and returns how many it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import ENDED, FINISHED
from bot.store.statements import rows_changed
from bot.store.tables import CallRow, InboxRow, OutboxRow, TaskRow

#: Messages that nothing refers to later: others may have a thread, and are looked for by their ts.
_LOOSE = ("thread", "upload", "reaction", "whisper")


async def drop_deliveries(session: AsyncSession, before: datetime, limit: int) -> int:
    """Those that were worked off before then."""
    old = select(InboxRow.key).where(InboxRow.done_at < before).limit(limit)
    return await rows_changed(session, delete(InboxRow).where(InboxRow.key.in_(old)))


async def drop_messages(session: AsyncSession, before: datetime, limit: int) -> int:
    """Those in the threads of finished tasks. What Slack refused is left to be seen."""
    finished = select(TaskRow.pk).where(TaskRow.state.in_(FINISHED))
    loose = (OutboxRow.kind.in_(_LOOSE), OutboxRow.task_pk.in_(finished))
    old = select(OutboxRow.key).where(*_sent(before), *loose).limit(limit)
    return await rows_changed(session, delete(OutboxRow).where(OutboxRow.key.in_(old)))


async def empty_messages(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget what they said. Their keys stay, so that each is sent once for ever, and their ts, so that a reply finds
    its task."""
    said = cast(OutboxRow.payload, Text) != "{}"
    old = select(OutboxRow.key).where(*_sent(before), said).limit(limit)
    return await rows_changed(session, update(OutboxRow).where(OutboxRow.key.in_(old)).values(payload={}))


async def empty_calls(session: AsyncSession, before: datetime, limit: int) -> int:
    """Forget what was asked and answered for tasks that ended; but not the most output asked for, by which a call of
    unknown outcome is priced (store.spending)."""
    ended = select(TaskRow.pk).where(TaskRow.state.in_(ENDED), TaskRow.updated_at < before)
    old = (
        select(CallRow.id, CallRow.request["max_output"].as_integer())
        .where(CallRow.settled_at < before, CallRow.task_pk.in_(ended))
        .where(CallRow.request["model"].as_string().is_not(None))
        .limit(limit)
    )
    found = (await session.execute(old)).all()
    for call_id, most_output in found:
        kept = {"max_output": most_output}
        await session.execute(
            update(CallRow).where(CallRow.id == call_id).values(request=kept, reply=None, applied=None)
        )
    return len(found)


async def ended_since(session: AsyncSession, project: str, names: list[str], before: datetime) -> set[str]:
    """Which of these are ids of tasks that ended before then."""
    query = select(TaskRow.task_id).where(
        TaskRow.project == project, TaskRow.task_id.in_(names), TaskRow.updated_at < before,
        TaskRow.state.in_(ENDED),
    )  # fmt: skip
    return set(await session.scalars(query))


def _sent(before: datetime) -> tuple[Any, ...]:
    return OutboxRow.created_at < before, OutboxRow.due.is_(False), OutboxRow.error == ""
