"""When a provider refuses, breaks or stays silent: what is owed, and what happens next (R-BUD-4)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import GEMINI, HAIKU, Reply, create, edits

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _calls(orch: Orch, task: str) -> list[tuple[str, str]]:
    return [(call.purpose, call.state) for call in await orch.books.calls() if f"/{task}/" in call.id]


@pytest.mark.parametrize("status", [429, 529])
async def test_a_busy_provider_is_asked_again(shared: Orch, status: int) -> None:
    shared.models.answer(Reply(status=status, retry_after="1"), model=HAIKU)
    task = await shared.dev.assigns(f"Document a --files docs/a{status}.md")
    await shared.channel.shows(task, state="Awaiting approval")
    assert await _calls(shared, task) == [("edit", "refused"), ("edit", "settled"), ("review", "settled")]
    assert (await shared.row(task)).attempt == 1
    await shared.books.agree()


async def test_a_busy_reviewer_is_asked_again(shared: Orch) -> None:
    shared.models.answer(Reply(status=429), model=GEMINI)
    task = await shared.dev.assigns("Document b --files docs/b.md")
    await shared.channel.shows(task, state="Awaiting approval")
    assert await _calls(shared, task) == [("edit", "settled"), ("review", "refused"), ("review", "settled")]


@pytest.mark.parametrize(
    "trouble",
    [Reply(status=500), Reply(cut="before"), Reply(cut="middle"), Reply(body="<html>not it</html>")],
    ids=["500", "cut before", "cut in the middle", "no JSON"],
)
async def test_an_unknown_outcome_is_charged_in_full(
    shared: Orch, trouble: Reply, request: pytest.FixtureRequest
) -> None:
    path = f"docs/c-{request.node.callspec.id.replace(' ', '-')}.md"
    shared.models.answer(trouble, model=HAIKU)
    task = await shared.dev.assigns(f"Document c --files {path}")
    await shared.channel.shows(task, state="Awaiting approval")
    assert await _calls(shared, task) == [("edit", "unknown"), ("edit", "settled"), ("review", "settled")]
    row = await shared.row(task)
    assert (row.attempt, row.route["rung"]) == (2, "haiku"), "the lost attempt does not count against haiku"
    await shared.books.agree()


async def test_three_lost_attempts_need_a_person(shared: Orch) -> None:
    shared.models.answer(*[Reply(status=500)] * 3, model="claude")  # twice at haiku, then sonnet stands in
    task = await shared.dev.assigns("Document d --files docs/d.md")
    card = await shared.channel.shows(task, state="Blocked")
    assert "3 attempts in a row were lost" in card and "Anthropic failed with HTTP 500" in card
    await shared.dev.gets(task, "is blocked and needs a person")
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.books.agree()


async def test_a_budget_too_small_says_how_much_is_needed(shared: Orch) -> None:
    task = await shared.dev.assigns("Document e --files docs/e.md --budget 300")
    card = await shared.channel.shows(task, "the call needs at least", "/orch budget raise", state="Blocked")
    assert "300 of 300 tokens left" in card
    assert shared.models.asked() == [] or await _calls(shared, task) == []
    await shared.books.agree()


async def test_no_call_asks_for_more_than_its_budget(shared: Orch) -> None:
    task = await shared.dev.assigns("Document f --files docs/f.md --budget 2000")
    await shared.channel.shows(task, "of 2k", state="Awaiting approval")
    (edit, _) = [call for call in await shared.books.calls() if f"/{task}/" in call.id]
    assert edit.reserved_tokens <= 2000
    (asked,) = [call for call in shared.models.asked(HAIKU) if f"/{task}/" in call.call_id]
    assert asked.body["max_tokens"] + asked.input_tokens <= 2000


async def test_an_answer_cut_off_by_the_budget_is_an_attempt(shared: Orch) -> None:
    shared.models.answer(edits(create("docs/g.md", "long " * 2000)), model=HAIKU)
    task = await shared.dev.assigns("Document g --files docs/g.md --budget 2000")
    await shared.channel.shows(task, state="Awaiting approval")
    assert (await shared.row(task)).attempt == 2
    await shared.channel.thread_shows(task, "cut off at its token limit")
    await shared.books.agree()
