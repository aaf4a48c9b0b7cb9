"""Work that is not urgent waits in the provider's batch, at half the price; a person can pull it out (R-BUD-5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from bot.store.spending import paid_calls
from bot.store.tables import CallRow
from tests.acceptance.clock import MovableClock
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import PATIENCE, Orch
from tests.acceptance.models import HAIKU, create, edits, replace

SETUP: dict[str, Any] = {"policy": {"batch_poll_seconds": 0.1, "provider_backoff_seconds": 0.1}, "checks": ()}
LONG = 600.0
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
THRIFTY = {"batch_by_deadline": True, "batch_reviews": True, "light_reviewer": "gemini-3.1-flash-lite"}


async def _calls(orch: Orch, task: str) -> list[tuple[str, bool, str]]:
    return [(c.purpose, c.batch, c.state) for c in await _rows(orch, task)]


async def _rows(orch: Orch, task: str) -> list[CallRow]:
    return [call for call in await orch.books.calls() if f"/{task}/" in call.id]


async def _ended(orch: Orch, task: str) -> None:
    """Until no call of the task is under way."""
    async with asyncio.timeout(PATIENCE):
        while any(state in ("intent", "sent") for _, _, state in await _calls(orch, task)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_low_priority_waits_in_a_batch(starting: Starting) -> None:
    async with starting(**SETUP, models={HAIKU: {"concurrency": 1}}) as orch:
        orch.models.faults.batch_seconds = LONG
        task = await orch.dev.assigns("Document a --files docs/a.md --priority low")
        card = await orch.channel.shows(task, "in a batch, at half the price", state="Working")
        assert {"Run now", "Stop"} <= set(card.buttons)

        # it takes no slot from what is urgent
        other = await orch.dev.assigns("Document b --files docs/b.md")
        await orch.channel.shows(other, state="Awaiting approval")
        assert await _calls(orch, other) == [("edit", False, "settled"), ("review", False, "settled")]

        for batch in orch.models.script.batches.values():
            batch.due = 0.0  # the provider has come to it
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _calls(orch, task) == [("edit", True, "settled"), ("review", False, "settled")]
        edit = (await _rows(orch, task))[0]
        usual = orch.office.price(edit.model, edit.day)
        paid = edit.input_tokens * usual.base.input + edit.output_tokens * usual.base.output
        assert edit.cost_microusd == -(-paid // 2_000_000), "half the price"

        # a repair waits too, and what a batch expires on is asked at once
        orch.models.faults.batch_seconds = 0.0
        orch.models.answer(edits(replace("README.md", "no such text", "x")), edits(create("docs/c.md", "C\n")))
        third = await orch.dev.assigns("Document c --files docs/c.md --priority low")
        await orch.channel.shows(third, state="Awaiting approval")
        assert (await _calls(orch, third))[:2] == [("edit", True, "settled"), ("repair", True, "settled")]
        orch.models.faults.batches_expire = True
        fourth = await orch.dev.assigns("Document d --files docs/d.md --priority low")
        await orch.channel.shows(fourth, state="Awaiting approval")
        assert (await _calls(orch, fourth))[:2] == [("edit", True, "refused"), ("edit", False, "settled")]

        async with orch.office.db.read() as session:
            assert sum(call.batch for call in await paid_calls(session, "GRANTER")) == 3
        await orch.books.agree()


async def test_a_person_pulls_it_out_or_stops_it(starting: Starting) -> None:
    async with starting(**SETUP) as orch:
        orch.models.faults.batch_seconds = LONG
        task = await orch.dev.assigns("Document a --files docs/a.md --priority low")
        await orch.channel.shows(task, "in a batch", state="Working")
        await orch.outsider.clicks("Run now", on=task)
        await orch.outsider.sees_privately(task)
        assert await _calls(orch, task) == [("edit", True, "sent")], "a member without a part in it may not"
        await orch.dev.clicks("Run now", on=task)
        card = await orch.channel.shows(task, state="Awaiting approval")
        assert "Run now" not in card.buttons
        assert await _calls(orch, task) == [
            ("edit", True, "refused"), ("edit", False, "settled"), ("review", False, "settled"),
        ]  # fmt: skip

        # stopped: the batch is cancelled, and nothing is owed
        task = await orch.dev.assigns("Document b --files docs/b.md --priority low")
        await orch.channel.shows(task, "in a batch", state="Working")
        await orch.dev.clicks("Stop", on=task)
        await orch.channel.shows(task, state="Stopped")
        await _ended(orch, task)
        assert await _calls(orch, task) == [("edit", True, "refused")]
        assert (await _rows(orch, task))[0].cost_microusd == 0
        await orch.books.agree()


async def test_what_is_more_urgent_pulls_out_what_it_waits_for(starting: Starting) -> None:
    """R-PAR-5: nobody waits a day for a file that a task holds which is in no hurry."""
    async with starting(**SETUP) as orch:
        orch.models.faults.batch_seconds = LONG
        low = await orch.dev.assigns("Document a --files docs/a.md --priority low")
        other = await orch.dev.assigns("Document b --files docs/b.md --priority low")
        for task in (low, other):
            await orch.channel.shows(task, "in a batch", state="Working")
        equal = await orch.dev.assigns("Document a again --files docs/a.md --priority low")
        await orch.channel.shows(equal, f"waiting for {low}: docs/a.md")
        urgent = await orch.dev.assigns("Document a better --files docs/a.md")
        await orch.channel.shows(low, state="Awaiting approval")
        assert await _calls(orch, low) == [
            ("edit", True, "refused"), ("edit", False, "settled"), ("review", False, "settled"),
        ]  # fmt: skip
        (pulled,) = [event for event in await orch.events(low) if event.kind == "run_now"]
        assert (pulled.who, pulled.why.startswith(f"{urgent} is more urgent and waits for it")) == ("orch", True)
        await orch.channel.shows(urgent, f"waiting for {low}", state="Queued")
        await orch.channel.shows(other, "in a batch", state="Working")
        for task in (equal, urgent, other):
            await orch.dev.types(f"/orch cancel {task}")
            await orch.channel.shows(task, state="Stopped")
        await _ended(orch, other)
        await orch.books.agree()


async def test_without_batches_low_priority_is_asked_like_any_other(starting: Starting) -> None:
    async with starting(checks=(), policy={"batch_low_priority": False}) as orch:
        task = await orch.dev.assigns("Document a --files docs/a.md --priority low")
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _calls(orch, task) == [("edit", False, "settled"), ("review", False, "settled")]


async def test_a_deadline_that_leaves_the_time_waits_as_well(starting: Starting) -> None:
    """R-BUD-5, and R-SEC-4: whatever is security-critical is reviewed by the usual model."""
    clock = MovableClock(MONDAY)
    async with starting(checks=(), policy={**SETUP["policy"], **THRIFTY}, now=clock) as orch:
        orch.models.faults.batch_seconds = LONG
        task = await orch.dev.assigns("Document a --files docs/a.md --deadline 2026-11-23T17:00")
        await orch.channel.shows(task, "in a batch, at half the price", state="Working")
        near = await orch.dev.assigns("Document b --files docs/b.md --deadline 2026-11-23T10:00")
        usual = await orch.dev.assigns("Document c --files docs/c.md")
        for other in (near, usual):
            await orch.channel.shows(other, state="Awaiting approval")
            assert await _calls(orch, other) == [("edit", False, "settled"), ("review", False, "settled")]

        clock.goes_to(MONDAY.replace(hour=13))  # four hours before its deadline
        await orch.channel.shows(task, state="Awaiting approval")
        edit, again, review = await _rows(orch, task)
        assert [(c.batch, c.state) for c in (edit, again, review)] == [
            (True, "refused"), (False, "settled"), (False, "settled"),
        ]  # fmt: skip
        assert edit.cost_microusd == 0
        (pulled,) = [event for event in await orch.events(task) if event.kind == "run_now"]
        assert (pulled.who, pulled.why) == ("orch", "its deadline leaves no more time to wait")

        # where all is quick, the review waits too; a lighter model reviews what is ordinary
        orch.models.faults.batch_seconds = 0.0
        fourth = await orch.dev.assigns("Document d --files docs/d.md --deadline 2026-11-24T17:00")
        await orch.channel.shows(fourth, state="Awaiting approval")
        assert await _calls(orch, fourth) == [("edit", True, "settled"), ("review", True, "settled")]
        assert (await _rows(orch, fourth))[1].model == "gemini-3.1-flash-lite"
        secret = await orch.dev.assigns("Document e --files docs/e.md --security --deadline 2026-11-24T17:00")
        await orch.channel.shows(secret, state="Awaiting approval")
        assert (await _rows(orch, secret))[1].model == "gemini-3.8-flash"
        await orch.books.agree()


async def test_a_provider_without_batches_is_asked_at_once(starting: Starting) -> None:
    clock = MovableClock(MONDAY)
    async with starting(checks=(), policy={**SETUP["policy"], **THRIFTY}, now=clock) as orch:
        orch.models.faults.without_batches |= {"anthropic", "gemini"}
        task = await orch.dev.assigns("Document a --files docs/a.md --deadline 2026-11-24T17:00")
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _calls(orch, task) == [
            ("edit", True, "refused"), ("edit", False, "settled"), ("review", False, "settled"),
        ]  # fmt: skip
        await orch.books.agree()
