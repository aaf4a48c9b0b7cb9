"""The inbox: each delivery is taken once, and none is forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.store import inbox
from bot.store.database import Database
from tests.store.samples import NOW


async def take(database: Database, key: str, at: timedelta = timedelta()) -> bool:
    async with database.begin() as session:
        return await inbox.take(session, key, "command", {"text": "assign x"}, NOW + at)


async def left(database: Database, at: timedelta) -> list[str]:
    async with database.read() as session:
        return [row.key for row in await inbox.left_over(session, NOW + at)]


async def test_a_delivery_is_taken_once(database: Database) -> None:
    assert [await take(database, "a"), await take(database, "b"), await take(database, "a")] == [True, True, False]


async def test_a_delivery_that_comes_many_times_at_once_is_taken_once(database: Database) -> None:
    taken = await asyncio.gather(*(take(database, f"key-{n % 3}") for n in range(30)))
    assert sum(taken) == 3


async def test_what_was_not_finished_is_left_over(database: Database) -> None:
    for minute, key in enumerate(("done", "older", "newer", "too new")):
        await take(database, key, timedelta(minutes=minute))
    async with database.begin() as session:
        await inbox.done(session, "done", NOW)
        assert not await inbox.is_open(session, "done")
        assert await inbox.is_open(session, "older")
    assert await left(database, timedelta(minutes=2, seconds=30)) == ["older", "newer"]
    assert not await take(database, "done")  # finished, and still known


async def test_a_failed_transaction_takes_nothing(database: Database) -> None:
    async with database.begin() as session:
        assert await inbox.take(session, "a", "command", {}, NOW)
        await session.rollback()
    assert await left(database, timedelta(days=1)) == []
    assert await take(database, "a")
