"""A report that was paid for is kept. In a file of its own: its bot cannot live beside a file's shared one."""

from __future__ import annotations

from tests.acceptance.conversation import Orch
from tests.acceptance.models import GEMINI, Reply
from tests.acceptance.test_reviews import no_room


async def test_a_report_that_was_paid_for_is_kept_when_it_cannot_be_told(orch: Orch) -> None:
    """With a bot of its own: a report begins an attempt, and this file's reviews take most of gemini's day."""
    orch.models.answer(Reply(text="In src/total.py."), Reply(text="Nowhere."), model=GEMINI)
    async with no_room(orch, "outbox", "NEW.key LIKE '%/report-1'"):
        task = await orch.dev.assigns("Where is the total rounded? --type search")
        await orch.channel.shows(task, "Orch's database failed", "nothing is paid for again", state="Blocked")
    await orch.dev.clicks("Retry", on=task)
    await orch.channel.thread_shows(task, "In src/total.py.")
    await orch.channel.shows(task, state="Done")
    assert [c.purpose for c in await orch.books.calls() if f"/{task}/" in c.id] == ["report"]
    await orch.books.agree()
