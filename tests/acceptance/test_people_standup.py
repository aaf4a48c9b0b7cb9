"""People say before the stand-up what is done, next and blocked; it joins the post (issue 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from bot.local.slack import Message
from tests.acceptance.card import CHANNEL, words
from tests.acceptance.clock import MovableClock
from tests.acceptance.conversation import Orch, conversation


@pytest_asyncio.fixture
async def early(tmp_path: Path) -> AsyncIterator[tuple[Orch, MovableClock]]:
    """Half past six on a Monday; people are asked from 07:15 on."""
    clock = MovableClock(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    project = {"people_standup": {"enabled": True}}
    async with conversation(tmp_path, project=project, policy={}, checks=(), now=clock) as orch:
        yield orch, clock


async def test_people_answer_before_the_stand_up(early: tuple[Orch, MovableClock]) -> None:
    orch, clock = early
    task = await orch.dev.assigns("Describe the command line --files docs/usage.md")
    await orch.channel.shows(task, state="Awaiting approval")
    manual = await orch.dev.assigns("Check the pages by hand --model manual --owner @two")
    await orch.channel.shows(manual, state="With a person")
    await orch.lead.types("/orch away until 2026-11-25")
    led = await orch.dev.assigns("Ask the notary --model manual --owner @lead")

    for at in (datetime(2026, 11, 23, 7, 16, tzinfo=UTC), datetime(2026, 11, 23, 7, 20, tzinfo=UTC)):
        clock.goes_to(at)
        orch.office.tick.set()
        asked = await orch.dev.gets("Stand-up of GRANTER", f"{task} Describe the command line")
        two = await orch.two.gets("Stand-up of GRANTER", f"{manual} Check the pages")

    await orch.dev.clicks("Answer", on=asked)
    form = await orch.dev.form()
    assert f"{task} Describe the command line" in str(form.blocks), "the board filled it in"
    assert (await orch.dev.submits(done="", next="", blocked="")).errors.keys() == {"done"}
    await orch.dev.submits(done="<!channel> the draft", next="The rest & more", blocked="No build machine")
    await orch.dev.gets("Thank you", "The leads know")
    await orch.lead.gets("<@U0DEV> said at the stand-up", "No build machine")

    clock.goes_to(datetime(2026, 11, 23, 8, 0, 1, tzinfo=UTC))
    orch.office.tick.set()
    post = await orch.until(lambda: _post(orch), "the stand-up")
    assert "1 person said what is done, next and blocked: in the thread" in words(post)
    said = await _in_thread(orch, post, "<@U0DEV>")
    assert "*Done:* &lt;!channel&gt; the draft" in words(said) and "*Next:* The rest &amp; more" in words(said)

    await orch.two.clicks("Answer", on=two)
    assert (await orch.two.submits(blocked="", task=manual)).errors.keys() == {"blocked"}
    await orch.two.submits(done="", next="The pages", blocked="Staging is down", task=manual)
    await orch.channel.shows(manual, "Staging is down", state="Blocked")
    late = await _in_thread(orch, post, "<@U0TWO> (after the stand-up)")
    assert f"*Blocked ({manual}):* Staging is down" in words(late)
    await orch.two.gets(f"*{manual}* is blocked now")

    direct = orch.world.messages(orch.world.dm("U0DEV").id)
    assert sum("Stand-up of GRANTER" in words(m) for m in direct) == 1, "asked once"
    assert not [m for m in orch.world.messages(orch.world.dm("U0LEAD").id) if "Stand-up of GRANTER" in words(m)], led
    clock.goes_on(days=1)
    await orch.dev.clicks("Answer", on=asked)
    await orch.dev.sees_privately("The stand-up of 2026-11-23 is over")


def _post(orch: Orch) -> Message | None:
    return next((m for m in orch.world.messages(CHANNEL) if "daily stand-up" in words(m)), None)


async def _in_thread(orch: Orch, post: Message, text: str) -> Message:
    def reply() -> Message | None:
        return next((m for m in orch.world.thread(CHANNEL, post.ts)[1:] if text in words(m)), None)

    return await orch.until(reply, f"{text!r} in the thread")
