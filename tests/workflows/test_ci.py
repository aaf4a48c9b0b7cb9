"""Results of CI that come at the same moment: one delivery's id counts once, for whichever task."""

from __future__ import annotations

import asyncio

from sqlalchemy import select, text

from bot.domain.ci import CiResult
from bot.domain.task import Rung, TaskType
from bot.store import inbox
from bot.store.database import Database
from bot.store.tables import TaskRow
from bot.workflows import ci
from bot.workflows.office import Office
from tests.store.samples import NOW, ROUTE, created

MANUAL = {**ROUTE, "rung": Rung.MANUAL.value, "type": TaskType.TESTS.value}


async def _somebody_waits(database: Database) -> None:
    """Until a transaction waits for another; in SQLite none begins before its turn, so there is nothing to wait for."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while not database.sole:
            async with database.read() as session:
                if await session.scalar(waiting):
                    return
            await asyncio.sleep(0.01)


async def test_one_delivery_for_two_tasks_at_the_same_instant(office: Office, database: Database) -> None:
    await created(database, 1, route=MANUAL, state="with_human")
    second = CiResult(task="S0-D0-1", result="pass", delivery="run-7")
    first = {"project": "GRANTER", "task": "S0-D0-9", "result": "pass", "url": ""}
    async with database.begin() as session:  # another process counts it, and has not committed yet
        assert await inbox.take(session, "ci:run-7", "ci", first, NOW)
        late = asyncio.create_task(ci.take(office, second))
        await _somebody_waits(database)
    answer = await late
    assert (answer.what, "Delivery run-7 was another result" in answer.why) == ("refused", True)
    async with database.read() as session:
        assert await session.scalar(select(TaskRow.state)) == "with_human"


async def test_the_same_result_twice_at_once_counts_once(office: Office, database: Database) -> None:
    await created(database, 1, route=MANUAL, state="with_human")
    result = CiResult(task="S0-D0-1", result="pass", delivery="run-8")
    found = await asyncio.gather(*(ci.take(office, result) for _ in range(4)))
    assert sorted(answer.what for answer in found) == ["done", "known", "known", "known"]
