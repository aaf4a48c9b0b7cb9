"""`orch migrate`: bring the database to this version."""

from __future__ import annotations

from bot.settings import load_settings
from bot.store.database import opened
from bot.store.migrate import migrate, pending
from bot.wiring import data_folder


async def bring_up_to_date() -> int:
    """Run what is pending and say so."""
    async with opened(load_settings().database_url) as database:
        before, newest = await pending(database, data_folder("migrations"))
        await migrate(database, data_folder("migrations"))
    print(f"The database is at {newest}." if before == newest else f"The database went from {before} to {newest}.")
    return 0
