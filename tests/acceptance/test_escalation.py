"""Who works next when an attempt fails, and what people decide about it (R-ESC, R-APR)."""

from __future__ import annotations

import pytest

from tests.acceptance.conversation import Orch
from tests.acceptance.models import (
    GEMINI,
    HAIKU,
    OPUS,
    SONNET,
    Reply,
    approves,
    asks_for_changes,
    create,
    edits,
    finding,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEYOND = Reply(text="BEYOND: this needs an architect")


async def _beyond_sonnet(orch: Orch, path: str, *options: str) -> str:
    orch.models.answer(BEYOND, model=SONNET)
    task = await orch.dev.assigns(f"Change the rules of instalments --files {path} --model sonnet {' '.join(options)}")
    await orch.channel.shows(task, state="Blocked")
    return task


async def test_from_haiku_to_opus_by_way_of_an_approver(shared: Orch) -> None:
    """R-ESC-1, R-ESC-4, R-ESC-6, R-ESC-8, and what each rung is told of the ones before."""
    bad, good = edits(create("docs/a.md", "bad\n")), edits(create("docs/a.md", "good\n"))
    for rung in (HAIKU, SONNET):
        shared.models.answer(*[bad] * 4, model=rung)
    task = await shared.dev.assigns('Document a --files docs/a.md --check "grep good docs/a.md"')
    card = await shared.channel.shows(task, "two attempts failed the same way at sonnet", state="Blocked")
    assert card.buttons == ["Retry", "Escalate to Opus", "Split", "Take over", "Reassign", "Stop"]
    alert = await shared.lead.gets(task, "*Escalate to Opus* needs an approver's click")

    await shared.dev.clicks("Escalate to Opus", on=task)
    await shared.dev.sees_privately("Only an approver", "was left as it is")
    assert shared.models.asked(OPUS) == []
    shared.models.answer(good, model=OPUS)
    await shared.lead.clicks("Escalate to Opus", on=alert)
    await shared.channel.shows(task, "opus", state="Awaiting approval")
    (asked,) = [c for c in shared.models.asked(OPUS) if f"/{task}/" in c.call_id]
    assert "grep good docs/a.md" in asked.text and "Learned from an earlier attempt" in asked.text
    assert len(asked.body["messages"]) == 1, "a fresh conversation"
    assert asked.text.count("$ grep good docs/a.md  (ended with 1)") == 1, "the same lesson is told once"
    (call,) = [c for c in await shared.books.calls() if c.rung == "opus" and f"/{task}/" in c.id]
    assert call.reserved_tokens <= (await shared.row(task)).token_budget, "its own budget, and no more"
    await shared.books.agree()


async def test_an_approval_of_opus_is_for_one_attempt(shared: Orch) -> None:
    task = await _beyond_sonnet(shared, "granter/b.py")
    shared.models.answer(edits(create("granter/b.py", "x = 1\n")), model=OPUS)
    shared.models.answer(asks_for_changes(finding("high", "x is 2", "granter/b.py")), model=GEMINI)
    await shared.two.clicks("Escalate to Opus", on=task)
    card = await shared.channel.shows(task, "every attempt at opus needs a person's approval", state="Blocked")
    assert "Escalate to Opus" in card.buttons
    asked = len(shared.models.asked(OPUS))
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, "*Blocked* · opus needs a person's approval")
    assert len(shared.models.asked(OPUS)) == asked, "a retry is no approval"

    shared.models.answer(edits(create("granter/b.py", "x = 2\n")), model=OPUS)
    await shared.two.clicks("Escalate to Opus", on=task)
    card = await shared.channel.shows(task, state="Awaiting approval")
    shared.models.answer(edits(create("granter/b.py", "x = 3\n")), model=OPUS)
    await shared.lead.clicks("Request changes", on=task)
    await shared.lead.submits(reason="Say three")
    await shared.channel.thread_shows(task, "Say three")
    await shared.channel.shows(task, state="Awaiting approval", new_since=card)
    row = await shared.row(task)
    assert (row.attempt, row.route["rung"]) == (4, "opus"), "who may approve opus does, by asking for changes"
    await shared.books.agree()


async def test_a_task_is_taken_over(shared: Orch) -> None:
    task = await _beyond_sonnet(shared, "granter/c.py", '--check "python3 -m granter"')
    await shared.outsider.clicks("Take over", on=task)
    await shared.outsider.sees_privately("Only an owner, approver, security approver or lead")
    await shared.two.clicks("Take over", on=task)
    card = await shared.channel.shows(task, "<@U0TWO>", state="With a person")
    assert card.buttons == ["Mark done", "Blocked", "Hand over", "Stop"]
    told = await shared.two.gets(task, "is for you", "Before you mark it done", "`python3 -m granter` passes")
    await shared.dev.types(f"/orch done {task}")
    await shared.dev.sees_privately("Only an owner or lead")
    await shared.two.clicks("Mark done", on=told)
    await shared.two.submits(seen="It works")
    await shared.channel.shows(task, state="Done")
    await shared.books.agree()


async def test_takeover_by_command_ends_an_attempt_under_way(shared: Orch) -> None:
    shared.models.answer(Reply(text="Done.", edits=(create("docs/d.md", "d\n"),), delay_seconds=600), model=HAIKU)
    task = await shared.dev.assigns("Document d --files docs/d.md")
    await shared.channel.shows(task, state="Working")
    await shared.until(lambda: shared.models.asked_for(task), "the call")
    await shared.dev.types(f"/orch takeover {task}")
    await shared.dev.sees_privately("yours now")
    await shared.channel.shows(task, "<@U0DEV>", state="With a person")
    await shared.dev.types(f"/orch reassign {task} haiku")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.books.agree()


