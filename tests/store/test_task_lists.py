"""Pages of tasks, on both databases."""

from __future__ import annotations

from bot.domain.task import TaskState
from bot.store import task_lists
from bot.store.database import Database
from tests.store.samples import a_task

EVERY = tuple(TaskState)


async def test_five_hundred_tasks_by_pages(database: Database) -> None:
    async with database.begin() as session:
        for number in range(1, 501):
            session.add(a_task(number, text=f"Task {number} of the 100% {'Billing' if number % 10 == 0 else 'shop'}"))
    async with database.read() as session:
        rows, total = await task_lists.page(session, "GRANTER", EVERY, first=0, count=20)
        assert total == 500 and [row.number for row in rows] == list(range(500, 480, -1))
        rows, total = await task_lists.page(session, "GRANTER", EVERY, words=["billing", "of"], first=40, count=20)
        assert total == 50 and [row.number for row in rows] == list(range(100, 0, -10))
        for word, found in (("100%", 500), ("%", 500), ("_", 0), ("S0-D0-500", 1), ("nothing", 0)):
            assert (await task_lists.page(session, "GRANTER", EVERY, words=[word], first=0, count=1))[1] == found
        assert (await task_lists.page(session, "GRANTER", (TaskState.BLOCKED,), first=0, count=1))[1] == 0
        assert (await task_lists.page(session, "OTHER", EVERY, first=0, count=1))[1] == 0
