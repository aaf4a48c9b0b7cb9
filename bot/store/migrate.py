"""Run the Alembic migrations in migrations/ on a database (`orch migrate`; also at start-up)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.store.database import Database


async def migrate(database: Database, migrations: Path, revision: str = "head") -> None:
    """Bring the database to `revision`; does nothing where it is there already."""
    async with database.engine.connect() as connection:
        await connection.run_sync(_upgrade, migrations, revision)
        await connection.commit()


async def pending(database: Database, migrations: Path) -> tuple[str | None, str | None]:
    """(the database's revision, the newest revision); equal when nothing is pending."""
    head = ScriptDirectory(str(migrations)).get_current_head()
    async with database.engine.connect() as connection:
        current = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    return current, head


def _upgrade(connection: Connection, migrations: Path, revision: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
