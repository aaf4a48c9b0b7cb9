"""The event log and the ledger as plain values for `orch export`, oldest first, as the database gives them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select

from bot.domain.budget import sprint_of
from bot.store.database import Database
from bot.store.tables import CallRow, EventRow, TaskRow

#: So many rows are held at a time.
ROWS = 500

#: Each column of a ledger line, in order. What was sent and answered stays inside.
LEDGER: Mapping[str, str] = {
    "project": "key of the project",
    "task_id": "of the task that the call was made for",
    "requester": "Slack id of who asked for the task",
    "sprint": "number of the sprint whose budget it counts against; 0 = none was open",
    "id": "of the call, as sent to the provider (X-Orch-Call)",
    "attempt": "of the task, counted from 1; 0 = before any",
    "number": "of the call within its attempt",
    "purpose": "edit, repair, review, report, split, triage",
    "rung": "haiku, sonnet, gemini, opus",
    "model": "that was asked for",
    "answered_by": "the model that answered, as the provider names it",
    "day": "whose budget it counts against: a date in the project's time zone",
    "state": "intent, sent (both still reserved), settled, refused (free), unknown (charged in full), corrected",
    "reserved_tokens": "tokens: the worst case, reserved before the call",
    "used_tokens": "tokens that it counts for: all input and output; 0 while it is reserved",
    "input_tokens": "tokens of input that no cache held",
    "output_tokens": "tokens of output, thinking included",
    "thinking_tokens": "tokens of thinking, as a part of the output",
    "cache_write_tokens": "tokens of input written to the prompt cache",
    "cache_read_tokens": "tokens of input read from the prompt cache",
    "reserved_microusd": "millionths of a US dollar: the worst case",
    "cost_microusd": "millionths of a US dollar that it cost; 0 while it is reserved",
    "batch": "true: by the provider's batch API",
    "error": "why there is no answer",
    "created_at": "time in UTC when it was reserved",
    "settled_at": "time in UTC when its outcome was known",
}
#: Each column of an event's line, in order.
EVENTS: Mapping[str, str] = {
    "id": "of the event; later ones are larger",
    "at": "time in UTC",
    "project": "key of the project",
    "task_id": "of the task",
    "kind": "what happened",
    "state": "of the task afterwards",
    "who": "Slack id of who did it, or orch",
    "why": "the reason, in words",
    "detail": "more facts, as JSON",
    "message": "the plan's own message (R-MSG), as JSON, where the event tells one",
    "alert": "the plan's own blocker alert (R-MSG-3), as JSON, where the event tells one",
}
_OF_TASK = ("project", "task_id", "requester", "sprint")


class Wanted(NamedTuple):
    """Which lines. A date means the ledger's days, both included; a time (UTC) when a line was written, its end left
    out."""

    project: str | None = None
    first: date | datetime | None = None
    last: date | datetime | None = None


async def events(database: Database, wanted: Wanted) -> AsyncGenerator[dict[str, Any], None]:
    """What happened to each task; only times are understood."""
    query = select(
        EventRow.id, EventRow.at, TaskRow.project, TaskRow.task_id, EventRow.kind, EventRow.state, EventRow.who,
        EventRow.why, EventRow.detail,
    ).join(TaskRow, TaskRow.pk == EventRow.task_pk)  # fmt: skip
    query = query.where(TaskRow.project == wanted.project) if wanted.project else query
    query = query.where(EventRow.at >= wanted.first) if wanted.first else query
    query = query.where(EventRow.at < wanted.last) if wanted.last else query
    async with aclosing(_stream(database, query.order_by(EventRow.id))) as rows:
        async for row in rows:
            line = dict(row._mapping)
            detail = dict(line["detail"])
            told = {name: detail.pop(name, None) for name in ("message", "alert")}
            yield {**line, "at": row.at.isoformat(), "detail": detail, **told}


async def ledger(database: Database, wanted: Wanted) -> AsyncGenerator[dict[str, Any], None]:
    """Every paid call."""
    own = [getattr(CallRow, name) for name in LEDGER if name not in _OF_TASK]
    query = select(TaskRow.project, TaskRow.task_id, TaskRow.requester, CallRow.scopes, *own)
    query = query.join(TaskRow, TaskRow.pk == CallRow.task_pk)
    query = query.where(TaskRow.project == wanted.project) if wanted.project else query
    if wanted.first:
        timed = isinstance(wanted.first, datetime)
        query = query.where((CallRow.created_at if timed else CallRow.day) >= wanted.first)
    if wanted.last:
        timed = isinstance(wanted.last, datetime)
        query = query.where(CallRow.created_at < wanted.last if timed else CallRow.day <= wanted.last)
    async with aclosing(_stream(database, query.order_by(CallRow.created_at, CallRow.id))) as rows:
        async for row in rows:
            line = dict(row._mapping) | {"sprint": sprint_of(row.scopes)}
            yield {name: _plain(line[name]) for name in LEDGER}


async def _stream(database: Database, query: Select[Any]) -> AsyncGenerator[Row[Any], None]:
    async with database.read() as session:
        result = await session.stream(query, execution_options={"yield_per": ROWS})
        async for some in result.partitions():
            for row in some:
                yield row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
