"""Approve, request changes, reject: who may, on which commit, and what is merged (R-APR, R-SEC-4)."""

from __future__ import annotations

import asyncio

import pytest

from bot.local.sample import EXAMPLES
from tests.acceptance.conversation import Orch
from tests.acceptance.models import HAIKU, create, edits

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_TICKED = ["1", "2", "3", "4"]


async def _awaiting(orch: Orch, path: str, options: str = "") -> str:
    task = await orch.dev.assigns(f"Document the thing --files {path} {options}")
    await orch.channel.shows(task, state="Awaiting approval")
    return task


#: who, what they are told; the task was asked for by dev and is owned by two.
WHO_MAY_NOT = [
    ("dev", "Only an approver, security approver or lead may do that."),
    ("two", "You asked for or own this task, so someone else has to approve it."),
    ("outsider", "Only an approver, security approver or lead may do that."),
    ("guest", "Guests of the workspace may not give orders, so I did nothing."),
    ("stranger", "Members of other workspaces may not give orders, so I did nothing."),
]


async def test_who_may_approve(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/a.md", "--owner @two")
    before = shared.repo.head
    for name, told in WHO_MAY_NOT:
        person = getattr(shared, name)
        await person.clicks("Approve merge", on=task)
        await person.sees_privately(told)
    assert shared.repo.head == before
    card = await shared.channel.shows(task, "owner <@U0TWO>", state="Awaiting approval")
    assert "approved by" not in card.state

    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert shared.lead.said_privately() == [], "the card tells it"


async def test_who_may_send_back(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/b.md")
    for person in (shared.outsider, shared.guest, shared.stranger):
        for label in ("Request changes", "Reject"):
            await person.clicks(label, on=task)
            await person.sees_privately("may")
            assert shared.world.open_view(person.id) is None, "no form is opened for nothing"


async def test_a_stale_button_merges_nothing(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/c.md")
    before = shared.repo.head
    await shared.lead.clicks("Approve merge", on=task, forge={"value": f"GRANTER|{task}|{'0' * 40}"})
    await shared.lead.sees_privately("has a new commit since that message", "decide on the card")
    for value in ("", "GRANTER", "a|b|c|d", "||", f"NOPE|{task}|x", "GRANTER|S9-D9-9|x"):
        await shared.lead.clicks("Approve merge", on=task, forge={"value": value})
        assert await shared.lead.sees_privately("")
    assert shared.repo.head == before
    assert (await shared.row(task)).state == "awaiting_approval"


async def test_a_double_click_merges_once(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/d.md")
    before = shared.repo.head
    await asyncio.gather(
        shared.lead.clicks("Approve merge", on=task),
        shared.lead.clicks("Approve merge", on=task),
        shared.two.clicks("Approve merge", on=task),
    )
    await shared.channel.shows(task, state="Merged")
    assert shared.repo.git("rev-list", "--count", f"{before}..main") == "1"
    assert [e.kind for e in await shared.events(task)].count("merged") <= 1
    assert not [m for m in shared.lead.said_privately() if "went wrong" in m]


async def test_a_persons_reason_feeds_the_next_attempt(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/e.md")
    old_card, old = await shared.channel.shows(task), (await shared.row(task)).head_commit
    shared.models.answer(edits(create("docs/e.md", "in Portuguese\n")), model=HAIKU)
    await shared.two.clicks("Request changes", on=task)
    assert (await shared.two.submits(reason="  ")).errors.keys() == {"reason"}
    await shared.two.submits(reason="Write it in Portuguese, <@U0DEV> & all")
    await shared.channel.thread_shows(task, "<@U0TWO> asked for changes: Write it in Portuguese")
    await shared.channel.shows(task, state="Awaiting approval", new_since=old_card)

    second = _asked(shared, task)[1]
    assert "A person asked for changes: Write it in Portuguese" in second.text
    assert "Rehearsal" in second.text, "it builds on the same commit"
    row = await shared.row(task)
    assert (row.attempt, row.route["rung"]) == (2, "haiku") and row.head_commit != old

    await shared.lead.clicks("Approve merge", on=task, forge={"value": f"GRANTER|{task}|{old}"})
    await shared.lead.sees_privately("has a new commit since that message")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    assert shared.repo.file("docs/e.md") == "in Portuguese"
    await shared.books.agree()


async def test_reject_ends_it(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/f.md")
    before = shared.repo.head
    await shared.dev.clicks("Reject", on=task)
    await shared.dev.submits(reason="We do not need it")
    card = await shared.channel.shows(task, state="Rejected")
    assert card.buttons == ["Retry"]
    await shared.channel.thread_shows(task, "<@U0DEV> rejected the change: We do not need it")
    assert shared.repo.head == before


async def test_a_form_that_is_out_of_date_does_nothing(shared: Orch) -> None:
    task = await _awaiting(shared, "docs/g.md")
    await shared.two.clicks("Request changes", on=task)
    form = await shared.two.form()
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    await shared.two.submits(reason="Too late")
    await shared.two.sees_privately("is merged, so there is no change to send back")
    assert form.id not in shared.world.views


async def test_a_security_task_needs_two_and_the_checklist(shared: Orch) -> None:
    task = await shared.dev.assigns(EXAMPLES[2].text)
    card = await shared.channel.shows(task, ":lock: security task", state="Awaiting approval")
    assert "sonnet" in card.part("facts")
    before = shared.repo.head

    await shared.two.clicks("Approve merge", on=task)
    assert "checklist" in (await shared.two.submits(checklist=["1", "3"])).errors
    await shared.two.submits(checklist=ALL_TICKED)
    await shared.channel.thread_shows(task, "needs two people's approval; it has 1")
    await shared.channel.shows(task, "approved by <@U0TWO>", state="Awaiting approval")
    await shared.two.clicks("Approve merge", on=task)
    await shared.two.submits(checklist=ALL_TICKED)
    assert shared.repo.head == before, "nobody counts twice"

    await shared.lead.clicks("Approve merge", on=task)
    await shared.lead.submits(checklist=ALL_TICKED)
    await shared.channel.shows(task, state="Merged")
    assert "Approved-by: U0TWO\nApproved-by: U0LEAD" in shared.repo.message()


async def test_a_new_commit_voids_approvals_and_says_so(shared: Orch) -> None:
    task = await shared.dev.assigns("Document h --files docs/h.md --security --model sonnet")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.two.clicks("Approve merge", on=task)
    await shared.two.submits(checklist=ALL_TICKED)
    old_card = await shared.channel.shows(task, "approved by <@U0TWO>")
    await shared.lead.clicks("Request changes", on=task)
    await shared.lead.submits(reason="Say more")
    await shared.channel.thread_shows(task, "A new commit is made, so 1 earlier approval no longer counts")
    card = await shared.channel.shows(task, state="Awaiting approval", new_since=old_card)
    assert "approved by" not in card.state


async def test_haiku_is_never_given_a_security_task(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("/orch assign Rename the auth token variable --model haiku")
    await shared.dev.sees_privately("haiku")
    rows = [await shared.row(task) for task in (await shared.tasks())[len(before) :]]
    assert all(row.route["rung"] == "sonnet" and row.route["security"] for row in rows)


def _asked(orch: Orch, task: str) -> list:
    return [call for call in orch.models.asked(HAIKU) if f"/{task}/" in call.call_id]
