"""What SQLAlchemy gets through our cursor is what SQLite has, in few trips to the connection's thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.store.database import Database
from bot.store.sqlite_connection import AT_ONCE, connect

NUMBERS = text(
    "WITH RECURSIVE n(x) AS (SELECT 1 WHERE :count > 0 UNION ALL SELECT x + 1 FROM n WHERE x < :count) SELECT x FROM n"
)
COUNTS = [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE + 7]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}")
    yield database
    await database.close()


@pytest.mark.parametrize("count", COUNTS)
async def test_all_rows_come_in_their_order(database: Database, count: int) -> None:
    async with database.read() as session:
        for size in (None, 1, 100, AT_ONCE, 1000):
            options = {"yield_per": size} if size else {}
            result = await session.stream_scalars(NUMBERS, {"count": count}, execution_options=options)
            assert [number async for number in result] == list(range(1, count + 1))
        assert list(await session.scalars(NUMBERS, {"count": count})) == list(range(1, count + 1))


@pytest.mark.parametrize("count", COUNTS)
async def test_how_many_rows_were_changed(database: Database, count: int) -> None:
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE t (a)"))
        if count:
            await session.execute(text("INSERT INTO t VALUES (:a)"), [{"a": number} for number in range(count)])
        assert (await session.execute(text("UPDATE t SET a = a + 1"))).rowcount == count  # type: ignore[attr-defined]
        changed = await session.execute(text("UPDATE t SET a = a + 1 RETURNING a"))
        assert sorted(changed.scalars()) == list(range(2, count + 2))


async def test_the_cursor_of_a_long_result_knows_what_it_changed(tmp_path: Path) -> None:
    connection = await connect(str(tmp_path / "orch.db"))
    try:
        cursor = connection.cursor()
        await cursor.execute("CREATE TABLE t (a)")
        await cursor.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(2 * AT_ONCE)])
        assert cursor.rowcount == 2 * AT_ONCE
        await cursor.execute("UPDATE t SET a = 0 RETURNING a")
        assert (await cursor.fetchone(), len(await cursor.fetchall())) == ((0,), 2 * AT_ONCE - 1)
        assert cursor.rowcount == 2 * AT_ONCE
        await cursor.close()
    finally:
        await connection.close()


async def test_a_session_takes_a_trip_for_each_statement_and_one_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[str] = []
    really = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, function: object, *arguments: object) -> object:
        trips.append(getattr(function, "__name__", "?"))
        return await really(self, function, *arguments)

    async with database.begin() as session:  # it connects
        await session.execute(text("CREATE TABLE t (a)"))
    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    async with database.read() as session:
        await session.execute(text("SELECT a FROM t"))
    assert trips == ["_run", "rollback"]
    trips.clear()
    async with database.begin() as session:
        await session.execute(text("INSERT INTO t VALUES (1)"))
    assert trips == ["_run", "commit"]


async def test_what_fails_is_rolled_back(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE t (a)"))
    with pytest.raises(LookupError):
        async with database.begin() as session:
            await session.execute(text("INSERT INTO t VALUES (1)"))
            raise LookupError
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM t")) == 0


async def test_a_transaction_begins_with_its_first_statement(database: Database) -> None:
    """Whoever writes has the lock from what it reads first on; a transaction without a statement takes none."""
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE t (a)"))
    other = Database(database.url)
    try:
        async with database.begin() as session, other.begin() as free:
            await free.execute(text("INSERT INTO t VALUES (1)"))
        async with database.begin() as session:
            assert await session.scalar(text("SELECT count(*) FROM t")) == 1
            async with other.engine.connect() as waiting:
                await waiting.execution_options(orch_read_only=True)
                await waiting.exec_driver_sql("PRAGMA busy_timeout=0")
                await waiting.rollback()
                await waiting.execution_options(orch_read_only=False)
                for _ in range(2):
                    with pytest.raises(OperationalError, match="locked"):
                        await waiting.exec_driver_sql("SELECT 1")
            async with session.begin_nested() as nested:
                await session.execute(text("INSERT INTO t VALUES (2)"))
                await nested.rollback()
        async with other.begin() as session:
            assert await session.scalar(text("SELECT count(*) FROM t")) == 1
    finally:
        await other.close()


async def test_a_first_statement_that_fails_is_within_the_transaction(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE t (a UNIQUE)"))
        await session.execute(text("INSERT INTO t VALUES (1)"))
    async with database.engine.connect() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO t VALUES (1)"))
        await connection.execute(text("INSERT INTO t VALUES (2)"))
        await connection.rollback()
        assert await connection.scalar(text("SELECT count(*) FROM t")) == 1
