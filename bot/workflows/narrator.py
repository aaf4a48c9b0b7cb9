"""The narrator: one line in the terminal for every step of the work, as it happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.task import TaskState
from bot.store import tasks
from bot.store.tables import EventRow, TaskRow
from bot.workflows.office import Office

#: Between two looks: while something happens, and while nothing does.
ROUND_SECONDS, QUIET_SECONDS = 0.25, 1.0
OUT_OF_REACH_SECONDS = 1.0
SYMBOLS = {"created": "+", "merged": "*", "done": "*", "blocked": "!", "rejected": "x", "cancelled": "x", "failed": "x"}


async def narrate(office: Office, say: Callable[[str], None]) -> None:
    """Say every event from now on, with the time since the task's last one. Works until cancelled; that the database
    is out of reach is said once, and what happened meanwhile when it is back."""
    last_seen: dict[int, datetime] = {}
    newest: int | None = None
    out_of_reach = False
    while True:
        try:
            if newest is None:
                newest = await _newest(office)
            rows = await _since(office, newest)
        except (SQLAlchemyError, OSError) as error:
            if not out_of_reach:
                say(f"The database does not answer ({type(error).__name__}). Orch goes on when it does.")
            out_of_reach = True
            await asyncio.sleep(OUT_OF_REACH_SECONDS)
            continue
        if out_of_reach:
            say("The database answers again.")
        out_of_reach = False
        for event, task in rows:
            newest = event.id
            since = (event.at - last_seen.get(task.pk, event.at)).total_seconds()
            last_seen[task.pk] = event.at
            say(line(event, task, since))
        await asyncio.sleep(ROUND_SECONDS if rows else QUIET_SECONDS)


async def _newest(office: Office) -> int:
    async with office.db.read() as session:
        return await tasks.newest_event_id(session)


async def _since(office: Office, newest: int) -> Sequence[Row[EventRow, TaskRow]]:
    async with office.db.read() as session:
        return await tasks.events_after(session, newest)


def line(event: EventRow, task: TaskRow, seconds: float) -> str:
    """12:01:02  +1.3s  ? S0-D0-1  awaiting approval   gemini approved it with 9/10"""
    why = re.sub(r"<@(\w+)>", r"@\1", " ".join(event.why.split()))
    state = TaskState(event.state).words
    symbol = SYMBOLS.get(event.kind, "-")
    return f"{event.at:%H:%M:%S} {seconds:+6.1f}s {symbol} {task.task_id:<9} {state:<18} {why[:160]}"
