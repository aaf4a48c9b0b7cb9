"""The main job: assign -> card -> haiku -> checks -> review -> approve -> the file is on the branch."""

from __future__ import annotations

from bot.local.sample import EXAMPLES
from tests.acceptance.card import CHANNEL
from tests.acceptance.conversation import Orch


async def test_the_main_job(orch_on_each: Orch) -> None:
    orch, task = orch_on_each, EXAMPLES[0]
    before = orch.repo.head

    await orch.dev.types(f"/orch assign {task.text} --files docs/usage.md")
    await orch.dev.sees_privately("*S0-D0-1*", "queued for haiku", "R-RT-1")
    card = await orch.channel.shows("S0-D0-1", "Write documentation for the command line")
    assert "Approve merge" not in card.buttons
    ts = card.message.ts

    card = await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    assert card.buttons == ["Approve merge", "Request changes", "Reject"]
    assert "haiku · claude-haiku-5-5-rehearsal" in card
    assert ":white_check_mark: sh check.sh" in card
    assert "approved · 8.5/10 · 1 finding" in card
    assert "asked by <@U0DEV>" in card
    spent = sum(call.billed_tokens for call in orch.models.asked())
    assert f"{spent:,} tokens" in card or f"{spent / 1000:.1f}k tokens" in card

    await orch.channel.thread_shows("S0-D0-1", "<@U0TWO>, <@U0LEAD>")
    await orch.channel.thread_shows("S0-D0-1", "*Review* by gemini-3.8-flash-rehearsal")
    diff = orch.channel.threads_files("S0-D0-1")["S0-D0-1.diff"]
    assert "+++ b/docs/usage.md" in diff
    assert orch.repo.head == before, "nothing is merged before a person says so"

    await orch.lead.clicks("Approve merge", on="S0-D0-1")
    card = await orch.channel.shows("S0-D0-1", state="Merged")
    assert orch.repo.head[:10] in card.state
    assert card.buttons == []
    assert card.message.ts == ts, "one message, updated in place"
    assert len([m for m in orch.world.messages(CHANNEL) if m.user == "U0ORCH"]) == 1

    assert orch.repo.file("docs/usage.md", before) is None
    assert "python3 -m granter instalments" in (orch.repo.file("docs/usage.md") or "")
    assert (orch.repo.path / "docs/usage.md").exists(), "the checked-out tree followed"
    assert orch.repo.git("status", "--porcelain") == ""
    message = orch.repo.message()
    assert message.startswith("Orch\n")
    for trailer in ("Task: S0-D0-1", "Requested-by: U0DEV", "Approved-by: U0LEAD", "Reviewed-by: gemini-3.8-flash"):
        assert trailer in message
    await orch.channel.thread_shows("S0-D0-1", "Merged as")
    await orch.books.agree()
    await orch.all_is_worked_on()


async def test_every_decision_is_on_record(orch: Orch) -> None:
    await orch.dev.types(f"/orch assign {EXAMPLES[0].text}")
    await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    await orch.two.clicks("Approve merge", on="S0-D0-1")
    await orch.channel.shows("S0-D0-1", state="Merged")

    told = [(event.kind, event.state, event.who) for event in await orch.events("S0-D0-1")]
    assert told[0] == ("created", "queued", "U0DEV")
    assert ("approved", "awaiting_approval", "U0TWO") in told
    assert told[-1][1:] == ("merged", "orch")
    await orch.outsider.types("/orch why S0-D0-1")
    why = await orch.outsider.sees_privately("Why S0-D0-1", "Paid calls")
    for part in ("assigned to haiku", "checks passed", "gemini approved it", "<@U0TWO>", "GRANTER/S0-D0-1/1/1"):
        assert part in why
