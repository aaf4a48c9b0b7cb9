"""The messenger: what is wanted is sent, once, whatever Slack does meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.chart import BarChart, LineChart, Series
from bot.errors import OrchError
from bot.ports import Upload
from bot.store import outbox
from bot.store.database import Database
from bot.store.tables import OutboxRow
from bot.workflows.messenger import LEASE, RETRY_SECONDS, Messenger, upload_of
from tests.store.samples import created, migrated
from tests.workflows.offices import NOW, Clock, FakeChat, an_office, refused, unreachable


async def want(database: Database, key: str, kind: str = "direct") -> None:
    async with database.begin() as session:
        await outbox.want(session, key, kind, "U0DEV", {"text": "hello"}, NOW)


async def row_of(database: Database, key: str) -> OutboxRow:
    async with database.read() as session:
        return await session.get_one(OutboxRow, key)


async def test_a_card_is_posted_once_and_updated_in_place(database: Database) -> None:
    chat = FakeChat()
    messenger = Messenger(an_office(database, chat=chat))
    task = await created(database)
    await messenger.round()
    async with database.begin() as session:
        await outbox.want_card(session, task)
    await messenger.round()
    assert chat.updates == []  # not twice within a second
    messenger._card_due.clear()
    await messenger.round()
    assert (chat.posts, chat.updates) == ([outbox.card_key(task)], ["0.0"])


async def test_a_post_whose_answer_was_lost_is_looked_for(database: Database) -> None:
    """Slack posted it, and the answer did not come: the next try finds it, also after a start."""
    chat, clock = FakeChat(trouble=[(unreachable(), True)]), Clock()
    await want(database, "direct/1")
    await Messenger(an_office(database, chat=chat, clock=clock)).round()
    assert (await row_of(database, "direct/1")).error
    clock.now += timedelta(seconds=2)
    await Messenger(an_office(database, chat=chat, clock=clock)).round()
    assert (chat.posts, chat.looked_for) == (["direct/1"], ["direct/1"])
    assert not (await row_of(database, "direct/1")).due


async def test_a_post_before_a_crash_is_looked_for_even_after_earlier_failures(database: Database) -> None:
    chat, clock = FakeChat(trouble=[(refused(), False)]), Clock()
    await want(database, "direct/1")
    office = an_office(database, chat=chat, clock=clock)
    await Messenger(office).round()
    clock.now += timedelta(seconds=2)
    async with database.begin() as session:  # the next try: leased, posted, and then the process died
        assert await outbox.lease(session, "direct/1", clock.now, clock.now + LEASE)
    chat.posts.append("direct/1")
    clock.now += LEASE + timedelta(seconds=1)
    await Messenger(office).round()
    assert (chat.posts, chat.looked_for) == (["direct/1"], ["direct/1"])


async def test_slacks_outage_gives_nothing_up(database: Database) -> None:
    tries = len(RETRY_SECONDS) + 5
    chat, clock = FakeChat(trouble=[(unreachable(), False)] * tries), Clock()
    messenger = Messenger(an_office(database, chat=chat, clock=clock))
    await want(database, "direct/1")
    for _ in range(tries + 1):
        await messenger.round()
        clock.now += timedelta(seconds=RETRY_SECONDS[-1] + 1)
    assert chat.posts == ["direct/1"]


async def test_what_slack_refuses_is_given_up_in_the_end(database: Database) -> None:
    chat, clock = FakeChat(trouble=[(refused(), False)] * 50), Clock()
    messenger = Messenger(an_office(database, chat=chat, clock=clock))
    await want(database, "direct/1")
    for _ in range(len(RETRY_SECONDS) + 5):
        await messenger.round()
        clock.now += timedelta(seconds=RETRY_SECONDS[-1] + 1)
    row = await row_of(database, "direct/1")
    assert (row.due, row.tries, "invalid_blocks" in row.error) == (False, len(RETRY_SECONDS) + 1, True)


async def test_one_message_with_a_defect_does_not_stop_the_others(database: Database) -> None:
    chat = FakeChat(trouble=[(KeyError("a defect"), False)])
    await want(database, "direct/1")
    await want(database, "direct/2")
    await Messenger(an_office(database, chat=chat)).round()
    assert chat.posts == ["direct/2"]
    assert "a defect in Orch" in (await row_of(database, "direct/1")).error


async def test_two_messengers_send_once(database: Database) -> None:
    chat = FakeChat(slow=0.2)
    await want(database, "direct/1")
    office = an_office(database, chat=chat)
    await asyncio.gather(*(Messenger(office).round() for _ in range(4)))
    assert chat.posts == ["direct/1"]


async def test_what_hangs_on_a_card_waits_for_it(database: Database) -> None:
    chat, clock = FakeChat(trouble=[(unreachable(), False)]), Clock()
    messenger = Messenger(an_office(database, chat=chat, clock=clock))
    task = await created(database)
    async with database.begin() as session:
        await outbox.want(session, "thread/1", "thread", "C0DEV", {"text": "x"}, NOW, task_pk=task.pk)
    await messenger.round()
    assert chat.posts == []
    for _ in range(3):
        clock.now += timedelta(seconds=2)
        await messenger.round()
    assert chat.posts == [outbox.card_key(task), "thread/1"]


async def test_a_post_can_be_rewritten_in_place(database: Database) -> None:
    chat = FakeChat()
    messenger = Messenger(an_office(database, chat=chat))
    await want(database, "alert/1", "channel")
    await messenger.round()
    async with database.begin() as session:
        assert await outbox.rewrite(session, "alert/1", {"text": "solved"})
        assert not await outbox.rewrite(session, "alert/2", {"text": "never wanted"})
    await messenger.round()
    assert (chat.posts, chat.updates) == (["alert/1"], ["0.0"])


async def test_a_reply_hangs_on_the_message_that_it_names(database: Database) -> None:
    chat, clock = FakeChat(), Clock()
    await want(database, "report/1", "channel")
    async with database.begin() as session:
        again = await outbox.want(session, "report/1", "channel", "C0DEV", {"text": "x"}, NOW)
        first = await outbox.want(session, "a/1", "thread", "C0DEV", {"text": "x"}, NOW, thread_of="report/1")
    assert (first, again) == (True, False)
    for _ in range(2):
        await Messenger(an_office(database, chat=chat, clock=clock)).round()
        clock.now += timedelta(seconds=2)
    assert (chat.posts, chat.threads) == (["report/1", "a/1"], [None, "0.0"])


async def test_a_card_that_was_deleted_is_posted_anew_with_the_next_change(database: Database) -> None:
    """Whichever of several processes comes to it: one card, and what comes now hangs on that."""
    chat, clock = FakeChat(slow=0.05), Clock()
    office = an_office(database, chat=chat, clock=clock)
    task = await created(database)
    await Messenger(office).round()
    chat.deleted.add("0.0")
    await Messenger(office).round()
    assert len(chat.posts) == 1  # nothing changed: it stays away
    async with database.begin() as session:
        await outbox.want_card(session, task)
    await asyncio.gather(*(Messenger(office).round() for _ in range(4)))
    async with database.begin() as session:
        await outbox.want(session, "thread/1", "thread", "C0DEV", {"text": "x"}, NOW, task_pk=task.pk)
        await outbox.want_card(session, task)
    await Messenger(office).round()
    card = outbox.card_key(task)
    assert (chat.posts, chat.threads) == ([card, card, "thread/1"], [None, None, "1.0"])
    assert (chat.updates[-1], (await row_of(database, card)).ts) == ("1.0", "1.0")


async def test_a_crash_while_a_card_is_posted_anew_leaves_one(database: Database) -> None:
    chat, clock = FakeChat(), Clock()
    office = an_office(database, chat=chat, clock=clock)
    task = await created(database)
    card = outbox.card_key(task)
    await Messenger(office).round()
    chat.deleted.add("0.0")
    async with database.begin() as session:
        await outbox.want_card(session, task)
    async with database.begin() as session:  # leased, posted anew, and then the process died
        assert await outbox.lease(session, card, clock.now, clock.now + LEASE)
    chat.posts.append(card)
    clock.now += LEASE + timedelta(seconds=1)
    await Messenger(office).round()
    row = await row_of(database, card)
    assert (chat.posts, row.ts, row.due) == ([card, card], "1.0", False)
    assert chat.updates == ["1.0"]  # and it shows how the task stands now


@pytest.mark.parametrize("kind", ["channel", "direct", "thread"])
async def test_any_other_message_that_was_deleted_stays_so(database: Database, kind: str) -> None:
    chat = FakeChat()
    messenger = Messenger(an_office(database, chat=chat))
    await want(database, "above", "channel")
    async with database.begin() as session:
        await outbox.want(session, "it", kind, "U0DEV", {"text": "hello"}, NOW, thread_of="above")
    await messenger.round()
    chat.deleted.add("1.0")
    async with database.begin() as session:
        await outbox.rewrite(session, "it", {"text": "solved"})
    await messenger.round()
    row = await row_of(database, "it")
    assert (chat.posts, chat.updates) == (["above", "it"], [])
    assert (row.due, row.error, row.tries) == (False, "", 0)  # nothing that failed, and nothing to try again


class FakeCharts:
    """Draws the alt text."""

    async def draw(self, chart: LineChart | BarChart) -> bytes:
        return chart.alt.encode()


async def test_a_chart_is_drawn_when_it_is_sent(tmp_path: Path) -> None:
    chart = BarChart(title="Tokens", alt="One bar", labels=("a",), series=(Series(name="used", values=(1,)),))
    async with migrated(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}") as database:
        office = an_office(database)
        file = {"name": "x.png", "chart": chart.model_dump(mode="json")}
        with pytest.raises(OrchError, match=r"nothing here to draw x\.png with"):
            await upload_of(office, file)
        drawn = await upload_of(replace(office, charts=FakeCharts()), file)
        assert drawn == Upload("x.png", "Tokens", b"One bar", "One bar")
