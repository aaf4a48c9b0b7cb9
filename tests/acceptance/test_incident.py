"""`/orch incident` (R-ESC-6): opus proposed at once, a person at work at once, everybody told who must know."""

from __future__ import annotations

from bot.local.slack import Message
from tests.acceptance.card import CHANNEL, words
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch
from tests.acceptance.models import OPUS, create, edits

WHAT = "Checkout answers 500 <!channel> & nobody can pay"


async def test_an_incident(starting: Starting) -> None:
    async with starting(checks=()) as orch:
        await orch.outsider.types(f"/orch incident {WHAT}")
        await orch.outsider.sees_privately("*S0-D0-2* is with <@U0LEAD>", "*S0-D0-1* waits for an approver")

        alert = await orch.until(lambda: _alert(orch), "an alert in the channel")
        said = words(alert)
        assert "Checkout answers 500" in said and "<@U0LEAD> <@U0TWO>" in said
        assert "<!channel>" not in str(alert.blocks) and "<!channel>" not in alert.text
        assert str(alert.blocks).count("<@U0TWO>") == 1, "everybody is named once"
        for person in (orch.lead, orch.two):
            await person.gets("Incident", "Checkout answers 500")

        fix = await orch.channel.shows("S0-D0-1", "critical priority", "R-ESC-6", state="Blocked")
        assert {"Escalate to Opus", "Take over"} <= set(fix.buttons)
        await orch.channel.shows("S0-D0-2", "<@U0LEAD>", "critical priority", state="With a person")
        await orch.lead.gets("S0-D0-2", "is for you")
        assert orch.models.asked() == [], "nothing is paid before an approver's click"

        await orch.dev.clicks("Escalate to Opus", on=alert)
        await orch.dev.sees_privately("Only an approver")
        orch.models.answer(edits(create("docs/fix.md", "fixed\n")), model=OPUS)
        await orch.two.clicks("Escalate to Opus", on=alert)
        await orch.channel.shows("S0-D0-1", "opus", state="Awaiting approval")
        await orch.two.clicks("Take over", on=alert)
        await orch.channel.shows("S0-D0-2", "<@U0TWO>", state="With a person")
        await orch.two.types("/orch done S0-D0-2")
        await orch.channel.shows("S0-D0-2", state="Done")
        await orch.books.agree()


async def test_an_incident_is_reported_once(orch: Orch) -> None:
    orch.world.faults.duplicate = True
    await orch.dev.types("/orch incident The log-in is down")
    await orch.channel.shows("S0-D0-2", state="With a person")
    await orch.channel.shows("S0-D0-1", state="Blocked")
    assert await orch.tasks() == ["S0-D0-1", "S0-D0-2"]
    await orch.until(lambda: _alert(orch), "an alert in the channel")
    assert len([m for m in orch.world.messages(CHANNEL) if "*Incident*" in words(m)]) == 1
    assert (await orch.row("S0-D0-1")).route["security"], "the floor is found in its words (R-SEC-1)"


def _alert(orch: Orch) -> Message | None:
    return next((m for m in orch.world.messages(CHANNEL) if "*Incident*" in words(m)), None)
