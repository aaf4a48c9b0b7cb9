"""Money is seen: who asked for what, where the day stands, and pictures of it (R-BUD-3)."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.render import tokens
from tests.acceptance.card import CHANNEL, words
from tests.acceptance.conftest import Starting

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
