"""What people said at a stand-up: one answer for a person and a day."""

from __future__ import annotations

from datetime import date, timedelta

from bot.domain.people_standup import Answer
from bot.store import outbox, standup_answers
from bot.store.database import Database
from tests.store.samples import NOW, created

DAY = date(2026, 11, 23)


async def test_the_last_answer_stands(database: Database) -> None:
    for hour, person, said in ((1, "U0DEV", "first"), (2, "U0TWO", "his"), (3, "U0DEV", "second")):
        async with database.begin() as session:
            at = NOW + timedelta(hours=hour)
            await standup_answers.put(session, "GRANTER", DAY, person, Answer(done=said, task="S0-D0-1"), at)
    async with database.read() as session:
        rows = await standup_answers.of_day(session, "GRANTER", DAY)
        assert [(row.person, row.done) for row in rows] == [("U0TWO", "his"), ("U0DEV", "second")]
        assert await standup_answers.get(session, "GRANTER", DAY, "U0DEV") == Answer(done="second", task="S0-D0-1")
        assert await standup_answers.get(session, "GRANTER", DAY + timedelta(days=1), "U0DEV") is None
        assert not await standup_answers.of_day(session, "OTHER", DAY)


async def test_who_has_open_tasks_and_who_was_asked(database: Database) -> None:
    await created(database, 1)
    await created(database, 2, owner="U0TWO", state="merged")
    await created(database, 3, owner="U0LEAD", project="OTHER")
    async with database.begin() as session:
        for key in ("people/GRANTER/2026-11-23/U0DEV", "people/GRANTER/2026-11-24/U0TWO"):
            await outbox.want(session, key, "direct", "U0DEV", {}, NOW)
    async with database.read() as session:
        assert await standup_answers.owners(session, "GRANTER") == {"U0DEV"}
        assert await outbox.keys(session, "people/GRANTER/2026-11-23/") == ["people/GRANTER/2026-11-23/U0DEV"]
