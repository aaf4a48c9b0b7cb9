"""The newest of the plan's messages about a task, as metadata of its card (R-MSG-1, R-MSG-2, R-MSG-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.shortening import shortened
from bot.domain.task import Task, TaskState
from bot.store import messages
from bot.store.tables import TaskRow

#: Slack refuses metadata above 8,000 bytes; each text and list is cut long before.
MOST_CHARS, MOST_ITEMS = 300, 5


async def card_metadata(session: AsyncSession, facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What a card carries for programs, from the facts that it shows (workflows.card): the assignment until the task
    begins, then its status; an alert where it is blocked. Long texts are cut; `orch export events` has them whole."""
    row: TaskRow = facts["row"]
    task: Task = facts["task"]
    if row.entry > 0 or task.state is not TaskState.QUEUED:
        tokens = facts["tokens"] + facts["reserved_tokens"]
        told = await messages.status_update(session, row, task, tokens, facts["verdict"] if facts["review"] else None)
    else:
        told = await messages.assignment(session, row, task)
    payload = {"key": key, "message": _short(told)}
    if task.state is TaskState.BLOCKED:
        payload["alert"] = _short(messages.alert(row, task, row.waits_for or "", facts["proposed"]))
    return {"event_type": "orch", "event_payload": payload}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return shortened(value, MOST_CHARS)
    if isinstance(value, list):
        return [_short(item) for item in value[:MOST_ITEMS]]
    return {name: _short(each) for name, each in value.items()} if isinstance(value, dict) else value
