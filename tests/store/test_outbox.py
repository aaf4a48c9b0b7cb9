"""The outbox: leases keep senders apart, and a message that changes while it is sent is sent again."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.store import outbox
from bot.store.database import Database
from bot.store.tables import OutboxRow, TaskRow
from tests.store.samples import NOW, created

SECOND = timedelta(seconds=1)
LEASE = 15 * SECOND


async def row_of(database: Database, key: str) -> OutboxRow:
    async with database.read() as session:
        return await session.get_one(OutboxRow, key)


async def due(database: Database, at: datetime = NOW) -> list[str]:
    async with database.read() as session:
        return [row.key for row in await outbox.due(session, at)]


async def lease(database: Database, key: str, at: datetime = NOW) -> bool:
    async with database.begin() as session:
        return await outbox.lease(session, key, at, at + LEASE) is not None


async def change(database: Database, task: TaskRow) -> None:
    async with database.begin() as session:
        await outbox.want_card(session, task)


async def a_card(database: Database) -> tuple[TaskRow, str]:
    task = await created(database)
    return task, outbox.card_key(task)


async def test_a_card_that_changes_while_it_is_sent_is_sent_again(database: Database) -> None:
    task, key = await a_card(database)
    assert await lease(database, key)
    revision = (await row_of(database, key)).wanted_revision
    await change(database, task)  # while the send is under way
    assert await due(database) == []
    async with database.begin() as session:
        await outbox.sent(session, key, revision, "1.0")
    row = await row_of(database, key)
    assert (row.wanted_revision, row.shown_revision, row.due, row.ts) == (2, 1, True, "1.0")
    assert await due(database) == [key]
    async with database.begin() as session:
        await outbox.sent(session, key, 2, "1.0")
    assert await due(database) == []
    await change(database, task)
    assert await due(database) == [key]


async def test_every_change_counts_although_many_come_at_once(database: Database) -> None:
    task, key = await a_card(database)
    await asyncio.gather(*(change(database, task) for _ in range(20)))
    assert (await row_of(database, key)).wanted_revision == 21


async def test_one_of_many_senders_gets_the_lease(database: Database) -> None:
    _, key = await a_card(database)
    assert sum(await asyncio.gather(*(lease(database, key) for _ in range(15)))) == 1
    assert await due(database, NOW + LEASE - SECOND) == []
    assert await due(database, NOW + LEASE + SECOND) == [key]  # its sender died
    assert await lease(database, key, NOW + LEASE + SECOND)
    assert (await row_of(database, key)).tries == 2  # > 0: the next sender looks for the message first


async def test_a_lease_is_lengthened_while_it_is_held(database: Database) -> None:
    _, key = await a_card(database)
    async with database.begin() as session:
        await outbox.hold(session, key, NOW + 2 * LEASE)
    assert await due(database) == [key]  # nobody holds it: nothing to lengthen
    assert await lease(database, key)
    async with database.begin() as session:
        await outbox.hold(session, key, NOW + 2 * LEASE)
    assert await due(database, NOW + LEASE + SECOND) == []
    async with database.begin() as session:
        await outbox.sent(session, key, 1, "1.0")
        await outbox.hold(session, key, NOW + 9 * LEASE)  # a moment too late
    assert (await row_of(database, key)).leased_until is None


async def test_a_failed_send_waits_and_is_then_given_up(database: Database) -> None:
    task, key = await a_card(database)
    assert await lease(database, key)
    async with database.begin() as session:
        await outbox.failed(session, key, "Slack could not be reached", NOW + 5 * SECOND)
    assert (await due(database), await due(database, NOW + 6 * SECOND)) == ([], [key])
    async with database.begin() as session:
        await outbox.release_all(session)
    assert await due(database) == []  # a start does not hurry what waits after a failure
    assert await lease(database, key, NOW + 6 * SECOND)
    assert (await row_of(database, key)).error == ""  # it is being sent
    async with database.begin() as session:
        await outbox.failed(session, key, "Slack refused", None)
    assert await due(database, NOW + timedelta(days=9)) == []
    await change(database, task)
    assert await due(database) == [key]  # there is something new to show


async def test_a_start_takes_back_what_its_dead_predecessor_held(database: Database) -> None:
    _, key = await a_card(database)
    assert await lease(database, key)
    async with database.begin() as session:
        await outbox.release_all(session)
    assert await due(database) == [key]
    assert (await row_of(database, key)).tries == 1


async def test_the_same_message_is_wanted_once(database: Database) -> None:
    task, card = await a_card(database)

    async def want(text: str) -> None:
        async with database.begin() as session:
            await outbox.want(session, "thread/1", "thread", "C0DEV", {"text": text}, NOW + SECOND, task_pk=task.pk)

    await want("first")
    await asyncio.gather(*(want(f"later {n}") for n in range(5)))
    assert (await row_of(database, "thread/1")).payload == {"text": "first"}
    assert await due(database) == [card, "thread/1"]  # the card goes before what hangs on it


async def test_a_message_asked_for_by_several_at_once(database: Database) -> None:

    async def want(n: int) -> None:
        async with database.begin() as session:
            await outbox.want(session, "direct/1", "direct", "U0DEV", {"text": str(n)}, NOW)

    await asyncio.gather(*map(want, range(15)))
    assert await due(database) == ["direct/1"]
