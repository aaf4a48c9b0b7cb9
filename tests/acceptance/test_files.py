"""Two tasks and one file that neither declared: the second gives way, waits, and starts by itself (R-PAR-2)."""

from __future__ import annotations

from bot.local.models import Reply
from bot.local.sample import create
from tests.acceptance.conversation import Orch


async def test_an_undeclared_file_that_another_task_holds(orch: Orch) -> None:
    orch.models.script.on(Reply(edits=(create("docs/same.md", "# One\n"),)), text="Describe one")
    orch.models.script.on(Reply(edits=(create("docs/same.md", "# Two\n"),)), text="Describe two", times=2)
    await orch.dev.assigns("Describe one thing in the documentation --type docs")
    await orch.channel.shows("S0-D0-1", state="Awaiting approval")
    await orch.dev.assigns("Describe two things in the documentation --type docs")
    card = await orch.channel.shows("S0-D0-2", "waiting for S0-D0-1: docs/same.md")
    assert "Queued" in card.state
    await orch.lead.clicks("Approve merge", on="S0-D0-1")
    await orch.channel.shows("S0-D0-1", state="Merged")
    await orch.channel.shows("S0-D0-2", state="Awaiting approval")
    kinds = [event.kind for event in await orch.events("S0-D0-2")]
    assert "file_held" in kinds and kinds.count("attempt") == 2
    await orch.books.agree()
