"""Migrations: from nothing, equal to the tables, and on a filled database with its data intact; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, select, text

from bot.store.database import Database
from bot.store.migrate import migrate, pending
from bot.store.tables import Base
from bot.wiring import data_folder
from tests.store import filled_0001


async def test_migrations_make_exactly_the_tables(empty_database_url: str) -> None:
    database = Database(empty_database_url)
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


async def test_a_filled_database_keeps_its_data(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        await migrate(database, data_folder("migrations"), "0001")
        async with database.engine.connect() as connection:
            await connection.run_sync(fill, filled_0001.ROWS)
            await connection.commit()
        await migrate(database, data_folder("migrations"))
        async with database.engine.connect() as connection:
            for table, rows in filled_0001.ROWS.items():
                assert await connection.run_sync(rows_of, table) == rows, table
            assert await connection.run_sync(broken_references) == []
        async with database.read() as session:  # and today's code can read every row
            for mapper in Base.registry.mappers:
                found = (await session.scalars(select(mapper.class_))).all()
                assert len(found) == len(filled_0001.ROWS.get(mapper.local_table.name, [])), mapper  # type: ignore[attr-defined]
    finally:
        await database.close()


def test_the_first_revision_has_rows_for_each_of_its_tables() -> None:
    assert all(filled_0001.ROWS.values())


def fill(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Write rows into every table that there is at this revision."""
    known = MetaData()
    known.reflect(connection)
    assert set(rows) == set(known.tables) - {"alembic_version"}
    for name, values in rows.items():
        for row in values:
            assert set(row) == set(known.tables[name].columns.keys()), name
            connection.execute(known.tables[name].insert(), row)


def rows_of(connection: Connection, name: str) -> list[dict[str, Any]]:
    """A table's rows now, by primary key, without columns that came later; times aware."""
    known = MetaData()
    known.reflect(connection, only=[name])
    table = known.tables[name]
    first = filled_0001.ROWS[name][0]
    found = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    return [{column: aware(value) for column, value in row.items() if column in first} for row in found]


def aware(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def broken_references(connection: Connection) -> list[object]:
    """Rows whose foreign key names nothing (PostgreSQL allows none)."""
    if connection.dialect.name != "sqlite":
        return []
    assert inspect(connection).get_table_names()
    return list(connection.execute(text("PRAGMA foreign_key_check")).all())
