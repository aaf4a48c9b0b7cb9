"""A blocker finds its people, one after the other, and says when it is solved (R-SEC-5, R-DAY-4; issue 5, item 1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
import pytest_asyncio

from bot.local.slack import Message
from bot.store.tables import BlockerRow
from tests.acceptance.card import CHANNEL, buttons, words
from tests.acceptance.clock import MovableClock
from tests.acceptance.conversation import Orch, conversation
from tests.acceptance.models import SONNET, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PROJECT = {"backups": {"U0DEV": "U0OUT"}, "working_days": ["mon", "tue", "wed", "thu", "fri"]}


class Week(NamedTuple):
    orch: Orch
    clock: MovableClock
    parked: str  # a task that is with a person all week; what comes after it waits in peace


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_week(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Week]:
    """One bot for the week. Its clock only goes forward, so the conversations stand in the order of the week."""
    clock = MovableClock(MONDAY)
    policy = {"quiet_hours": ["20:00", "07:00"]}
    folder = tmp_path_factory.mktemp("week")
    async with conversation(folder, checks=(), project=PROJECT, policy=policy, now=clock) as orch:
        orch.world.rates.enabled = False
        parked = await orch.two.assigns("Ask the customers --model manual")
        yield Week(orch, clock, parked)


@pytest.fixture
def week(all_week: Week) -> Week:
    all_week.orch.fresh()
    return all_week


def alerts(orch: Orch, person: str, task: str) -> list[Message]:
    """Every direct message to a person that names the task as blocked, or as solved."""
    return [m for m in orch.world.messages(orch.world.dm(person).id) if m.user == "U0ORCH" and f"*{task}*" in words(m)]


async def channel_says(orch: Orch, *texts: str) -> Message:
    return await orch.until(
        lambda: next((m for m in orch.world.messages(CHANNEL) if all(t in words(m) for t in texts)), None), str(texts)
    )


async def test_from_the_owner_to_the_channel_and_solved(week: Week) -> None:
    """R-SEC-5, minute by minute."""
    orch, clock, _ = week
    task = await orch.dev.assigns(f"Document the keys --files docs/keys.md --after {week.parked}")
    await orch.two.types(f"/orch block {task} the staging keys are missing")
    told = await orch.dev.gets(task, "is blocked and needs a person", "the staging keys are missing", "*Recommended*")
    assert [label for label, _ in buttons(told)][-1] == "Acknowledge"
    await orch.channel.shows(task, "told <@U0DEV>", state="Blocked")

    clock.goes_on(minutes=10)
    await orch.dev.clicks("Acknowledge", on=told)
    await orch.dev.clicks("Acknowledge", on=told)
    await orch.until(lambda: "<@U0DEV> is on it" in words(told), "the message to say so in place")
    await orch.channel.shows(task, "<@U0DEV> is on it")

    clock.goes_on(minutes=45)  # 55: a reminder would have been due at 40
    await orch.dev.types("/orch list blocked")
    await orch.dev.sees_privately(task)
    assert len(alerts(orch, "U0DEV", task)) == 1, "acknowledged until 70"
    clock.goes_on(minutes=17)  # 72: the clock went on meanwhile
    backup = await orch.outsider.gets(task, "<@U0DEV> has not answered for 1 h 12 min; you stand in for them")
    await orch.dev.gets(task, "Still waiting")
    assert alerts(orch, "U0LEAD", task) == []
    clock.goes_on(minutes=20)
    await orch.lead.gets(task, "Nobody has taken it up for 1 h 32 min")
    clock.goes_on(minutes=30)
    loud = await channel_says(orch, task, "this has waited for 2 h 2 min")
    await orch.outsider.clicks("Acknowledge", on=backup)
    await orch.until(lambda: "<@U0OUT> is on it" in words(loud), "the channel to see who is on it")

    await orch.dev.types(f"/orch unblock {task}")
    for message in (told, backup, loud):
        await orch.until(lambda m=message: "after 2 h 2 min, thanks to <@U0DEV>" in words(m), "solved, in place")  # type: ignore[misc]
        assert buttons(message) == []
    assert {person: len(alerts(orch, person, task)) for person in ("U0DEV", "U0OUT", "U0LEAD", "U0TWO")} == {
        "U0DEV": 2, "U0OUT": 1, "U0LEAD": 1, "U0TWO": 0
    }  # fmt: skip
    kinds = [e.kind for e in await orch.events(task, remarks=True) if e.kind in ("alerted", "acknowledged", "solved")]
    assert kinds.count("alerted") == 5 and kinds.count("acknowledged") == 2 and kinds[-1] == "solved"
    row = await orch.row(task)
    async with orch.office.db.read() as session:
        blocker = await session.get_one(BlockerRow, f"GRANTER/{task}/blocked/{(await _entry(orch, task))}")
    assert blocker.task_pk == row.pk and blocker.resolved_at and blocker.level == "channel"
    assert (blocker.detected_at - blocker.since).total_seconds() < 60
    assert 122 <= (blocker.resolved_at - blocker.since).total_seconds() / 60 < 125


async def _entry(orch: Orch, task: str) -> int:
    return next(event.id for event in await orch.events(task) if event.kind == "blocked")


async def test_a_critical_blocker_is_everywhere_at_once(week: Week) -> None:
    """R-DAY-4."""
    orch = week.orch
    orch.models.answer(Reply(text="BEYOND: no idea"), model=SONNET)
    task = await orch.dev.assigns("Mend the checkout --files granter/pay.py --model sonnet --priority critical")
    loud = await channel_says(orch, "*Critical:*", task, "this cannot wait", "<@U0LEAD>")
    for person in (orch.dev, orch.lead):
        told = await person.gets(task, "*Critical:*", "beyond it at sonnet", "*Tried* sonnet:")
    assert buttons(told)[0] == ("Escalate to Opus", "task_to_opus"), "what is recommended comes first"
    await orch.lead.clicks("Take over", on=loud)
    await orch.channel.shows(task, "<@U0LEAD>", state="With a person")
    await orch.until(lambda: f"*{task}* goes on" in words(loud), "solved, in place")
    await orch.lead.types(f"/orch cancel {task}")


async def test_who_may_approve_is_asked_once_and_reminded(week: Week) -> None:
    """Issue 5, item 2: the requester's own approval would not count, so they are not asked."""
    orch, clock, _ = week
    task = await orch.dev.assigns("Document b --files docs/b.md")
    await orch.channel.shows(task, "told <@U0LEAD>, <@U0TWO>", state="Awaiting approval")
    for person in (orch.two, orch.lead):
        told = await person.gets(task, "waits for approval", "*Approve merge*")
        assert [label for label, _ in buttons(told)] == ["Approve merge", "Request changes", "Acknowledge"]
    clock.goes_on(minutes=41)
    reminder = await orch.two.gets(task, "Still waiting, for 41 min now")
    await orch.two.clicks("Approve merge", on=reminder)
    await orch.channel.shows(task, state="Merged")
    await orch.until(lambda: "thanks to <@U0TWO>" in words(told) and buttons(told) == [], "the lead to see it")
    assert alerts(orch, "U0DEV", task) == []


