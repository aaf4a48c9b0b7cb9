"""Who waits for whom: files, dependencies, and the order of things (R-PAR)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import HAIKU, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_two_tasks_on_one_file_never_run_together(shared: Orch) -> None:
    first = await shared.dev.assigns("Document a --files docs/a.md,docs/a2.md")
    second = await shared.two.assigns("Document more of a --files docs/a.md")
    await shared.channel.shows(second, f"waiting for {first}: docs/a.md", state="Queued")
    await shared.channel.shows(first, state="Awaiting approval")
    await shared.dev.types(f"/orch status {second}")
    await shared.dev.sees_privately(f"waiting for {first}: docs/a.md")
    assert (await shared.row(second)).attempt == 0

    await shared.lead.clicks("Approve merge", on=first)
    await shared.channel.shows(second, state="Awaiting approval")  # it started by itself
    row = await shared.row(second)
    assert row.base_commit == (await shared.row(first)).merge_commit, "and on top of the first"


async def test_a_waiting_task_starts_when_the_first_is_stopped(shared: Orch) -> None:
    first = await shared.dev.assigns("Document b --files docs/b.md")
    second = await shared.dev.assigns("Document b too --files docs/b.md")
    await shared.channel.shows(first, state="Awaiting approval")
    await shared.dev.types(f"/orch cancel {first}")
    await shared.channel.shows(first, state="Stopped")
    await shared.channel.shows(second, state="Awaiting approval")


async def test_after_waits_for_the_merge(shared: Orch) -> None:
    first = await shared.dev.assigns("Document c --files docs/c.md")
    second = await shared.dev.assigns(f"Document d --files docs/d.md --after {first}")
    await shared.channel.shows(second, f"waiting for {first}", state="Queued")
    await shared.channel.shows(first, state="Awaiting approval")
    assert (await shared.row(second)).state == "queued"
    await shared.lead.clicks("Approve merge", on=first)
    await shared.channel.shows(second, state="Awaiting approval")


async def test_after_a_task_that_was_stopped_says_so(shared: Orch) -> None:
    first = await shared.dev.assigns("Document e --files docs/e.md")
    second = await shared.dev.assigns(f"Document f --files docs/f.md --after {first}")
    await shared.channel.shows(first, state="Awaiting approval")
    await shared.dev.types(f"/orch cancel {first}")
    await shared.channel.shows(second, f"waiting for {first}, which is cancelled", state="Queued")


async def test_stop_means_stop(shared: Orch) -> None:
    shared.models.answer(Reply(delay_seconds=600, text="too late"), model=HAIKU)
    task = await shared.dev.assigns("Document g --files docs/g.md")
    await shared.channel.shows(task, state="Working")
    await shared.until(lambda: shared.models.asked_for(task), "the call")
    await shared.outsider.clicks("Stop", on=task)
    await shared.outsider.sees_privately("Only a", "was left as it is")
    await shared.dev.clicks("Stop", on=task)
    card = await shared.channel.shows(task, state="Stopped")
    assert card.buttons == ["Retry"]
    await shared.dev.types(f"/orch cancel {task}")
    await shared.dev.sees_privately("is stopped")
    assert (await shared.row(task)).state == "cancelled"
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Awaiting approval")
    mine = [call for call in await shared.books.calls() if f"/{task}/" in call.id]
    assert [call.state for call in mine] == ["unknown", "settled", "settled"], "what was cut off is charged in full"
    await shared.books.agree()


async def test_nothing_waits_for_what_it_does_not_touch(shared: Orch) -> None:
    shared.models.answer(Reply(delay_seconds=1.0, text="BEYOND: slow"), model=HAIKU, text="Document h1")
    slow = await shared.dev.assigns("Document h1 --files docs/h1.md")
    quick = await shared.dev.assigns("Document h2 --files docs/h2.md")
    await shared.channel.shows(quick, state="Awaiting approval")
    await shared.channel.shows(slow, state="Awaiting approval")


async def test_a_quote_shows_the_place_in_the_queue(shared: Orch) -> None:
    first = await shared.dev.assigns("Document i --files docs/i.md")
    before = await shared.tasks()
    await shared.two.types("/orch assign Document i again --files docs/i.md --dry-run")
    quote = await shared.two.sees_privately("*Quote*", "Nothing was started")
    for part in ("haiku (claude-haiku-5-5)", "R-RT-1", "% sure", "at most 20k per attempt", f"waiting for {first}"):
        assert part in quote
    assert await shared.tasks() == before
