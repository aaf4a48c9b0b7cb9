"""What a review can say, and what it can fail to say (R-ESC-3, R-SEC-4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from tests.acceptance.conversation import Orch
from tests.acceptance.models import (
    GEMINI,
    HAIKU,
    SONNET,
    Reply,
    approves,
    asks_for_changes,
    create,
    edits,
    finding,
    replace,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_VERDICT = [
    (Reply(text="Looks good to me!"), "not valid JSON"),
    (Reply(text='{"verdict": "approve", "quality_score": 9, "findings": [', stop="MAX_TOKENS"), "cut off"),
    (Reply(review={"verdict": "approve", "quality_score": 11, "findings": []}), "agreed form"),
    (Reply(review={"verdict": "yes", "quality_score": 9, "findings": []}), "agreed form"),
    (Reply(text='{"verdict":"request_changes","quality_score":1,"findings":[],"verdict":"approve"}'), "not valid"),
    (Reply(text="", stop="SAFETY"), "SAFETY"),
]


async def test_the_next_attempt_builds_on_what_the_review_said(shared: Orch) -> None:
    shared.models.answer(edits(create("docs/a.md", "one\ntwo\n")), model=HAIKU)
    shared.models.answer(asks_for_changes(finding("high", "Say three, not two", "docs/a.md", 2)), model=GEMINI)
    shared.models.answer(edits(replace("docs/a.md", "two", "three")), model=HAIKU)
    shared.models.answer(approves(8), model=GEMINI)
    task = await shared.dev.assigns("Document a --files docs/a.md")
    card = await shared.channel.shows(task, "approved · 8/10", state="Awaiting approval")

    assert "haiku" in card.part("facts")
    _, second = [c for c in shared.models.asked(HAIKU) if f"/{task}/" in c.call_id]
    assert "The review asked for changes" in second.text and "Say three, not two" in second.text
    assert "one\ntwo" in second.text, "it is shown the commit that it builds on"
    assert len(second.body["messages"]) == 1, "with a fresh conversation"
    await shared.channel.thread_shows(task, "Say three, not two")
    diff = shared.models.asked(GEMINI)[-1].text
    assert "+three" in diff and "+two" not in diff and "new file" in diff, "the whole change is reviewed"
    await shared.books.agree()


@pytest.mark.parametrize("verdict", ["request_changes", "approve"])
async def test_a_critical_finding_goes_to_sonnet_whatever_the_verdict(shared: Orch, verdict: str) -> None:
    path = f"docs/b-{verdict}.md"
    critical = {"verdict": verdict, "quality_score": 9, "findings": [finding("critical", "It loses data", path)]}
    shared.models.answer(edits(create(path, "one\n")), model=HAIKU)
    shared.models.answer(Reply(review=critical), model=GEMINI)
    shared.models.answer(edits(create(path, "better\n")), model=SONNET)
    shared.models.answer(approves(), model=GEMINI)
    task = await shared.dev.assigns(f"Document b --files {path}")
    await shared.channel.shows(task, "sonnet", "approved · 9/10", state="Awaiting approval")
    assert any(e.detail.get("rule") == "R-ESC-3" for e in await shared.events(task))
    (fix,) = [c for c in shared.models.asked(SONNET) if f"/{task}/" in c.call_id]
    assert "It loses data" in fix.text


@pytest.mark.parametrize(("review", "why"), NO_VERDICT, ids=[why + str(n) for n, (_, why) in enumerate(NO_VERDICT)])
async def test_no_verdict_twice_is_never_an_approval(
    shared: Orch, review: Reply, why: str, request: pytest.FixtureRequest
) -> None:
    path = f"docs/c{request.node.callspec.id.replace(' ', '-')}.md"
    shared.models.answer(review, review, model=GEMINI)
    task = await shared.dev.assigns(f"Document c --files {path}")
    card = await shared.channel.shows(task, "no verdict", why, state="Blocked")
    assert "Approve merge" not in card.buttons and "Retry" in card.buttons
    row = await shared.row(task)
    asked = len([c for c in shared.models.asked(HAIKU) if f"/{task}/" in c.call_id])

    await shared.lead.clicks("Retry", on=task, forge={"action_id": "task_approve", "value": _value(task, row)})
    await shared.lead.sees_privately("is blocked, so there is nothing to approve")

    await shared.dev.clicks("Retry", on=task)  # only the review is made again
    card = await shared.channel.shows(task, "approved · 8.5/10", state="Awaiting approval")
    assert len([c for c in shared.models.asked(HAIKU) if f"/{task}/" in c.call_id]) == asked
    await shared.books.agree()


async def test_one_lost_verdict_is_asked_for_again(shared: Orch) -> None:
    shared.models.answer(Reply(text="{"), approves(7), model=GEMINI)
    task = await shared.dev.assigns("Document d --files docs/d.md")
    await shared.channel.shows(task, "approved · 7/10", state="Awaiting approval")


@pytest.mark.parametrize("trouble", [Reply(status=500), Reply(cut="middle")], ids=["500", "cut"])
async def test_a_review_that_cannot_be_had_blocks(shared: Orch, trouble: Reply) -> None:
    path = f"docs/e{trouble.status}.md"
    shared.models.answer(trouble, trouble, model=GEMINI)  # it is asked for once more
    task = await shared.dev.assigns(f"Document e --files {path}")
    card = await shared.channel.shows(task, "the review could not be made", state="Blocked")
    assert "Approve merge" not in card.buttons
    unknown = [c for c in await shared.books.calls() if f"/{task}/" in c.id and c.state == "unknown"]
    assert len(unknown) == 2 and all(c.used_tokens == c.reserved_tokens for c in unknown)
    await shared.dev.types(f"/orch retry {task}")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.books.agree()


async def test_a_verdict_that_was_paid_for_is_kept_when_it_cannot_be_recorded(shared: Orch) -> None:
    shared.models.answer(approves(7), approves(6), model=GEMINI)
    async with no_room(shared, "reviews"):
        task = await shared.dev.assigns("Document g --files docs/g.md")
        await shared.channel.shows(task, "Orch's database failed", "nothing is paid for again", state="Blocked")
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, "approved · 7/10", state="Awaiting approval")
    assert [c.purpose for c in await shared.books.calls() if f"/{task}/" in c.id] == ["edit", "review"]
    await shared.books.agree()


async def test_a_verdict_that_was_kept_is_not_for_what_was_said_since(shared: Orch) -> None:
    shared.models.answer(approves(7), approves(6), model=GEMINI)
    async with no_room(shared, "reviews"):
        task = await shared.dev.assigns("Document h --files docs/h.md")
        await shared.channel.shows(task, "Orch's database failed", state="Blocked")
    reply = await shared.dev.replies("It is for administrators only", to=task)
    await shared.dev.sees_a_reaction("eyes", on=reply)
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, "approved · 6/10", state="Awaiting approval")
    assert "for administrators only" in shared.models.asked(GEMINI)[-1].text
    await shared.books.agree()


@asynccontextmanager
async def no_room(orch: Orch, table: str, when: str = "1") -> AsyncIterator[None]:
    """The database takes no such row."""
    no = f"CREATE TRIGGER no_room BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'no room'); END"
    async with orch.office.db.begin() as session:
        await session.execute(text(no))
    yield
    async with orch.office.db.begin() as session:
        await session.execute(text("DROP TRIGGER no_room"))


async def test_the_diff_cannot_give_orders(shared: Orch) -> None:
    """What the reviewer is sent is the diff, whole; and what it answers is shown, but harmless in Slack."""
    nasty = finding("low", "<!channel> *look* <https://evil.example|here>", "docs/f.md")
    shared.models.answer(approves(9, findings=[nasty]), model=GEMINI)
    task = await shared.dev.assigns("Document f --files docs/f.md")
    await shared.channel.shows(task, state="Awaiting approval")
    shown = await shared.channel.thread_shows(task, "look")
    assert "<!channel>" not in str(shown.blocks) and "&lt;!channel&gt;" in str(shown.blocks)


def _value(task: str, row: object) -> str:
    return f"GRANTER|{task}|{row.head_commit}"  # type: ignore[attr-defined]
