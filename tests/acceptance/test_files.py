"""Two tasks and one file that neither declared: the second gives way, waits, and goes on by itself (R-PAR-2). What it
was paid for is kept, and nobody pays for it again."""

from __future__ import annotations

import pytest

from bot.local.models import Reply
from bot.local.sample import create
from tests.acceptance.conversation import Orch
from tests.acceptance.models import HAIKU, OPUS, SONNET, edits, replace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "# Page\n\nfirst\n\n\n\n\n\n\n\nlast\n"


async def _holder(orch: Orch, name: str) -> str:
    """A task that holds a page until it is merged: it changed its first line."""
    orch.repo.commit(**{f"docs__{name}_dot_md": PAGE})
    orch.models.answer(edits(replace(f"docs/{name}.md", "first", "changed by the first")), text=f"Describe {name} one")
    task = await orch.dev.assigns(f"Describe {name} one thing in the documentation --type docs")
    await orch.channel.shows(task, state="Awaiting approval")
    return task


def _asked(orch: Orch, task: str, model: str = "") -> int:
    return sum(f"/{task}/" in call.call_id for call in orch.models.asked(model))


async def test_the_commit_goes_on_when_the_file_is_free(shared: Orch) -> None:
    """Opus's one paid attempt is what the approval was for: a file that is held does not cost it (R-ESC-8)."""
    first = await _holder(shared, "a")
    shared.models.answer(Reply(text="BEYOND: this needs an architect"), model=SONNET)
    second = await shared.dev.assigns("Describe a two things in the documentation --type docs --model sonnet")
    await shared.channel.shows(second, state="Blocked")
    shared.models.answer(edits(replace("docs/a.md", "last", "changed by the second")), model=OPUS)
    await shared.lead.clicks("Escalate to Opus", on=second)
    await shared.channel.shows(second, f"waiting for {first}: docs/a.md", state="Queued")

    await shared.lead.clicks("Approve merge", on=first)
    await shared.channel.shows(second, state="Awaiting approval")
    assert _asked(shared, second, OPUS) == 1, "one approval, one paid attempt"
    await shared.lead.clicks("Approve merge", on=second)
    await shared.channel.shows(second, state="Merged")
    assert (
        shared.repo.file("docs/a.md")
        == PAGE.replace("first", "changed by the first").replace("last", "changed by the second").strip()
    )
    kinds = [event.kind for event in await shared.events(second)]
    assert (kinds.count("attempt"), kinds.count("file_held"), kinds.count("goes_on")) == (2, 1, 1)
    await shared.books.agree()


async def test_a_repair_builds_on_the_commit_that_waited(shared: Orch) -> None:
    first = await _holder(shared, "b")
    answers = [edits(replace("docs/b.md", "last", "a second")), edits(replace("docs/b.md", "a second", "the second"))]
    shared.models.answer(*answers, model=HAIKU, text="Describe b two")
    check = '--check "grep the.second docs/b.md"'
    second = await shared.dev.assigns(f"Describe b two things in the documentation --type docs {check}")
    await shared.channel.shows(second, f"waiting for {first}: docs/b.md", state="Queued")
    await shared.lead.clicks("Approve merge", on=first)
    await shared.channel.shows(second, state="Awaiting approval")
    assert (await shared.row(second)).attempt == 1
    await shared.lead.clicks("Approve merge", on=second)
    await shared.channel.shows(second, state="Merged")
    assert (
        shared.repo.file("docs/b.md")
        == PAGE.replace("first", "changed by the first").replace("last", "the second").strip()
    )
    await shared.books.agree()


async def test_what_conflicts_is_made_anew(shared: Orch) -> None:
    first = await _holder(shared, "c")
    shared.models.answer(edits(create("docs/c.md", "# Mine\n")), model=HAIKU, text="Describe c two")
    second = await shared.dev.assigns("Describe c two things in the documentation --type docs")
    await shared.channel.shows(second, f"waiting for {first}: docs/c.md", state="Queued")
    shared.models.answer(edits(replace("docs/c.md", "last", "mine")), model=HAIKU, text="Describe c two")
    await shared.lead.clicks("Approve merge", on=first)
    await shared.channel.thread_shows(second, "conflicts in docs/c.md")
    await shared.channel.shows(second, state="Awaiting approval")
    assert (await shared.row(second)).attempt == 2
    await shared.books.agree()


async def test_it_is_kept_while_a_person_blocks_it(shared: Orch) -> None:
    first = await _holder(shared, "d")
    shared.models.answer(edits(replace("docs/d.md", "last", "mine")), model=HAIKU, text="Describe d two")
    second = await shared.dev.assigns("Describe d two things in the documentation --type docs")
    await shared.channel.shows(second, f"waiting for {first}: docs/d.md", state="Queued")
    await shared.dev.types(f"/orch block {second} wait for the release")
    await shared.channel.shows(second, "wait for the release", state="Blocked")
    await shared.lead.clicks("Reject", on=first)
    await shared.lead.submits(reason="No")
    await shared.dev.clicks("Retry", on=second)
    await shared.channel.shows(second, state="Awaiting approval")
    assert ((await shared.row(second)).attempt, _asked(shared, second, HAIKU)) == (1, 1)
    await shared.books.agree()


async def test_an_answer_that_could_not_be_applied_is_not_paid_for_again(shared: Orch) -> None:
    """git cannot write the task's branch, after the call was paid for."""
    task = f"S0-D0-{len(await shared.tasks()) + 1}"
    in_the_way = shared.home / "repos" / "GRANTER.git" / "refs" / "heads" / "orch" / task / "in-the-way"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text(f"{shared.repo.head}\n")
    assert await shared.dev.assigns("Describe e in the documentation --files docs/e.md") == task
    await shared.channel.shows(task, "cannot lock ref", state="Blocked")
    await shared.dev.gets(f"*{task}* is blocked", "*Retry* goes on with that, and pays for no new attempt")
    in_the_way.unlink()
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Awaiting approval")
    assert ((await shared.row(task)).attempt, _asked(shared, task, HAIKU)) == (1, 1)
    await shared.books.agree()
