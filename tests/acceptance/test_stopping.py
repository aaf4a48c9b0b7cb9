"""Stop: what is under way ends, what it may have cost is counted, and nothing goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.local.models import Call
from tests.acceptance.conversation import PATIENCE, Orch
from tests.acceptance.models import GEMINI, HAIKU, Reply, create, edits

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOR_EVER = 3600.0


async def _asked_for(orch: Orch, task: str, model: str) -> Call:
    """The paid call of this task that the provider works on."""

    def calls() -> list[Call]:
        return [c for c in orch.models.asked(model) if f"/{task}/" in c.call_id and c.outcome == "received"]

    await _once(calls)
    return calls()[0]


async def _once(what: Callable[[], object]) -> None:
    """Wait for something that Slack does not show."""
    async with asyncio.timeout(PATIENCE):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_stop_cuts_the_call_and_counts_it(shared: Orch) -> None:
    shared.models.answer(Reply(text="late", delay_seconds=FOR_EVER), model=HAIKU)
    task = await shared.dev.assigns("Document a --files docs/a.md")
    call = await _asked_for(shared, task, HAIKU)
    await shared.dev.clicks("Stop", on=task)
    await shared.channel.shows(task, state="Stopped")
    await shared.channel.thread_shows(task, "The call that was under way (edit at haiku) was cut off.")
    await _once(lambda: call.outcome == "left")  # the provider sees that Orch hung up

    (row,) = [c for c in await shared.books.calls() if c.id == call.call_id]
    assert (row.state, row.used_tokens) == ("unknown", row.reserved_tokens)
    await shared.books.agree()
    card = await shared.channel.shows(task, "of unknown outcome", state="Stopped")
    assert card.buttons == ["Retry"] and "under way" not in card.text
    assert all("<@" not in event.why for event in await shared.events(task)), "reports show these words as they stand"

    shared.models.answer(edits(create("docs/a.md", "again\n")), model=HAIKU)
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Awaiting approval")
    assert len([c for c in shared.models.asked(HAIKU) if f"/{task}/" in c.call_id]) == 2, "it stayed stopped till then"
    await shared.books.agree()


async def test_orch_cancel_cuts_a_review(shared: Orch) -> None:
    shared.models.answer(Reply(text="late", delay_seconds=FOR_EVER), model=GEMINI)
    task = await shared.dev.assigns("Document b --files docs/b.md")
    call = await _asked_for(shared, task, GEMINI)
    await shared.dev.types(f"/orch cancel {task}")
    await _once(lambda: call.outcome == "left")  # the provider sees that Orch hung up
    await shared.channel.thread_shows(task, "(review at gemini) was cut off")
    assert (await shared.row(task)).state == "cancelled"
    await shared.books.agree()
