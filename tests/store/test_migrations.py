"""Migrations: from nothing, and equal to the tables; on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from bot.store.database import Database
from bot.store.migrate import migrate, pending
from bot.store.tables import Base
from bot.wiring import data_folder


async def test_migrations_make_exactly_the_tables(database_url: str) -> None:
    database = Database(database_url)
    try:
        await migrate(database, data_folder("migrations"))
        await migrate(database, data_folder("migrations"))  # again: nothing to do
        current, head = await pending(database, data_folder("migrations"))
        assert current == head is not None

        def differences(connection: Connection) -> list[object]:
            return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

        async with database.engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()
