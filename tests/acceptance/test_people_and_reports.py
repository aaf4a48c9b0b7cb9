"""Work that is a person's, and work that ends in an answer (R-RT-3, R-RT-4)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import GEMINI, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_manual_task_goes_to_its_owner(shared: Orch) -> None:
    await shared.dev.types("/orch assign Run the load test on staging --model manual --owner @two")
    await shared.dev.sees_privately("queued for <@U0TWO>")
    task = (await shared.tasks())[-1]
    card = await shared.channel.shows(task, "<@U0TWO>", state="With a person")
    assert card.buttons == ["Mark done", "Blocked", "Hand over", "Stop"]
    told = await shared.two.gets(task, "Run the load test on staging")

    await shared.dev.clicks("Mark done", on=task)
    await shared.dev.sees_privately("Only an owner or lead may do that")
    await shared.two.clicks("Mark done", on=told)
    await shared.two.submits(seen="300 requests a second")
    await shared.channel.shows(task, "300 requests a second", state="Done")
    assert [c for c in await shared.books.calls() if f"/{task}/" in c.id] == [], "0 tokens"


async def test_running_the_tests_is_a_persons_work(shared: Orch) -> None:
    task = await shared.dev.assigns("Run the tests and tell the result")
    await shared.channel.shows(task, "R-RT-4", state="With a person")
    await shared.dev.gets(task, "is for you")
    await shared.lead.clicks("Mark done", on=task)
    await shared.lead.submits(seen="All green")
    await shared.channel.shows(task, state="Done")
    await shared.lead.types(f"/orch cancel {task}")
    await shared.lead.sees_privately("is done, so it cannot be stopped")


async def test_a_question_is_answered_in_the_thread(shared: Orch) -> None:
    before = shared.repo.head
    shared.models.answer(Reply(text="Tokens are checked in granter/auth.py:17 <!here>"), model=GEMINI)
    task = await shared.dev.assigns("Where are tokens checked? --type search")
    card = await shared.channel.shows(task, "gemini", state="Done")
    assert card.buttons == []
    answer = await shared.channel.thread_shows(task, "granter/auth.py:17")
    assert {block["type"] for block in answer.blocks} == {"rich_text", "context"}, "what a model says pings nobody"
    assert shared.repo.head == before
    (asked,) = [c for c in shared.models.asked(GEMINI) if f"/{task}/" in c.call_id]
    assert "Where are tokens checked?" in asked.text and "def holder" in asked.text
    await shared.books.agree()


async def test_an_answer_that_does_not_come_needs_a_person(shared: Orch) -> None:
    shared.models.answer(Reply(text=""), model=GEMINI)
    task = await shared.dev.assigns("Where is the cart? --type search")
    await shared.channel.shows(task, "no answer", state="Blocked")
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Done")
    await shared.books.agree()


async def test_a_long_answer_fits(shared: Orch) -> None:
    shared.models.answer(Reply(text="<word> & " * 1500), model=GEMINI)
    task = await shared.dev.assigns("Which words are there? --type search --budget 9000")
    await shared.channel.shows(task, state="Done")
    await shared.channel.thread_shows(task, "<word> & <word>")
