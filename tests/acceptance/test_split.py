"""A task split into smaller ones: asked for by a click, proposed by one paid call, decided on by a person (R-ESC-2)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.local.slack import Message
from tests.acceptance.card import buttons
from tests.acceptance.conversation import PATIENCE, Orch
from tests.acceptance.models import HAIKU, SONNET, Reply, create, edits

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED_TO_SPLIT = "could be split into"


def proposal(*parts: dict[str, Any]) -> Reply:
    return Reply(text=json.dumps({"parts": parts}))


def part(text: str, *files: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "files": list(files), **more}


async def blocked(orch: Orch, what: str) -> str:
    """A task of sonnet's that is beyond it."""
    orch.models.answer(Reply(text="BEYOND: too much at once"), model=SONNET, text=what.split(" --")[0])
    task = await orch.dev.assigns(f"{what} --model sonnet")
    await orch.channel.shows(task, state="Blocked")
    return task


async def proposed(orch: Orch, task: str, *parts: dict[str, Any]) -> Message:
    orch.models.answer(proposal(*parts), model=SONNET, text=(await orch.row(task)).text)
    await orch.dev.clicks("Split", on=task)
    await orch.channel.thread_shows(task, "I am asking sonnet for a proposal")
    shown = await orch.channel.thread_shows(task, ASKED_TO_SPLIT)
    await orch.channel.shows(task, "waits in the thread", state="Blocked")
    return shown


async def test_a_proposal_is_accepted(shared: Orch) -> None:
    task = await blocked(shared, 'Document everything --files docs/s1.md,docs/s2.md --priority high --check "true"')
    waiting = await shared.dev.assigns(f"Document the index --files docs/s0.md --after {task}")
    await shared.channel.shows(waiting, f"waiting for {task}", state="Queued")
    shown = await proposed(
        shared,
        task,
        part("Write the page docs/s1.md", "docs/s1.md", criteria=["it says what s1 is"]),
        part("Write the page docs/s2.md", "docs/s2.md", after=[1]),
    )
    assert [label for label, _ in buttons(shown)] == ["Accept", "Edit", "Refuse"]
    assert "<@U0DEV>" in str(shown.blocks) and "docs/s2.md" in str(shown.blocks) and "it says what s1 is" in str(shown)
    (asked,) = [c for c in await shared.books.calls() if c.purpose == "split" and f"/{task}/" in c.id]
    assert asked.rung == "sonnet" and asked.state == "settled"
    assert not any("/attempt/" in scope for scope in asked.scopes), "a split is not the attempt's (R-BUD-6)"
    assert any(scope.endswith("/sonnet") for scope in asked.scopes) and any("/sprint/" in s for s in asked.scopes)

    await shared.outsider.clicks("Accept", on=shown)
    await shared.outsider.sees_privately("Only a requester", "was left as it is")
    before = await shared.tasks()
    await asyncio.gather(shared.dev.clicks("Accept", on=shown), shared.lead.clicks("Accept", on=shown))
    first, second = await _parts(shared, before, 2)
    card = await shared.channel.shows(task, f"split into {first}, {second}", state="Stopped")
    assert card.buttons == [], "it goes on as its parts"
    await shared.channel.thread_shows(task, f"split it into {first}, {second}")
    one, two = await shared.row(first), await shared.row(second)
    assert (one.owner, one.requester, one.priority, one.checks) == ("U0DEV", "U0DEV", "high", ["true"])
    assert (one.criteria, two.after) == (["it says what s1 is"], [first])
    assert (await shared.row(waiting)).after == [first, second]

    await shared.channel.shows(second, f"waiting for {first}", state="Queued")
    await shared.channel.shows(first, state="Awaiting approval")
    await shared.dev.types(f"/orch retry {task}")
    await shared.dev.sees_privately(f"was split into {first}, {second}")
    await shared.dev.clicks("Accept", on=shown)
    await shared.dev.sees_privately("was split into")
    assert len(await shared.tasks()) == len(before) + 2
    await shared.books.agree()


async def test_a_proposal_is_edited_in_a_form(shared: Orch) -> None:
    task = await blocked(shared, "Document much more --files docs/t1.md")
    shown = await proposed(shared, task, part("Write docs/t1.md", "docs/t1.md"), part("Write docs/t2.md", "docs/t2.md"))
    await shared.dev.clicks("Edit", on=shown)
    form = await shared.dev.form()
    fields = [b["element"].get("initial_value") for b in form.blocks if b["type"] == "input"]
    assert fields == ["Write docs/t1.md\nfiles: docs/t1.md", "Write docs/t2.md\nfiles: docs/t2.md", None]

    wrong = await shared.dev.submits(part1="Write docs/t1.md\nafter: 2", part2="", part3="")
    assert "only come after an earlier part" in wrong.errors["part1"]
    wrong = await shared.dev.submits(part1="Write docs/t1.md", part2="", part3="")
    assert "2 to 5 parts" in wrong.errors["part1"]
    before = await shared.tasks()
    await shared.dev.submits(
        part1="Write docs/t1.md\nfiles: docs/t1.md", part2="", part3="Write docs/t3.md\nfiles: docs/t3.md\nafter: 1"
    )
    first, second = await _parts(shared, before, 2)
    assert (await shared.row(second)).files == ["docs/t3.md"]
    assert (await shared.row(second)).after == [first]
    await shared.channel.shows(task, f"split into {first}, {second}", state="Stopped")
    await shared.books.agree()


