"""What can stand between an approval and the branch (DESIGN, "Merge"; R-APR-1)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import GEMINI, HAIKU, asks_for_changes, create, edits, finding, replace

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _calls(orch: Orch, task: str) -> int:
    """How many calls were made for this task; those of other tests may still be under way."""
    return sum(f"/{task}/" in call.call_id for call in orch.models.asked())


async def _awaiting(orch: Orch, path: str, options: str = "") -> str:
    task = await orch.dev.assigns(f"Document the thing --files {path} {options}")
    await orch.channel.shows(task, state="Awaiting approval")
    return task


async def test_a_dirty_tree_is_not_touched(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/a.md")
    before = shared.repo.head
    shared.repo.write("README.md", "a person is at work here\n")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "Not merged yet")
    card = await shared.channel.shows(task, state="Awaiting approval")
    assert shared.repo.head == before
    assert shared.repo.git("status", "--porcelain") == "M README.md"
    assert "Approve merge" in card.buttons

    shared.repo.git("checkout", "--", "README.md")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert (shared.repo.path / "docs/a.md").exists()


async def test_a_base_that_moved_elsewhere_is_built_upon(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/b.md", '--check "true"')
    moved = shared.repo.commit(docs__elsewhere_dot_md="meanwhile\n")
    await shared.lead.clicks("Approve merge", on=task)
    card = await shared.channel.shows(task, state="Merged")
    assert shared.repo.git("rev-parse", "main^") == moved
    assert shared.repo.file("docs/elsewhere.md") and shared.repo.file("docs/b.md")
    assert ":white_check_mark: true" in card, "checked again on the exact commit that was merged"
    assert (await shared.row(task)).attempt == 1


async def test_a_base_that_changed_the_same_file_voids_the_approval(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/c.md")
    old_card = await shared.channel.shows(task)
    shared.repo.commit(docs__c_dot_md="a person was faster\n")
    shared.models.answer(edits(create("docs/c.md", "a person was faster\nand so was I\n")), model=HAIKU)
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "main changed the same files meanwhile")
    await shared.channel.thread_shows(task, "1 earlier approval no longer counts")
    card = await shared.channel.shows(task, state="Awaiting approval", new_since=old_card)
    assert "approved by" not in card.state
    assert "a person was faster" in _asked(shared, task)[1].text, "it starts from the moved base"
    assert shared.repo.file("docs/c.md") == "a person was faster"
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert shared.repo.file("docs/c.md") == "a person was faster\nand so was I"
    await shared.books.agree()


async def test_a_conflict_goes_back_to_the_task(shared: Orch) -> None:
    task = await shared.dev.assigns("Document the thing in a page called docs/d")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.until(lambda: _paths(shared, task), "the diff")
    (page,) = _paths(shared, task)
    shared.repo.write(f"{page}/in/the/way.md", "x\n")
    shared.repo.commit()
    before = shared.repo.head
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "Not merged yet")
    assert shared.repo.head == before
    card = await shared.channel.settles(task)
    assert "approved by" not in card.state


async def test_checks_that_fail_on_the_candidate_stop_the_merge(shared: Orch) -> None:
    """R-PAR-4: they run again on the exact commit that is to be merged."""
    check = "test ! -e docs/poison.md"
    task = await _awaiting(shared, "docs/e.md", f'--check "{check}"')
    shared.repo.commit(docs__poison_dot_md="x\n")
    before = shared.repo.head
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "Not merged yet")
    assert shared.repo.head == before
    await shared.channel.shows(task, state="Blocked")
    shared.repo.git("rm", "-q", "docs/poison.md")
    shared.repo.commit()


async def test_a_remote_out_of_reach_costs_neither_the_attempt_nor_the_approval(shared: Orch) -> None:
    """R-APR-1: Retry goes on with the merge of the very commit that was approved."""
    task = await _awaiting(shared, "docs/g.md")
    paid, head = _calls(shared, task), (await shared.row(task)).head_commit
    away = shared.repo.path.rename(shared.repo.path.with_name("out-of-reach"))
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Blocked")
    await shared.dev.gets(f"*{task}* is blocked", "and so are its approvals: *Retry* goes on with the merge")
    await shared.dev.types(f"/orch block {task} the network is down")
    await shared.channel.shows(task, "the network is down", state="Blocked")

    away.rename(shared.repo.path)
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Merged")
    assert _calls(shared, task) == paid, "nothing was paid for again"
    assert (await shared.row(task)).head_commit == head
    assert "Approved-by: U0LEAD" in shared.repo.message()
    await shared.books.agree()


async def test_blocked_and_unblocked_it_awaits_the_same_approvals(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/h.md", "--security --model sonnet")
    paid = _calls(shared, task)
    await shared.two.clicks("Approve merge", on=task)
    await shared.two.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.shows(task, "approved by <@U0TWO>")
    await shared.dev.types(f"/orch block {task} wait for the release")
    await shared.channel.shows(task, state="Blocked")
    await shared.dev.types(f"/orch unblock {task}")
    await shared.channel.shows(task, "approved by <@U0TWO>", state="Awaiting approval")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.lead.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.shows(task, state="Merged")
    assert _calls(shared, task) == paid


async def test_escalated_it_needs_new_approvals_and_says_so(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/i.md", "--security --model sonnet")
    await shared.two.clicks("Approve merge", on=task)
    await shared.two.submits(checklist=["1", "2", "3", "4"])
    await shared.channel.shows(task, "approved by <@U0TWO>")
    await shared.dev.types(f"/orch block {task} not good enough")
    await shared.channel.shows(task, state="Blocked")
    await shared.lead.clicks("Escalate to Opus", on=task)
    await shared.channel.thread_shows(task, "1 earlier approval no longer counts")
    card = await shared.channel.shows(task, "opus", state="Awaiting approval")
    assert "approved by" not in card.state
    assert "*Why opus* · Escalated to opus by a person. (R-ESC-8)" in card.part("why")


async def test_hooks_of_the_repository_never_run(shared: Orch) -> None:
    witness = shared.home / "a-hook-ran"
    for name in ("pre-commit", "post-commit", "post-merge", "pre-push", "reference-transaction", "post-checkout"):
        hook = shared.repo.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {witness}\n")
        hook.chmod(0o755)
    task = await _awaiting(shared, "docs/f.md")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert not witness.exists(), witness.read_text()


def _asked(orch: Orch, task: str) -> list:
    return [call for call in orch.models.asked(HAIKU) if f"/{task}/" in call.call_id]


def _paths(orch: Orch, task: str) -> list[str]:
    files = orch.channel.threads_files(task)
    return [line[6:] for text in files.values() for line in text.splitlines() if line.startswith("+++ b/")]


PAGE = "# Page\n\nfirst\n\n\n\n\n\n\n\nlast\n"


async def test_a_base_that_changed_other_lines_of_the_file_costs_a_review_and_no_attempt(shared: Orch) -> None:
    """R-APR-1: what would come out is another commit, so gemini and people look at it anew."""
    shared.repo.commit(docs__r_dot_md=PAGE)
    shared.models.answer(edits(replace("docs/r.md", "last", "mine")), model=HAIKU)
    task = await _awaiting(shared, "docs/r.md")
    first, old = await shared.row(task), await shared.channel.shows(task)
    shared.repo.commit(docs__r_dot_md=PAGE.replace("first", "theirs"))
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "main changed the same files meanwhile")
    await shared.channel.thread_shows(task, "1 earlier approval no longer counts")
    card = await shared.channel.shows(task, state="Awaiting approval", new_since=old)
    assert "approved by" not in card.state
    row = await shared.row(task)
    assert (row.attempt, row.head_commit != first.head_commit, row.base_commit) == (1, True, shared.repo.head)
    paid = [(call.purpose, call.rung) for call in await shared.books.calls() if f"/{task}/" in call.id]
    assert paid == [("edit", "haiku"), ("review", "gemini"), ("review", "gemini")]
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert shared.repo.file("docs/r.md") == PAGE.replace("first", "theirs").replace("last", "mine").strip()
    await shared.books.agree()


async def test_a_conflict_of_mended_work_starts_from_the_moved_base(shared: Orch) -> None:
    """Its attempt built on an earlier one's commit, which is on the old base: that is not built on again."""
    shared.repo.commit(docs__s_dot_md=PAGE)
    mended = [edits(replace("docs/s.md", "last", "bad")), edits(replace("docs/s.md", "bad", "good"))]
    shared.models.answer(*mended, edits(replace("docs/s.md", "theirs", "good")), model=HAIKU, text="docs/s.md")
    shared.models.answer(asks_for_changes(finding("high", "it is bad", "docs/s.md")), model=GEMINI)
    task = await _awaiting(shared, "docs/s.md")
    old = await shared.channel.shows(task)
    shared.repo.commit(docs__s_dot_md=PAGE.replace("last", "theirs"))
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.thread_shows(task, "conflicts in docs/s.md")
    await shared.channel.shows(task, state="Awaiting approval", new_since=old)
    row = await shared.row(task)
    assert (row.attempt, row.base_commit) == (3, shared.repo.head), "one attempt more, and no more"
    assert "theirs" in _asked(shared, task)[-1].text
    await shared.books.agree()
