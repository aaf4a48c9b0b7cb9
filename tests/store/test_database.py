"""Transactions: what is durable, and who may open a SQLite database."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import ConfigError
from bot.store.database import Database, hold_alone, is_passing

NORMAL, FULL = 1, 2
#: A second's work.
COUNT = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c LIMIT 3000000) SELECT count(*) FROM c"


async def synchronous(session: AsyncSession) -> int:
    return int((await session.execute(text("PRAGMA synchronous"))).scalar_one())


async def test_a_durable_transaction_is_synced_and_others_are_not(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}")
    try:
        for durable, level in ((False, NORMAL), (True, FULL), (True, FULL), (False, NORMAL)):
            async with database.begin(durable=durable) as session:
                assert await synchronous(session) == level
        async with database.read() as session:
            assert await synchronous(session) == NORMAL
    finally:
        await database.close()


async def test_a_transaction_that_is_cut_off_in_a_statement_keeps_no_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite would keep it as long as the statement's cursor lives, which the task's traceback keeps alive."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}")

    async def count() -> None:
        async with database.begin() as session:
            await session.execute(text(COUNT))

    try:
        for seconds in (0.05, 0.1, 0.2):
            counting = asyncio.create_task(count())
            await asyncio.sleep(seconds)
            counting.cancel()
            (cut,) = await asyncio.gather(counting, return_exceptions=True)
            assert isinstance(cut, asyncio.CancelledError)
            async with asyncio.timeout(10), database.begin() as session:
                await session.execute(text(f"CREATE TABLE t{int(seconds * 100)} (a)"))
        assert caplog.records == []
    finally:
        await database.close()


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}"
    release = await hold_alone(url)
    with pytest.raises(ConfigError, match="Another Orch is at work"):
        await hold_alone(url, patience_seconds=0.2)
    await (await hold_alone(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"))()
    await (await hold_alone("postgresql+psycopg://somewhere/orch"))()
    await release()
    await (await hold_alone(url))()


@pytest.mark.parametrize(
    ("said", "passing"),
    [
        (sqlite3.OperationalError("database or disk is full"), True),
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: calls"), False),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.DiskFull("could not extend file"), True),
        (psycopg.errors.TooManyConnections("too many clients"), True),
        (psycopg.OperationalError("connection failed: no route to host"), True),
        (psycopg.errors.DeadlockDetected("deadlock detected"), True),
        (psycopg.errors.QueryCanceled("canceled on request"), False),
    ],
)
def test_what_may_go_well_later(said: Exception, passing: bool) -> None:
    assert is_passing(OperationalError("INSERT", {}, said)) is passing


def test_what_the_statement_is_to_blame_for_is_not_tried_again() -> None:
    assert not is_passing(IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")))