async def test_a_proposal_is_refused_and_the_task_stands_where_it_stood(shared: Orch) -> None:
    task = await blocked(shared, "Document a lot --files docs/u1.md")
    shown = await proposed(shared, task, part("Write a", "docs/u1.md"), part("Write b", "docs/u2.md"))
    await shared.lead.clicks("Refuse", on=shown)
    card = await shared.channel.shows(task, "too much at once", state="Blocked")
    assert "Split" in card.buttons and "Escalate to Opus" in card.buttons
    await shared.dev.clicks("Accept", on=shown)
    await shared.dev.sees_privately("no longer open")
    await shared.dev.clicks("Retry", on=task)
    await shared.channel.shows(task, state="Awaiting approval")


async def test_a_queued_task_is_split_before_anything_is_paid(shared: Orch) -> None:
    first = await blocked(shared, "Document the start --files docs/v0.md")
    task = await shared.dev.assigns(f"Document the rest --files docs/v1.md --after {first}")
    await shared.channel.shows(task, f"waiting for {first}", state="Queued")
    shown = await proposed(shared, task, part("Write a", "docs/v1.md"), part("Write b", "docs/v2.md"))
    await shared.dev.clicks("Refuse", on=shown)
    await shared.channel.shows(task, f"waiting for {first}", state="Queued")

    shown = await _again(shared, task)
    before = await shared.tasks()
    await shared.dev.clicks("Accept", on=shown)
    for made in await _parts(shared, before, 2):
        assert (await shared.row(made)).after == [first], "it waits for what the whole waited for"
    await shared.books.agree()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(text="I would do it in two steps."), "not valid JSON"),
        (proposal(part("Only one")), "agreed form"),
        (proposal(part("Write a", "../outside.md"), part("Write b")), "I cannot take the file"),
        (Reply(text='{"parts": [', stop="max_tokens"), "cut off"),
        (Reply(status=400, error="no"), "no"),
    ],
    ids=["words", "one", "outside", "cut", "refused"],
)
async def test_no_proposal_is_said_and_the_task_kept(
    shared: Orch, answer: Reply, why: str, request: pytest.FixtureRequest
) -> None:
    task = await blocked(shared, f"Document w --files docs/w-{request.node.callspec.id}.md")
    shared.models.answer(answer, model=SONNET, text="Document w")
    await shared.dev.clicks("Split", on=task)
    await shared.channel.thread_shows(task, "The task is kept as it was")
    await shared.channel.thread_shows(task, why)
    card = await shared.channel.shows(task, "too much at once", state="Blocked")
    assert "Split" in card.buttons
    await shared.books.agree()


async def test_the_parts_of_a_security_task_are_security_tasks(shared: Orch) -> None:
    """R-SEC-1: a split is no way around the floor, whatever the parts say."""
    shared.models.answer(Reply(text="BEYOND: too much"), model=SONNET, text="JWT")
    task = await shared.dev.assigns("Check the expiry of JWT tokens --files granter/auth.py")
    await shared.channel.shows(task, state="Blocked")
    shown = await proposed(shared, task, part("Write a README page", "docs/x.md"), part("Fix a typo", "docs/y.md"))
    before = await shared.tasks()
    await shared.dev.clicks("Accept", on=shown)
    for made in await _parts(shared, before, 2):
        row = await shared.row(made)
        assert (row.route["security"], row.route["rung"]) == (True, "sonnet")


async def test_sonnet_out_of_tokens_proposes_a_split(shared: Orch) -> None:
    """R-ESC-2, from haiku's failure on (R-ESC-1)."""
    shared.models.answer(edits(create("docs/z.md", "long " * 4000)), model=HAIKU, text="Document z")
    shared.models.answer(edits(create("docs/z.md", "long " * 40000)), model=SONNET, text="Document z")
    task = await shared.dev.assigns("Document z --files docs/z.md --budget 2000")
    card = await shared.channel.shows(task, "smaller tasks may fit", state="Blocked")
    assert "Split" in card.buttons
    await shared.dev.gets(task, "*Split* asks for a proposal")
    rules = [event.detail.get("rule") for event in await shared.events(task)]
    assert [rule for rule in rules if rule][-2:] == ["R-ESC-1", "R-ESC-2"]


async def test_only_what_waits_can_be_split(shared: Orch) -> None:
    task = await shared.dev.assigns("Document q --files docs/q.md")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.dev.clicks("Request changes", on=task, forge={"action_id": "task_split", "value": f"GRANTER|{task}|"})
    await shared.dev.sees_privately("only a change that waits or is blocked can")


async def _parts(orch: Orch, before: list[str], count: int) -> list[str]:
    """The tasks made since."""
    made: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while len(made) < count:
                await asyncio.sleep(0.1)
                made = [task for task in await orch.tasks() if task not in before]
    except TimeoutError:
        raise AssertionError(f"no {count} new tasks, but {made}") from None
    return made


async def _again(orch: Orch, task: str) -> Message:
    """Another proposal for the same task."""
    orch.models.answer(
        proposal(part("Write c", "docs/c1.md"), part("Write d", "docs/c2.md")),
        model=SONNET,
        text=(await orch.row(task)).text,
    )
    await orch.dev.clicks("Split", on=task)

    def newest() -> Message | None:
        shown = [m for m in orch.channel.thread(task) if "Write c" in str(m.blocks)]
        return shown[-1] if shown else None

    found = await orch.until(newest, "another proposal")
    await orch.channel.shows(task, "waits in the thread", state="Blocked")
    return found
