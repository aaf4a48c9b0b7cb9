"""Run the Alembic migrations in migrations/ on a database (`orch migrate`; also at start-up)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ConfigError
from bot.store.database import Database


async def migrate(database: Database, migrations: Path, revision: str = "head") -> None:
    """Bring the database to `revision`; does nothing where it is there already. Raises ConfigError."""
    async with _connected(database) as connection:
        await connection.run_sync(_upgrade, migrations, revision)
        await connection.commit()


async def pending(database: Database, migrations: Path) -> tuple[str | None, str | None]:
    """(the database's revision, the newest revision); equal when nothing is pending. Raises ConfigError."""
    head = ScriptDirectory(str(migrations)).get_current_head()
    async with _connected(database) as connection:
        current = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    return current, head


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection. Raises ConfigError where there is none: the address is wrong, or the server does not answer."""
    try:
        connection = await database.engine.connect()
    except (SQLAlchemyError, OSError) as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise ConfigError(
            f"The database cannot be opened: {said}. Check DATABASE_URL, and that the server runs and lets Orch in."
        ) from error
    try:
        yield connection
    finally:
        await connection.close()


def _upgrade(connection: Connection, migrations: Path, revision: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