async def test_leave(week: Week) -> None:
    """Issue 5, item 8: alerts go to the backup and name both."""
    orch = week.orch
    await orch.dev.types("/orch away until 2026-11-23")
    await orch.dev.sees_privately("2026-11-23 is today", "nothing was changed")
    await orch.dev.types("/orch away")
    await orch.dev.sees_privately("You are not away")
    await orch.two.types("/orch away until 2026-12-01")
    await orch.two.sees_privately("no backup of yours is there", "the leads get them: <@U0LEAD>")
    await orch.two.types("/orch away back")
    await orch.two.sees_privately("Welcome back")

    await orch.dev.types("/orch away until 2026-12-01")
    await orch.dev.sees_privately("away until *2026-12-01*", "<@U0OUT>")
    orch.models.answer(Reply(text="BEYOND: no idea"), model=SONNET)
    task = await orch.dev.assigns("Mend the invoices --files granter/invoices.py --model sonnet")
    await orch.outsider.gets(task, "For <@U0DEV>, who is away", "is blocked and needs a person")
    await orch.lead.gets(task)
    assert alerts(orch, "U0DEV", task) == []

    manual = await orch.lead.assigns("Check the staging site by hand --model manual --owner <@U0DEV>")
    await orch.outsider.gets(manual, "is for you", "since <@U0DEV> is away")
    await orch.channel.shows(manual, "<@U0OUT>", state="With a person")
    await orch.lead.types(f"/orch cancel {manual}")
    await orch.dev.types("/orch away back")
    await orch.dev.gets(task, "is blocked and needs a person")
    await orch.lead.types(f"/orch cancel {task}")


async def test_what_gathers_over_the_week_end_comes_as_one_message_on_monday(week: Week) -> None:
    orch, clock, _ = week
    clock.goes_to(datetime(2026, 11, 27, 21, 0, tzinfo=UTC))  # Friday night
    held = [await orch.dev.assigns(f"Document {n} --files docs/w{n}.md --after {week.parked}") for n in range(3)]
    manual = await orch.lead.assigns("Try the week-end build by hand --model manual --owner <@U0DEV>")
    await orch.channel.shows(manual, state="With a person")
    before = len(orch.world.messages(orch.world.dm("U0DEV").id))
    for task in held:
        await orch.two.types(f"/orch block {task} the wiki is down")
        await orch.channel.shows(task, state="Blocked")
    clock.goes_to(datetime(2026, 11, 29, 12, 0, tzinfo=UTC))
    await orch.dev.types("/orch list blocked")
    await orch.dev.sees_privately(*held)
    assert len(orch.world.messages(orch.world.dm("U0DEV").id)) == before, "nobody is woken"
    clock.stands_at(datetime(2026, 11, 30, 7, 0, 5, tzinfo=UTC))
    for task in held:
        while not [e for e in await orch.events(task, remarks=True) if e.kind == "alerted"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(orch.world.messages(orch.world.dm("U0DEV").id)) == before, "nobody is written to twice in a minute"
    clock.goes_to(datetime(2026, 11, 30, 7, 1, 6, tzinfo=UTC))
    digest = await orch.dev.gets("2 messages waited", manual, "is for you", *held)
    await orch.dev.types(f"/orch cancel {held[0]}")
    await orch.until(lambda: f"*{held[0]}* was stopped" in words(digest), "the digest to show what is over")
    assert len(orch.world.messages(orch.world.dm("U0DEV").id)) == before + 1
