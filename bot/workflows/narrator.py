"""The narrator: one line in the terminal for every step of the work, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select

from bot.store.tables import EventRow, TaskRow
from bot.workflows.office import Office

ROUND_SECONDS = 0.25
SYMBOLS = {"created": "+", "merged": "*", "done": "*", "blocked": "!", "rejected": "x", "cancelled": "x", "failed": "x"}


async def narrate(office: Office, say: Callable[[str], None]) -> None:
    """Say every event from now on, with the time since the task's last one. Works until cancelled."""
    last_seen: dict[int, datetime] = {}
    async with office.db.read() as session:
        newest = await session.scalar(select(func.max(EventRow.id))) or 0
    while True:
        async with office.db.read() as session:
            query = select(EventRow, TaskRow).join(TaskRow).where(EventRow.id > newest).order_by(EventRow.id)
            rows = (await session.execute(query)).all()
        for event, task in rows:
            newest = event.id
            since = (event.at - last_seen.get(task.pk, event.at)).total_seconds()
            last_seen[task.pk] = event.at
            say(line(event, task, since))
        await asyncio.sleep(ROUND_SECONDS)


def line(event: EventRow, task: TaskRow, seconds: float) -> str:
    """12:01:02  +1.3s  ? S0-D0-1  awaiting approval   gemini approved it with 9/10"""
    why = " ".join(event.why.split())
    state = event.state.replace("_", " ")
    symbol = SYMBOLS.get(event.kind, "-")
    return f"{event.at:%H:%M:%S} {seconds:+6.1f}s {symbol} {task.task_id:<9} {state:<18} {why[:160]}"
