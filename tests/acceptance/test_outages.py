"""When a provider keeps failing: waits, a stand-in, a rest, and going on by itself (R-ESC-4, R-SEC-1, R-SEC-4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import PATIENCE, Orch
from tests.acceptance.models import GEMINI, HAIKU, SONNET, Reply

#: Waits and rests that a test has the time for, in seconds.
SHORT: dict[str, Any] = {
    "policy": {"provider_backoff_seconds": 0.1, "provider_rest_seconds": [2, 3]},
    "checks": (),
}


async def _calls(orch: Orch, task: str) -> list[tuple[str, str, str]]:
    return [(c.purpose, c.rung, c.state) for c in await orch.books.calls() if f"/{task}/" in c.id]


async def _why(orch: Orch, task: str) -> list[str]:
    return [event.why for event in await orch.events(task)]


async def test_waits_then_a_stand_in_and_never_below_the_floor(starting: Starting) -> None:
    async with starting(**SHORT) as orch:
        # a storm that passes: the same attempt, the same rung
        orch.models.answer(*[Reply(status=429)] * 3, model=HAIKU)
        task = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(task, state="Awaiting approval")
        assert await _calls(orch, task) == [
            *[("edit", "haiku", "refused")] * 3, ("edit", "haiku", "settled"), ("review", "gemini", "settled"),
        ]  # fmt: skip

        # one that does not: sonnet stands in for haiku
        orch.models.answer(*[Reply(status=529)] * 4, model=HAIKU)
        task = await orch.dev.assigns("Document b --files docs/b.md")
        await orch.channel.shows(task, "sonnet · claude-sonnet-5-5", state="Awaiting approval")
        assert await _calls(orch, task) == [
            *[("edit", "haiku", "refused")] * 4, ("edit", "sonnet", "settled"), ("review", "gemini", "settled"),
        ]  # fmt: skip
        assert any("sonnet stands in" in why for why in await _why(orch, task))

        # haiku stands in for sonnet where the matrix lets it, and never on a security task (R-SEC-1)
        orch.models.answer(*[Reply(status=529)] * 4, model=SONNET)
        task = await orch.dev.assigns("Round the total --type logic --files src/total.py")
        await orch.channel.shows(task, "haiku · claude-haiku-5-5", state="Awaiting approval")
        orch.models.answer(*[Reply(status=529)] * 4, model=SONNET)
        task = await orch.dev.assigns("Round the total --type logic --files src/other.py --security")
        await orch.channel.shows(task, "sonnet · claude-sonnet-5-5", state="Awaiting approval")
        assert not any(rung == "haiku" for _, rung, _ in await _calls(orch, task))
        await orch.books.agree()


@pytest.mark.parametrize("counting", [False, True], ids=["calls", "counting too"])
async def test_an_outage_is_waited_for_and_tasks_go_on_by_themselves(starting: Starting, counting: bool) -> None:
    async with starting(**SHORT) as orch:
        orch.models.faults.status["anthropic"] = 529
        if counting:
            orch.models.faults.counting["anthropic"] = 529
        first = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(first, "waiting for Anthropic, resting until", state="Queued")
        second = await orch.dev.assigns("Document b --files docs/b.md")
        await orch.channel.shows(second, "waiting for Anthropic", state="Queued")

        await orch.outsider.types("/orch status")
        told = ("*Anthropic*", "*Gemini* answers", f"*{second}*", "waiting for Anthropic")
        shown = await orch.outsider.sees_privately(*told)
        assert "rests until" in shown or "is tried again" in shown

        before = len(await orch.books.calls())
        async with asyncio.timeout(PATIENCE):  # the rest is over: one call tries it, and the rest goes on
            while len(await orch.books.calls()) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(await orch.books.calls()) - before <= 2
        assert (await orch.row(second)).attempt + (await orch.row(first)).attempt <= 5

        orch.models.faults.status.clear()
        orch.models.faults.counting.clear()
        for task in (first, second):
            await orch.channel.shows(task, "haiku · claude-haiku-5-5", state="Awaiting approval")
        await orch.dev.types("/orch status")
        await orch.dev.sees_privately("*Anthropic* answers", "2 awaiting approval")
        await orch.books.agree()


async def test_a_review_waits_for_gemini_and_nobody_stands_in(starting: Starting) -> None:
    """R-SEC-4."""
    async with starting(**SHORT) as orch:
        orch.models.faults.status["gemini"] = 503
        tasks = [await orch.dev.assigns(f"Document {n} --files docs/{n}.md") for n in ("a", "b")]
        for task in tasks:
            await orch.channel.shows(task, "waiting for Gemini", state="In review")
        edits = len(orch.models.asked("claude"))
        await asyncio.sleep(3)
        orch.models.faults.status.clear()
        for task in tasks:
            card = await orch.channel.shows(task, "approved · 8.5/10", state="Awaiting approval")
            assert "waiting for" not in card
        assert len(orch.models.asked("claude")) == edits == 2, "no edit was paid for twice, and sonnet reviewed nothing"
        assert {c.rung for c in await orch.books.calls() if c.purpose == "review"} == {GEMINI}
        await orch.books.agree()
