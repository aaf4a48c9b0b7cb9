"""What people set for themselves comes back as it was, and the last one to write wins."""

from __future__ import annotations

import asyncio
from datetime import date, time

from bot.domain.person_settings import NOTHING_SET, PersonSettings
from bot.store import people_settings
from bot.store.database import Database
from tests.store.samples import NOW

EVERYTHING = PersonSettings(
    away_until=date(2026, 12, 1), zone="Europe/Lisbon", quiet_from=time(18), quiet_to=time(9, 30), digest=False,
    notify="thread",
)  # fmt: skip


async def test_what_was_set_comes_back(database: Database) -> None:

    async def put(person: str, settings: PersonSettings) -> None:
        async with database.begin() as session:
            await people_settings.put(session, person, settings, NOW)

    await put("U0DEV", EVERYTHING)
    await asyncio.gather(*(put("U0LEAD", PersonSettings(zone="Asia/Kolkata")) for _ in range(5)))
    async with database.read() as session:
        assert await people_settings.get(session, "U0DEV") == EVERYTHING
        assert await people_settings.get(session, "U0TWO") == NOTHING_SET
        assert set(await people_settings.of(session, ["U0DEV", "U0LEAD", "U0TWO"])) == {"U0DEV", "U0LEAD"}
    await put("U0DEV", NOTHING_SET)
    async with database.read() as session:
        assert await people_settings.get(session, "U0DEV") == NOTHING_SET
