"""The newest of the plan's messages about a task, as metadata of its card (R-MSG-1, R-MSG-2, R-MSG-3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.escalation import proposed_in
from bot.domain.shortening import shortened
from bot.domain.task import TaskState
from bot.store import messages, tasks
from bot.store.tables import TaskRow

#: Slack refuses metadata above 8,000 bytes; each text and list is cut long before.
MOST_CHARS, MOST_ITEMS = 300, 5


async def card_metadata(session: AsyncSession, pk: int, key: str) -> dict[str, Any]:
    """What a card carries for programs: the assignment until the task begins, then its status; an alert where it is
    blocked. Long texts are cut; `orch export events` has them whole."""
    row = await session.get_one(TaskRow, pk)
    task = tasks.as_task(row)
    begun = row.entry > 0 or task.state is not TaskState.QUEUED
    told = await (messages.status_update if begun else messages.assignment)(session, row, task)
    payload = {"key": key, "message": _short(told)}
    if task.state is TaskState.BLOCKED:
        stands = await tasks.standing_event(session, row)
        payload["alert"] = _short(messages.alert(row, task, row.waits_for or "", proposed_in(stands.detail)))
    return {"event_type": "orch", "event_payload": payload}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return shortened(value, MOST_CHARS)
    if isinstance(value, list):
        return [_short(item) for item in value[:MOST_ITEMS]]
    return {name: _short(each) for name, each in value.items()} if isinstance(value, dict) else value
