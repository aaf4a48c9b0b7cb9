"""Upkeep, once a day: what nobody needs any more of work that ended `retention_days` ago goes (store.retention), so
that nothing grows without end. All of it may run twice, and what one day did not come to, the next does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store import retention, slots
from bot.workflows.check import SETUP_TREE
from bot.workflows.office import Office

#: Its own row among the projects' clocks; no project can be called so.
NAME = "*upkeep"
DAY = timedelta(days=1)
#: How often it is looked whether a day has passed, and how long after the start first; seconds.
LOOK_SECONDS, FIRST_SECONDS = 3600.0, 60.0
#: Rows in one transaction.
ROWS = 200
#: How DBOS calls workflows that will not run again.
OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

Trim = Callable[[AsyncSession, datetime, int], Awaitable[int]]
TRIMS: tuple[Trim, ...] = (
    retention.drop_deliveries,
    retention.drop_messages,
    retention.empty_messages,
    retention.empty_calls,
)


class Upkeep:
    """One per process that runs stages. The database is trimmed by one of them, its own worktrees by each."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._tidied: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        pause = FIRST_SECONDS
        while self._office.retention is not None:
            await asyncio.sleep(pause)
            pause = LOOK_SECONDS
            with self._office.troubles.at("upkeep"):
                await self.look()

    async def look(self) -> None:
        """Do what is due."""
        office, now = self._office, self._office.now()
        if office.retention is None:
            return
        before = now - office.retention
        async with office.db.begin() as session:
            last = (await slots.schedule(session, NAME, now)).looked_until
            mine = now - last >= DAY and await slots.move_on(session, NAME, last, now)
        if mine:
            await trim(office, before)
        if self._tidied is None or now - self._tidied >= DAY:
            self._tidied = now
            for key in office.repositories:
                with office.troubles.at(f"upkeep {key}"):
                    await tidy(office, key, before)


async def trim(office: Office, before: datetime) -> None:
    """Trim the database of what ended before then, a little at a time."""
    for function in TRIMS:
        done = ROWS
        while done >= ROWS:
            async with office.db.begin() as session:
                done = await function(session, before, ROWS)
    while found := await DBOS.list_workflows_async(
        status=OVER, completed_before=before.isoformat(), limit=ROWS, load_input=False, load_output=False
    ):
        await DBOS.delete_workflows_async([each.workflow_id for each in found])


async def tidy(office: Office, key: str, before: datetime) -> None:
    """Remove the worktrees and branches of tasks that ended before then, and pack what is left."""
    repository = office.repositories[key]
    names = await repository.kept_tasks()
    async with office.db.read() as session:
        ended = await retention.ended_since(session, key, [name.removesuffix(SETUP_TREE) for name in names], before)
    await repository.drop(*(name for name in names if name.removesuffix(SETUP_TREE) in ended))
    await repository.pack()
