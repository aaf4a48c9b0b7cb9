"""What Orch writes to people waits for their working hours, and what waited comes as one (issue 5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import select

from bot.domain.person_settings import PersonSettings
from bot.store import outbox, people_settings
from bot.store.database import Database
from bot.store.tables import OutboxRow
from bot.workflows import reach
from bot.workflows.messenger import Messenger
from bot.workflows.office import Office
from tests.store.samples import created
from tests.workflows.offices import Clock, FakeChat, an_office

NIGHT = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)  # a Monday; nobody is written to from 20:00 to 07:00
MORNING = datetime(2026, 11, 24, 7, 1, 1, tzinfo=UTC)  # when what waited is sent


def at_night(database: Database) -> tuple[Office, Clock]:
    clock = Clock(NIGHT)
    return an_office(database, clock=clock), clock


async def write(office: Office, key: str, person: str = "U0DEV", **how: Any) -> bool:
    async with office.db.begin() as session:
        return await reach.write(office, session, "GRANTER", person, key, {"text": f"said {key}"}, **how)


async def sent(office: Office) -> list[tuple[str, str]]:
    """(to whom, what) of all that is to be sent now, sent."""
    async with office.db.read() as session:
        due = [(row.channel, str(row.payload)) for row in await outbox.due(session, office.now()) if row.kind != "card"]
    await Messenger(office).round()
    return due


async def test_what_waited_comes_as_one_message(database: Database) -> None:
    office, clock = at_night(database)
    assert await write(office, "one") and not await write(office, "one"), "wanted once"
    assert await write(office, "two") and await write(office, "three")
    assert await write(office, "hers", "U0TWO")
    assert await sent(office) == []
    clock.now = MORNING
    (dev, digest), (two, alone) = await sent(office)
    assert (dev, two) == ("U0DEV", "U0TWO")
    assert "3 messages waited" in digest and all(f"said {key}" in digest for key in ("one", "two", "three"))
    assert "waited" not in alone and "said hers" in alone, "one alone comes as it is"
    assert await sent(office) == []
    assert await write(office, "four") and [person for person, _ in await sent(office)] == ["U0DEV"], "by day, at once"


async def test_what_comes_as_the_morning_begins_comes_with_what_waited(database: Database) -> None:
    """The lookout tells nobody at night, and at seven it has something to say too."""
    office, clock = at_night(database)
    await write(office, "held")
    clock.now = MORNING.replace(minute=0, second=20)
    await write(office, "early")
    assert await write(office, "critical", at_once=True)
    ((_, text),) = await sent(office)
    assert "said critical" in text
    clock.now = MORNING
    ((_, text),) = await sent(office)
    assert "2 messages waited" in text and "said held" in text and "said early" in text


async def test_what_belongs_beside_each_other_comes_as_one(database: Database) -> None:
    office, clock = at_night(database)
    clock.now = MORNING
    for key in ("one", "two"):
        assert await write(office, key, beside="standup") and not await write(office, key, beside="standup")
    await write(office, "another")
    (_, alone), (_, both) = sorted(await sent(office), key=lambda each: len(each[1]))
    assert "2 messages for you" in both and "said one" in both and "said two" in both
    assert "for you" not in alone
    await write(office, "three", "U0TWO", beside="standup")
    ((_, text),) = await sent(office)
    assert text == "{'text': 'said three'}", "one alone comes as it is"


async def test_who_may_be_written_to_at_night(database: Database) -> None:
    office, clock = at_night(database)
    async with database.begin() as session:
        for person, own in (
            ("U0OWL", PersonSettings(quiet_from=time(8), quiet_to=time(18))),
            ("U0SINGLE", PersonSettings(digest=False)),
            ("U0EAST", PersonSettings(zone="Asia/Tokyo")),  # half past six on Tuesday there
        ):
            await people_settings.put(session, person, own, NIGHT)
    for person in ("U0OWL", "U0SINGLE", "U0EAST", "U0DEV"):
        for number in (1, 2):
            await write(office, f"{person}/{number}", person)
    await write(office, "critical", at_once=True)
    assert sorted(person for person, _ in await sent(office)) == ["U0DEV", "U0OWL", "U0OWL"]
    clock.now = NIGHT.replace(hour=22, minute=1, second=1)
    assert [person for person, _ in await sent(office)] == ["U0EAST"]
    clock.now = MORNING
    assert sorted(person for person, _ in await sent(office)) == ["U0DEV", "U0SINGLE", "U0SINGLE"]


async def test_a_part_is_rewritten_in_place(database: Database) -> None:
    office, clock = at_night(database)
    task = await created(database, 1)
    await write(office, "one", task_pk=task.pk)
    async with database.read() as session:
        (digest,) = await outbox.keys(session, "digest/U0DEV/")
        assert (await session.get_one(OutboxRow, digest)).task_pk == task.pk, "replies below it are the task's"
    await write(office, "two")
    async with database.begin() as session:
        assert await reach.rewrite(office, session, "one", {"text": "solved"})
        assert not await reach.rewrite(office, session, "nobody wanted", {"text": "solved"})
    clock.now = MORNING
    ((_, text),) = await sent(office)
    assert "solved" in text and "said two" in text and "said one" not in text
    async with database.begin() as session:
        assert (await session.get_one(OutboxRow, digest)).task_pk is None
        await reach.rewrite(office, session, "two", {"text": "solved as well"})
    ((_, text),) = await sent(office)
    assert "solved as well" in text
    chat: FakeChat = office.chat  # type: ignore[assignment]
    assert chat.updates == [f"{chat.posts.index(digest)}.0"], "in place"


async def test_what_belongs_below_a_part_goes_below_the_message_that_carries_it(database: Database) -> None:
    office, clock = at_night(database)
    await write(office, "one")
    await write(office, "two")
    async with database.begin() as session:
        await outbox.want(session, "below", "thread", "U0DEV", {"text": "more"}, NIGHT, thread_of="two",
                          not_before=await reach.quiet_until(office, session, "GRANTER", "U0DEV"))  # fmt: skip
    clock.now = MORNING
    for _ in range(2):  # the first round may come to the reply before its message is there
        await sent(office)
        clock.now = MORNING.replace(minute=5)
    chat: FakeChat = office.chat  # type: ignore[assignment]
    assert chat.threads == [None, "0.0"] and chat.posts[1] == "below"


async def test_messages_that_join_at_the_same_moment_are_all_there(database: Database) -> None:
    office, clock = at_night(database)
    await asyncio.gather(*(write(office, f"key-{n}") for n in range(8)))
    clock.now = MORNING
    ((_, text),) = await sent(office)
    assert all(f"said key-{n}" in text for n in range(8)) and "8 messages waited" in text


async def test_a_hundred_messages_are_one_within_slacks_limits(database: Database) -> None:
    office, clock = at_night(database)
    async with database.begin() as session:
        for n in range(100):
            await reach.write(office, session, "GRANTER", "U0DEV", f"key-{n:03}", {"text": f"<@U1> & {'x' * 400} {n}"})
    async with database.read() as session:
        (row,) = await session.scalars(select(OutboxRow).where(OutboxRow.kind == "direct"))
    assert len(row.payload["blocks"]) == 49
    assert (
        "And 76 more" in str(row.payload["blocks"][-1]) and len(row.payload["blocks"][-1]["elements"][0]["text"]) < 3000
    )
    assert "<@U1> & xxx" in str(row.payload["blocks"][-1]), "words that are escaped are not escaped again"
    clock.now = MORNING
    assert len(await sent(office)) == 1
