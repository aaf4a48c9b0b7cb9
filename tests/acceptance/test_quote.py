"""A quote before anything is paid: start it, change the model, or drop it (R-RT-7)."""

from __future__ import annotations

from tests.acceptance.card import words
from tests.acceptance.conversation import Orch

ASKED = "/orch assign Write a page about payouts --files docs/payouts.md --dry-run"


async def test_a_quote_is_started_by_a_click(orch: Orch) -> None:
    await orch.dev.types(ASKED)
    quote = await orch.dev.sees_privately("*Quote*", "*Model*\nhaiku", "starts at once", "free")
    assert "at most $0.01" in quote
    assert await orch.tasks() == []
    assert orch.models.asked() == [], "a quote costs nothing"
    shown = orch.world.ephemerals("U0DEV")[-1]
    await orch.dev.clicks("Start", on=shown)
    await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    await orch.until(lambda: "queued for haiku" in words(orch.world.ephemerals("U0DEV")[-1]), "the quote replaced")
    assert await orch.tasks() == ["S0-D0-1"]


async def test_the_model_can_be_changed_and_the_quote_dropped(orch: Orch) -> None:
    await orch.dev.types(ASKED)
    await orch.dev.sees_privately("*Model*\nhaiku")
    shown = orch.world.ephemerals("U0DEV")[-1]
    await orch.world.click("U0DEV", shown.channel, shown.ts, "quote_model", selected="sonnet")
    await orch.until(lambda: "*Model*\nsonnet" in words(orch.world.ephemerals("U0DEV")[-1]), "a quote for sonnet")
    await orch.world.click("U0DEV", shown.channel, shown.ts, "quote_cancel")
    await orch.until(lambda: "Nothing was started" in words(orch.world.ephemerals("U0DEV")[-1]), "the quote dropped")
    assert await orch.tasks() == []


async def test_a_quote_tells_of_the_file_that_is_taken(orch: Orch) -> None:
    await orch.dev.assigns("Write a page about payouts --files docs/payouts.md")
    await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    await orch.dev.types(ASKED)
    await orch.dev.sees_privately("S0-D0-1 may change docs/payouts.md too", "waiting for S0-D0-1")


async def test_a_quote_asked_for_by_mention_or_direct_message_is_started_by_a_click(orch: Orch) -> None:
    await orch.dev.types("@orch Write a page about refunds --files docs/refunds.md --dry-run")
    await orch.dev.sees_privately("*Quote*", "refunds")
    await orch.dev.clicks("Start", on=orch.world.ephemerals("U0DEV")[-1])
    await orch.channel.shows("S0-D0-1", "refunds", state="Awaiting approval")

    await orch.dev.writes_to_orch("Write a page about returns --files docs/returns.md --dry-run")
    quote = await orch.dev.gets("*Quote*", "returns")
    await orch.dev.clicks("Start", on=quote)
    await orch.channel.shows("S0-D0-2", "returns", state="Awaiting approval")
