"""A day by the clock: the stand-up, the checkpoint, the consolidation, and when they come (R-DAY)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.local.slack import Message
from bot.store import project_events
from bot.store.tables import SlotRow
from tests.acceptance.card import CHANNEL, buttons, words
from tests.acceptance.clock import MovableClock
from tests.acceptance.conversation import Orch, conversation
from tests.acceptance.models import GEMINI, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

MONDAY = date(2026, 11, 23)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Orch, MovableClock]]:
    clock = MovableClock(datetime.combine(MONDAY, time(7, 30), UTC))
    project = {"working_days": ["mon", "tue", "wed", "thu", "fri"]}
    setup = {"checks": (), "project": project, "policy": {"review_sla_minutes": 60}, "now": clock}
    async with conversation(tmp_path_factory.mktemp("day"), **setup) as talk:
        talk.world.rates.enabled = False
        yield talk, clock


async def _post(orch: Orch, clock: MovableClock, at: time, heading: str, day: date = MONDAY) -> Message:
    """It is that time of the day: the post that comes."""
    clock.goes_to(datetime.combine(day, at, UTC))
    orch.office.tick.set()

    def posted() -> Message | None:
        return next((m for m in orch.world.messages(CHANNEL) if heading in words(m)), None)

    return await orch.until(posted, f"a post with {heading}")


async def _in_thread(orch: Orch, post: Message, text: str) -> Message:
    def reply() -> Message | None:
        return next((m for m in orch.world.thread(CHANNEL, post.ts)[1:] if text in words(m)), None)

    return await orch.until(reply, f"{text!r} in the thread of the post")


async def test_a_day(day: tuple[Orch, MovableClock]) -> None:
    """R-DAY-1, R-DAY-2, R-DAY-3: what each post does, not only says."""
    orch, clock = day
    orch.models.answer(Reply(status=500), Reply(status=500), model=GEMINI)
    unreviewed = await orch.dev.assigns("Document a --files docs/a.md")
    await orch.channel.shows(unreviewed, "the review could not be made", state="Blocked")
    stopped = await orch.dev.assigns("Document b --files docs/b.md")
    await orch.channel.shows(stopped, state="Awaiting approval")
    await orch.dev.types(f"/orch block {stopped} the wording is not decided")
    await orch.channel.shows(stopped, state="Blocked")

    morning = await _post(orch, clock, time(8, 0, 2), "daily stand-up")
    assert f"{unreviewed} is sent to gemini's review again" in words(morning)
    assert f"{stopped} blocked by a person" in words(morning) and "wording is not decided" in words(morning)
    await orch.channel.shows(unreviewed, state="Awaiting approval")
    assert "resumed" in [event.kind for event in await orch.events(unreviewed)]
    needs = await _in_thread(orch, morning, "the wording is not decided")
    await orch.dev.clicks("Retry", on=needs)
    await orch.channel.shows(stopped, state="Awaiting approval")

    midday = await _post(orch, clock, time(12, 40), "Checkpoint · GRANTER · Mon 23 Nov")
    assert "Posted 40 min late" in words(midday) and "2 approvals" not in words(midday)
    assert f"{unreviewed} has waited for approval for 5 h" in words(midday)
    await orch.channel.thread_shows(unreviewed, "<@U0TWO>, <@U0LEAD>")
    assert "chased" in [event.kind for event in await orch.events(unreviewed)]
    asked = await _in_thread(orch, midday, unreviewed)
    assert {label for label, _ in buttons(asked)} == {"Approve merge"}

    orch.repo.write("README.md", "a person is at work here\n")
    await orch.two.clicks("Approve merge", on=stopped)
    await orch.channel.thread_shows(stopped, "Not merged yet")
    await orch.channel.shows(stopped, state="Awaiting approval")
    orch.repo.git("checkout", "--", "README.md")

    evening = await _post(orch, clock, time(17, 0, 5), "End of the day · GRANTER")
    assert f"{stopped} is being merged" in words(evening)
    assert "Next working day, Tue 24 Nov" in words(evening)
    assert "The cards of 2 open tasks are brought up to date." in words(evening)
    await orch.channel.shows(stopped, state="Merged")
    assert f"{unreviewed} has waited for approval" in words(evening)

    for _ in range(3):  # whoever looks again
        orch.office.tick.set()
    async with orch.office.db.read() as session:
        rows = {row.kind: row.state for row in await session.scalars(select(SlotRow))}
        begun = datetime(2026, 11, 23, tzinfo=UTC)
        planned = await project_events.between(session, "GRANTER", begun, clock(), ["day_planned"])
    assert rows == dict.fromkeys(("morning", "midday", "evening"), "posted")
    assert [event.detail["day"] for event in planned] == ["2026-11-23", "2026-11-24"]
    heads = [
        m
        for m in orch.world.messages(CHANNEL)
        if any(b["type"] == "header" for b in m.blocks) and "standup/GRANTER/" in repr(m)
    ]
    assert len(heads) == 3, "each once"
    await orch.books.agree()


async def test_the_schedule(day: tuple[Orch, MovableClock]) -> None:
    """R-APR: everybody sees it, leads change it."""
    orch, clock = day
    clock.goes_to(datetime.combine(MONDAY, time(18, 0), UTC))
    await orch.dev.types("/orch schedule")
    shown = await orch.dev.sees_privately("Stand-up", "next Tue 24 Nov 08:00", "times in UTC, and in yours")
    assert "*Weekly report* fri 16:00 · next Fri 27 Nov 16:00" in shown
    await orch.dev.types("/orch schedule set morning 08:30")
    await orch.dev.sees_privately("Only a lead may do that", "Nothing was changed")
    await orch.lead.types("/orch schedule set morning 13:00")
    await orch.lead.sees_privately("out of order: morning (13:00) must come before midday (12:00)")
    await orch.lead.types("/orch schedule set morning 08:30")
    await orch.lead.sees_privately("it was 08:00", "The next one comes Tue 24 Nov 08:30 in UTC")
    await orch.lead.types("/orch schedule set weekly thu 15:00")
    await orch.lead.sees_privately("it was fri 16:00", "Thu 26 Nov 15:00")

    await orch.lead.types("/orch schedule skip morning")
    await orch.lead.sees_privately("The stand-up of 2026-11-24 is skipped", "The next one comes Wed 25 Nov 08:30")
    await orch.lead.types("/orch schedule skip morning 2026-11-24")
    await orch.lead.sees_privately("is skipped already")
    await orch.lead.types("/orch schedule skip evening 2026-11-28")
    await orch.lead.sees_privately("2026-11-28 (sat) is a day off")
    await orch.lead.types("/orch schedule skip evening 2026-11-23")
    await orch.lead.sees_privately("The consolidation of 2026-11-23 was posted already")
    await orch.dev.types("/orch schedule show")
    await orch.dev.sees_privately("08:30 _(set by a lead)_ · next Wed 25 Nov 08:30", "*Skipped* morning 2026-11-24")
    async with orch.office.db.read() as session:
        events = await project_events.between(session, "GRANTER", datetime(2026, 11, 23, tzinfo=UTC), clock())
    assert [e.kind for e in events if e.who == "U0LEAD"] == ["schedule_set", "schedule_set", "schedule_skip"]

    tuesday = MONDAY + timedelta(days=1)
    clock.goes_to(datetime.combine(tuesday, time(12, 0, 1), UTC))
    orch.office.tick.set()
    await orch.until(
        lambda: next(
            (m for m in orch.world.messages(CHANNEL) if "Checkpoint · GRANTER · Tue 24 Nov" in words(m)), None
        ),
        "Tuesday's checkpoint",
    )
    standups = [m for m in orch.world.messages(CHANNEL) if "daily stand-up" in words(m)]
    assert len(standups) == 1, "the skipped one did not come"


async def test_the_weekly_report(day: tuple[Orch, MovableClock]) -> None:
    """R-DAY-5, R-REP-2: on the day that the lead chose above, once, with its detail in the thread."""
    orch, clock = day
    thursday = date(2026, 11, 26)
    report = await _post(orch, clock, time(15, 0, 5), "GRANTER · week 48 · 2026-11-23 to 2026-11-29", thursday)
    assert "1 task completed this week" in words(report) and "Rehearsal" in words(report)
    await orch.until(lambda: any(m.files for m in orch.world.thread(CHANNEL, report.ts)[1:]), "a chart in its thread")
    orch.office.tick.set()
    await _post(orch, clock, time(17, 0, 5), "End of the day · GRANTER · Thu 26 Nov", thursday)
    assert len([m for m in orch.world.messages(CHANNEL) if "· week 48 ·" in words(m)]) == 1
