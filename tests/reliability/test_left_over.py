"""What Slack was told had arrived is worked on, once, whatever happens between the ack and the work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from bot.errors import UserMistake
from bot.listeners.desk import LEFT_OVER, Desk, Payload
from bot.store import inbox
from bot.store.database import Database
from tests.workflows.offices import NOW, Clock, FakeChat, an_office, refused, unreachable

SECOND = timedelta(seconds=1)


def a_desk(
    database: Database, clock: Clock, chat: FakeChat | None = None, go: asyncio.Event | None = None
) -> tuple[Desk, list[str]]:
    """A desk that remembers what it worked on; `slow` waits for `go`, `wrong` is refused, `broken` fails."""
    desk, worked = Desk(an_office(database, chat=chat, clock=clock)), []

    async def work(_desk: Desk, payload: Payload) -> None:
        if payload["text"] == "slow":
            assert go is not None
            await go.wait()
        await desk.person(payload)
        worked.append(payload["key"])
        if payload["text"] == "wrong":
            raise UserMistake("That is wrong.")
        if payload["text"] == "broken":
            raise KeyError("a defect")

    desk.handles("command", work)
    return desk, worked


async def acked() -> Any: ...


def said(text: str) -> Payload:
    return {"user": "U0DEV", "channel": "C0DEV", "text": text}


async def left(database: Database) -> list[str]:
    async with database.read() as session:
        return [row.key for row in await inbox.left_over(session, NOW + timedelta(days=1))]


async def crash_after_ack(database: Database, key: str) -> None:
    async with database.begin() as session:
        await inbox.take(session, key, "command", {**said("hello"), "key": key}, NOW)


async def test_what_a_crash_left_is_worked_on_at_the_next_start(database: Database) -> None:
    """At once where no other process can be at work on it, else when it is old enough."""
    clock = Clock()
    await crash_after_ack(database, "a")
    clock.now += SECOND
    desk, worked = a_desk(database, clock)
    await desk.look(at_start=True)
    assert worked == (["a"] if database.sole else [])
    clock.now += LEFT_OVER
    await desk.look()
    await desk.look()
    assert (worked, await left(database)) == (["a"], [])


async def test_what_is_worked_on_is_not_taken_up_again(database: Database) -> None:
    clock, go = Clock(), asyncio.Event()
    desk, worked = a_desk(database, clock, go=go)
    working = asyncio.create_task(desk.receive("a", "command", said("slow"), acked))
    while not await left(database):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    clock.now += LEFT_OVER + SECOND
    await desk.look(at_start=True)
    go.set()
    await working
    assert (worked, await left(database)) == (["a"], [])


async def test_a_repeated_delivery_is_acked_and_not_worked_on_again(database: Database) -> None:
    go = asyncio.Event()
    desk, worked = a_desk(database, Clock(), go=go)
    acks = 0

    async def ack() -> None:
        nonlocal acks
        acks += 1
        if acks == 4:
            go.set()

    await asyncio.gather(*(desk.receive("a", "command", said("slow"), ack) for _ in range(4)))
    await desk.receive("a", "command", said("slow"), ack)
    assert (worked, acks) == (["a"], 5)


async def test_a_mistake_and_a_defect_are_answered_and_done(database: Database) -> None:
    chat = FakeChat()
    desk, worked = a_desk(database, Clock(), chat)
    for key in ("wrong", "broken"):
        await desk.receive(key, "command", said(key), acked)
    assert (worked, await left(database), len(chat.whispers)) == (["wrong", "broken"], [], 2)


async def test_while_slack_is_out_of_order_a_command_waits(database: Database) -> None:
    clock, chat = Clock(), FakeChat(trouble=[(unreachable(), False)])
    desk, worked = a_desk(database, clock, chat)
    await desk.receive("a", "command", said("hello"), acked)
    assert (worked, await left(database)) == ([], ["a"])
    clock.now += LEFT_OVER + SECOND
    await desk.look()
    assert (worked, await left(database)) == (["a"], [])


async def test_what_slack_refuses_is_answered_and_done(database: Database) -> None:
    chat = FakeChat(trouble=[(refused(), False)])
    desk, worked = a_desk(database, Clock(), chat)
    await desk.receive("a", "command", said("hello"), acked)
    assert (worked, await left(database), len(chat.whispers)) == ([], [], 1)
