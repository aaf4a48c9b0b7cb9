"""Plans in the store: taken in by id, numbers beyond theirs, budgets of their sprints; on both databases (R-MSG-4)."""

from __future__ import annotations

import pytest

from bot.adapters.plan_file import load_plan
from bot.domain.budget import LEAN
from bot.errors import UserMistake
from bot.store import sprints, tasks
from bot.store.database import Database
from tests.store.samples import created

TEXT = """\
name: demo
sprints: [{number: 1, title: One, budget: {haiku: 3000, gemini: 1000}}]
tasks:
  - {id: S1-D1-1, prompt: Write the README, blockers_if_fail: [S1-D1-4]}
  - {id: S1-D1-4, prompt: Write the FAQ}
"""
DEMO = load_plan(TEXT)


async def test_a_plan_is_taken_in_by_id(database: Database) -> None:
    async with database.begin() as session:
        assert await sprints.put(session, "GRANTER", DEMO) == (2, 0, 0, 0, 0)
    async with database.begin() as session:
        assert await sprints.put(session, "GRANTER", DEMO) == (0, 0, 2, 0, 0)
        (await sprints.plan_rows(session, "GRANTER"))[0].queued = True
    async with database.begin() as session:
        other = load_plan(TEXT.replace("S1-D1-4", "S1-D1-5"))
        assert await sprints.put(session, "GRANTER", other) == (1, 0, 0, 1, 1)
    async with database.read() as session:
        rows = await sprints.plan_rows(session, "GRANTER", 1)
        assert [sprints.as_plan_task(row).after for row in rows] == [(), ("S1-D1-1",)]
        (sprint,) = await sprints.of_project(session, "GRANTER")
        assert (sprint.number, sprint.title, sprint.state, dict(sprint.budget)) == (
            1, "One", "planned", {"haiku": 3000, "gemini": 1000},
        )  # fmt: skip
        assert (await sprints.limits_in(session, LEAN, "GRANTER", 1)).sprints == {1: 4000}
        assert (await sprints.limits_in(session, LEAN, "GRANTER", 2)).sprints == {}
        assert await tasks.next_number(session, "GRANTER", 1, 1) == 6
        assert await tasks.next_number(session, "GRANTER", 1, 2) == 1


async def test_an_id_that_is_something_else_is_refused(database: Database) -> None:
    async with database.begin() as session:
        await sprints.put(session, "GRANTER", DEMO)
    await created(database, task_id="S2-D1-1", sprint=2, day=1)
    for text, said in (
        (TEXT.replace("name: demo", "name: other"), "S1-D1-1 comes from the plan demo already"),
        (TEXT.replace("S1-D", "S2-D").replace("number: 1,", "number: 2,"), "S2-D1-1 is a task already"),
    ):
        with pytest.raises(UserMistake, match=said):
            async with database.begin() as session:
                await sprints.put(session, "GRANTER", load_plan(text))
    async with database.read() as session:
        assert [s.number for s in await sprints.of_project(session, "GRANTER")] == [1]
