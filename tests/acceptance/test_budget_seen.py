"""Money is seen: who asked for what, where the day stands, and pictures of it (R-BUD-3)."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime

import pytest

from bot.render import money, tokens
from tests.acceptance.card import CHANNEL, words
from tests.acceptance.conftest import Starting
from tests.acceptance.exports import exported
from tests.acceptance.models import HAIKU, Reply, create, edits

#: A Monday, five of its thirteen working hours over.
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def test_people_see_where_the_budget_went(starting: Starting) -> None:
    policy = {"quiet_hours": ["20:00", "07:00"]}
    async with starting(checks=(), now=lambda: MONDAY, policy=policy) as orch:
        await orch.dev.types("/orch budget")
        empty = await orch.dev.sees_privately("*all today* 0 of 300k (0 %)", "About 0 when the day is over")
        assert empty.count("no data yet") == 2

        first = await orch.dev.assigns("Document a --files docs/a.md")
        await orch.channel.shows(first, state="Awaiting approval")
        second = await orch.two.assigns("Document b --files docs/b.md")
        await orch.channel.shows(second, state="Awaiting approval")
        calls = await orch.books.calls()
        used = sum(call.used_tokens for call in calls)
        of = {task: sum(c.used_tokens for c in calls if f"/{task}/" in c.id) for task in (first, second)}

        await orch.dev.types("/orch budget")
        said = await orch.dev.sees_privately(f"*all today* {tokens(used)} of 300k")
        for task, person in ((first, "U0DEV"), (second, "U0TWO")):
            assert f"{task} {tokens(of[task])} · $" in said and f"<@{person}> {tokens(of[task])} · $" in said
        assert f"About {tokens(round(used * 13 / 5))} when the day is over" in said, said
        haiku = sum(call.used_tokens for call in calls if call.rung == "haiku")
        assert f"*haiku today* {tokens(haiku)} of 150k" in said

        await orch.dev.types("/orch budget sprint")
        sprint = await orch.dev.sees_privately("*By task, sprint 0*")
        assert f"haiku {tokens(haiku)} · $" in sprint and "haiku today" not in sprint
        await orch.dev.types("/orch budget spirnt")
        await orch.dev.sees_privately("Did you mean `sprint`?")

        await orch.dev.types("/orch budget chart")
        await orch.dev.sees_privately(f"on its way to <#{CHANNEL}>")
        file = await orch.until(
            lambda: next((f for f in orch.world.files.values() if f.name == "usage-2026-11-23.png" and f.shared), None),
            "the picture",
        )
        assert file.content is not None and file.content.startswith(b"\x89PNG")
        post = next(m for m in orch.world.messages(CHANNEL) if m.text.startswith("Budget of GRANTER"))
        assert "asked for by <@U0DEV>" in words(post)
        await orch.dev.writes_to_orch("budget chart")
        await orch.dev.gets("asked for by <@U0DEV>")
        assert len(await orch.books.calls()) == len(calls), "looking is free"
        await orch.books.agree()


async def test_a_card_tells_what_was_spent_as_it_grows(starting: Starting, capsys: pytest.CaptureFixture[str]) -> None:
    """Reserved while a call is under way, used once it is answered, in full where nobody knows; exported as it is."""
    async with starting(checks=()) as orch:
        answered, reviewed = asyncio.Event(), asyncio.Event()
        made = edits(create("docs/a.md", "A\n"))
        orch.models.answer(Reply(text="lost", cut="before"), model=HAIKU)
        orch.models.answer(Reply(edits=made.edits, until=answered), model=HAIKU)
        orch.models.answer(Reply(review={"verdict": "approve", "quality_score": 9, "findings": [], "missing_cases": []},
                                 until=reviewed), model="gemini")  # fmt: skip
        task = await orch.dev.assigns("Document a --files docs/a.md")
        card = await orch.channel.shows(task, "of unknown outcome, charged in full", "under way", state="Working")
        lost, held = await orch.books.calls()
        assert (lost.state, held.state) == ("unknown", "sent")
        assert f"{tokens(lost.used_tokens)} tokens · {money(lost.cost_microusd)}" in card
        assert f"+ at most {tokens(held.reserved_tokens)} · {money(held.reserved_microusd)} under way" in card
        answered.set()
        card = await orch.channel.shows(task, "under way", state="In review")
        lost, edit, review = await orch.books.calls()
        assert f"{tokens(lost.used_tokens + edit.used_tokens)} tokens · " in card
        assert f"+ at most {tokens(review.reserved_tokens)} · " in card
        reviewed.set()
        card = await orch.channel.shows(task, state="Awaiting approval")
        calls = await orch.books.calls()
        assert (
            f"{tokens(sum(c.used_tokens for c in calls))} tokens · {money(sum(c.cost_microusd for c in calls))}" in card
        )
        assert "under way" not in card
        await orch.books.agree()

        told = await exported(orch, capsys, "ledger", format="csv")
        lines = list(csv.DictReader(io.StringIO(told, newline="")))
        for column in ("used_tokens", "cost_microusd", "input_tokens", "output_tokens"):
            assert [int(line[column]) for line in lines] == [getattr(call, column) for call in calls]
        assert {line["requester"] for line in lines} == {"U0DEV"}
