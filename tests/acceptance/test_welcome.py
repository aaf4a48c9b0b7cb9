"""The first words in a channel, and what their buttons teach (issue 5, item 6)."""

from __future__ import annotations

from tests.acceptance.card import CHANNEL, buttons, words
from tests.acceptance.conftest import Starting


async def test_orch_says_hello_once_and_teaches_by_buttons(starting: Starting) -> None:
    async with starting(policy={"welcome": True}) as orch:
        hello = await orch.until(
            lambda: next((m for m in orch.world.messages(CHANNEL) if "Hello, I am Orch" in words(m)), None), "a hello"
        )
        assert [label for label, _ in buttons(hello)] == ["Assign a task", "Show me around", "Load the example plan"]
        assert "<@" not in words(hello) and "<!" not in words(hello), "nobody is called for it"

        await orch.outsider.clicks("Show me around", on=hello)
        await orch.outsider.sees_privately("in five steps", "*4. Approve.* <@U0TWO>, <@U0LEAD> may")
        await orch.outsider.clicks("Load the example plan", on=hello)
        await orch.outsider.sees_privately("lead")
        await orch.lead.clicks("Load the example plan", on=hello)
        await orch.lead.sees_privately("is loaded into GRANTER", "Nothing was started")

        await orch.dev.clicks("Assign a task", on=hello)
        assert "Hello" not in str(await orch.dev.form()), "the form does not begin with what Orch said"
        await orch.dev.submits(text="Water the plants", model="manual")
        await orch.channel.shows("S0-D0-1", state="With a person")

    async with starting(policy={"welcome": True}, slack=None) as again:
        task = await again.dev.assigns("Water them again --model manual")
        await again.channel.shows(task, state="With a person")
        assert not any("Hello" in words(m) for m in again.world.messages(CHANNEL)), "not where there is work already"
