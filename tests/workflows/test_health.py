"""Ready or not, and the numbers that a monitor reads (R-MET)."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import OperationalError

from bot.adapters.health_server import exposition
from bot.store.database import Database
from bot.workflows import health
from bot.workflows.office import Office
from tests.store.samples import NOW, a_call, created
from tests.workflows.offices import an_office


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def broken() -> bool:
    raise OperationalError("SELECT 1", {}, Exception("gone"))


async def test_one_no_is_a_no() -> None:
    assert await health.ready({"database": yes, "slack": no, "foreman": broken}) == {
        "database": True, "slack": False, "foreman": False,
    }  # fmt: skip


async def test_the_numbers_are_those_of_the_store(office: Office, database: Database) -> None:
    for number in (1, 2):
        row = await created(database, number)
        async with database.begin() as session:
            session.add(a_call(row, used_tokens=70, state="settled", day=NOW.date()))
    office.acks.took(0.25)
    assert await health.database_answers(office)
    shown = exposition(await health.numbers(office)).decode()
    assert 'orch_tasks{project="GRANTER",state="queued"} 2.0' in shown
    assert 'orch_tokens_today{project="GRANTER",rung="haiku"} 140.0' in shown
    assert "orch_messages_due 2.0" in shown and "orch_ack_seconds_sum 0.25" in shown
    assert 'orch_ack_seconds_recent{quantile="0.99"} 0.25' in shown


async def test_a_database_that_cannot_be_reached_is_not_ready() -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    office = an_office(nowhere)
    try:
        async with asyncio.timeout(60):
            answers = await health.ready({"database": lambda: health.database_answers(office)})
        assert answers == {"database": False}
    finally:
        await nowhere.close()
