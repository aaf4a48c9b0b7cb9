"""The event log and the ledger as plain values for `orch export`, oldest first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import CallRow, EventRow, TaskRow

#: A ledger line's fields, as the table has them; what was sent and answered stays inside.
CALL_FIELDS = (
    "id", "attempt", "number", "purpose", "rung", "model", "answered_by", "day", "state", "reserved_tokens",
    "used_tokens", "input_tokens", "output_tokens", "thinking_tokens", "cache_write_tokens", "cache_read_tokens",
    "reserved_microusd", "cost_microusd", "batch", "error", "created_at", "settled_at",
)  # fmt: skip


async def events(database: Database, project: str | None, since: datetime | None) -> AsyncIterator[dict[str, Any]]:
    """What happened to each task. `message` and `alert` are the plan's own (R-MSG), where the event tells one."""
    query = select(EventRow, TaskRow.project, TaskRow.task_id).join(TaskRow, TaskRow.pk == EventRow.task_pk)
    query = query.where(TaskRow.project == project) if project else query
    query = query.where(EventRow.at >= since) if since else query
    async with database.read() as session:
        for event, key, task_id in (await session.execute(query.order_by(EventRow.id))).all():
            detail = dict(event.detail)
            told = {name: detail.pop(name, None) for name in ("message", "alert")}
            yield {
                "id": event.id,
                "at": event.at.isoformat(),
                "project": key,
                "task_id": task_id,
                "kind": event.kind,
                "state": event.state,
                "who": event.who,
                "why": event.why,
                "detail": detail,
                **told,
            }


async def ledger(database: Database, project: str | None, since: datetime | None) -> AsyncIterator[dict[str, Any]]:
    """Every paid call. Tokens, and micro-dollars."""
    query = select(CallRow, TaskRow.project, TaskRow.task_id).join(TaskRow, TaskRow.pk == CallRow.task_pk)
    query = query.where(TaskRow.project == project) if project else query
    query = query.where(CallRow.created_at >= since) if since else query
    async with database.read() as session:
        for call, key, task_id in (await session.execute(query.order_by(CallRow.created_at, CallRow.id))).all():
            fields = {name: getattr(call, name) for name in CALL_FIELDS}
            plain = {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in fields.items()}
            yield {"project": key, "task_id": task_id, **plain}
