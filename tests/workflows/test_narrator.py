"""The narrator goes on after a database error, and says that there was one."""

from __future__ import annotations

import asyncio

from bot.store.tables import EventRow
from bot.workflows import narrator
from tests.store.samples import created, migrated
from tests.workflows.offices import an_office


async def test_it_survives_a_database_that_is_away(tmp_path: object) -> None:
    async with migrated(f"sqlite+aiosqlite:///{tmp_path}/orch.db") as database:
        office, said = an_office(database), asyncio.Queue[str]()
        events = EventRow.__tablename__

        async def rename(one: str, other: str) -> None:
            async with database.begin() as session:
                await (await session.connection()).exec_driver_sql(f"ALTER TABLE {one} RENAME TO {other}")

        narrating = asyncio.create_task(narrator.narrate(office, said.put_nowait))
        try:
            async with asyncio.timeout(60):
                await asyncio.sleep(0)
                await rename(events, "away")
                assert (await said.get()).startswith("The database does not answer (OperationalError)")
                await rename("away", events)
                assert await said.get() == "The database answers again."
                await created(database)
                assert "S0-D0-1" in await said.get()
        finally:
            narrating.cancel()
            await asyncio.gather(narrating, return_exceptions=True)
