"""Reports in Slack: asked for by a person, shown in the channel, with the numbers of the books (R-REP)."""

from __future__ import annotations

from bot.local.slack.records import File
from tests.acceptance.card import CHANNEL, words
from tests.acceptance.conversation import Orch


async def test_a_person_asks_for_reports(orch: Orch) -> None:
    await orch.dev.types('/orch assign Describe the command line --files docs/usage.md --check "echo TOTAL 10 2 80%"')
    await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    await orch.two.clicks("Approve merge", on="S0-D0-1")
    await orch.channel.shows("S0-D0-1", state="Merged")

    await orch.dev.types("/orch standup")
    await orch.dev.sees_privately("The daily report of", f"is on its way to <#{CHANNEL}>")
    post = await orch.until(lambda: next((m for m in orch.world.messages(CHANNEL) if "daily stand-up" in m.text), None),
                            "the stand-up")  # fmt: skip
    said = words(post)
    used = sum(call.used_tokens for call in await orch.books.calls())
    tokens = f"{used / 1000:.1f}".removesuffix(".0") + "k" if used >= 1000 else str(used)
    assert "*Completed today: 1*" in said and "*S0-D0-1* Describe the command line (haiku" in said
    assert f"day: {tokens} of 300k" in said and f"sprint 0: {tokens} of" in said
    calls = len(await orch.books.calls())

    def drawn() -> File | None:
        return next((f for f in orch.world.files.values() if f.name.startswith("budget-") and f.shared), None)

    file = await orch.until(drawn, "the picture")
    assert file.content is not None and file.content.startswith(b"\x89PNG")

    await orch.dev.types("/orch report weekly")
    weekly = await orch.until(
        lambda: next((m for m in orch.world.messages(CHANNEL) if "on schedule" in m.text), None), "the weekly"
    )
    assert "*Metrics of the last 7 days*" in words(weekly)
    assert ":large_green_circle: Coverage of merged code: 80 %, of 1; goal at least 70 %: met" in words(weekly)
    assert len(await orch.books.calls()) == calls, "a report is free (R-REP-3)"
    weekly = next(words(m) for m in orch.world.messages(CHANNEL) if "on schedule" in m.text)
    assert "against all on sonnet with its own prompt cache" in weekly and "By lever: each task on its rung" in weekly
    assert f"Rehearsal: emulated models answered {calls} of them" in weekly

    await orch.dev.types("/orch metrics")
    shown = await orch.dev.sees_privately("success metrics of the last 30 days")
    assert "*First attempts that passed* 100 % (haiku 100 %), of 1" in shown, shown
    assert "*Coverage of merged code* 80 %, of 1; goal at least 70 %: met" in shown
    assert "against sonnet without its cache" in shown and f"of {calls}; rehearsal: emulated models" in shown
    assert "*Answers to Slack*" in shown and "goal at most 3.0 s: met" in shown

    await orch.dev.types("/orch metrics 7")
    await orch.dev.sees_privately("success metrics of the last 7 days")

    await orch.dev.types("/orch report daily --date 2999-01-01")
    await orch.dev.sees_privately("2999-01-01 is still to come")
    await orch.dev.types("/orch report weekly --sprint 4")
    await orch.dev.sees_privately("There is no sprint 4 in GRANTER")
    await orch.dev.types("/orch report daily --sprint 0")  # no plan is loaded: ad-hoc work belongs to sprint 0
    await orch.dev.sees_privately("The daily report of")
    for asked in ("/orch sprint show 0", "/orch sprint show"):
        await orch.dev.types(asked)
        sprint = await orch.dev.sees_privately("sprint 0* · work outside of a plan · open", "1 of 1 done")
        assert f"{tokens} of" in sprint and "*S0-D0-1* merged · haiku" in sprint
    await orch.dev.types("/orch sprint show 4")
    await orch.dev.sees_privately("There is no sprint 4")