async def test_reassign_to_a_model(shared: Orch) -> None:
    task = await _beyond_sonnet(shared, "granter/e.py")
    await shared.dev.types(f"/orch reassign {task} opus")
    await shared.dev.sees_privately("Only an approver")
    await shared.dev.types(f"/orch reassign {task} gemini")
    await shared.dev.sees_privately("gemini cannot do", "it changes no files")
    await shared.outsider.types(f"/orch reassign {task} haiku")
    await shared.outsider.sees_privately("Only a requester")
    await shared.dev.types(f"/orch reassign {task} haiku")
    await shared.dev.sees_privately("queued for haiku")
    await shared.channel.shows(task, "haiku", state="Awaiting approval")


async def test_haiku_gets_no_security_task_by_reassigning(shared: Orch) -> None:
    shared.models.answer(BEYOND, model=SONNET)
    task = await shared.dev.assigns("Check the expiry of JWT tokens --files granter/auth.py")
    await shared.channel.shows(task, state="Blocked")
    await shared.lead.types(f"/orch reassign {task} haiku")
    await shared.lead.sees_privately("never goes to haiku", "R-SEC-1")
    assert (await shared.row(task)).route["rung"] == "sonnet"
    await shared.lead.types(f"/orch cancel {task}")


async def test_reassign_to_a_person_by_the_form(shared: Orch) -> None:
    task = await _beyond_sonnet(shared, "granter/g.py")
    await shared.dev.clicks("Reassign", on=task)
    wrong = await shared.dev.submits()
    assert "one of the two" in wrong.errors["rung"]
    await shared.dev.submits(user="U0TWO")
    await shared.channel.shows(task, "<@U0TWO>", state="With a person")
    await shared.two.gets(task, "is for you, says <@U0DEV>")
    await shared.dev.types(f"/orch reassign {task} <@U0GUEST>")
    await shared.dev.sees_privately("guests of the workspace")
    await shared.dev.types(f"/orch reassign {task} <@U0DEV>")
    await shared.dev.sees_privately("Only an owner or lead")
    await shared.two.types(f"/orch reassign {task} <@U0DEV>")
    await shared.channel.shows(task, "<@U0DEV>", state="With a person")


async def test_block_and_unblock(shared: Orch) -> None:
    held = await _beyond_sonnet(shared, "granter/h.py")
    task = await shared.dev.assigns(f"Document h --files docs/h.md --after {held}")
    await shared.outsider.types(f"/orch block {task} because")
    await shared.outsider.sees_privately("Only a requester")
    await shared.lead.types(f"/orch block {task} the staging keys are missing")
    await shared.channel.shows(task, "the staging keys are missing", state="Blocked")
    await shared.dev.gets(task, "the staging keys are missing")
    await shared.dev.types(f"/orch unblock {held}")
    await shared.dev.sees_privately(held, "queued again")
    await shared.channel.shows(held, state="Awaiting approval")
    await shared.lead.clicks("Approve merge", on=held)
    await shared.channel.shows(held, state="Merged")
    await shared.dev.types(f"/orch unblock {task}")
    await shared.channel.shows(task, state="Awaiting approval")
    assert any("solved: the staging keys" in event.why for event in await shared.events(task))
    await shared.dev.types(f"/orch unblock {task}")
    await shared.dev.sees_privately("nothing has to be unblocked")


async def test_poor_quality_goes_to_sonnet(shared: Orch) -> None:
    """R-ESC-5: three attempts that the review was not content with."""
    for n in range(3):
        shared.models.answer(edits(create("docs/i.md", f"{n}\n")), model=HAIKU)
        shared.models.answer(asks_for_changes(finding("high", f"Not {n}", "docs/i.md")), model=GEMINI)
    shared.models.answer(edits(create("docs/i.md", "well\n")), model=SONNET)
    shared.models.answer(approves(9), model=GEMINI)
    task = await shared.dev.assigns("Document i --files docs/i.md")
    await shared.channel.shows(task, "sonnet", state="Awaiting approval")
    assert "R-ESC-5" in [event.detail.get("rule") for event in await shared.events(task)]
    (asked,) = [c for c in shared.models.asked(SONNET) if f"/{task}/" in c.call_id]
    assert all(f"Not {n}" in asked.text for n in range(3))


AUDITS = {
    "words": Reply(text="CRITICAL: granter/auth.py:17 accepts any token"),
    "verdict": asks_for_changes(finding("critical", "It accepts any token", "granter/auth.py")),
}


@pytest.mark.parametrize("form", AUDITS)
async def test_a_critical_finding_of_a_security_review_proposes_opus(shared: Orch, form: str) -> None:
    """R-ESC-6: opus looks again, and recommends; a reviewer may answer in the form of a verdict, too."""
    shared.models.answer(AUDITS[form], model=GEMINI)
    task = await shared.dev.assigns("Security review of the JWT check in granter/auth.py --type review")
    await shared.channel.thread_shows(task, "accepts any token")
    card = await shared.channel.shows(task, "found something critical", state="Blocked")
    assert "Escalate to Opus" in card.buttons and "Split" not in card.buttons
    shared.models.answer(Reply(text="CRITICAL: it does. Recommendation: verify the signature."), model=OPUS)
    await shared.two.clicks("Escalate to Opus", on=task)
    await shared.channel.shows(task, "opus", state="Done")
    await shared.channel.thread_shows(task, "Recommendation: verify the signature")
    (asked,) = [c for c in shared.models.asked(OPUS) if f"/{task}/" in c.call_id]
    assert "accepts any token" in asked.text
    await shared.books.agree()
