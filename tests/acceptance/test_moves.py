"""`/orch takeover` and `/orch reassign` got wrong: each answer says why, privately, and nothing moves (R-APR)."""

from __future__ import annotations

import html

import pytest

from tests.acceptance.conversation import Orch

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Who types what, with {done}, {open} (with U0TWO) and {stopped} for tasks, and what they are told.
WRONG = [
    ("dev", "takeover", "Which task?"),
    ("dev", "takeover 12", "`12` is not a task id"),
    ("dev", "takeover {open} now", "`now`"),
    ("dev", "takeover S9-D9-9", "There is no task S9-D9-9 in GRANTER"),
    ("dev", "takeover NOPE:{open}", "There is no project NOPE. Known: GRANTER."),
    ("two", "takeover {done}", "{done} is done, so it cannot be taken over."),
    ("two", "takeover {stopped}", "{stopped} is cancelled, so it cannot be taken over."),
    ("outsider", "takeover {open}", "Only an owner, approver, security approver or lead may do that. {open} was left"),
    ("dev", "takeover {open}", "Only an owner, approver, security approver or lead may do that. {open} was left"),
    ("guest", "takeover {open}", "Guests of the workspace may not give orders, so I did nothing."),
    ("stranger", "takeover {open}", "Members of other workspaces may not give orders, so I did nothing."),
    ("dev", "reassign", "Which task?"),
    ("dev", "reassign {open}", "To whom shall {open} go?"),
    ("two", "reassign {open} gpt", "`gpt` is not a model or a @person."),
    ("two", "reassign {open} sonet", "Did you mean `sonnet`?"),
    ("two", "reassign {open} haiku sonnet", "`sonnet`"),
    ("two", "reassign S9-D9-9 haiku", "There is no task S9-D9-9 in GRANTER"),
    ("two", "reassign {open} <@U0GUEST>", "It cannot go to Gia Guest: guests of the workspace may not"),
    ("two", "reassign {open} <@U0ORCH>", "bots may not"),
    ("two", "reassign {open} <@U0NOBODY>", "Slack knows no such person"),
    ("lead", "reassign {open} <@U0TWO>", "{open} is with Sam Second already."),
    (
        "lead",
        "reassign {open} haiku",
        "haiku cannot do operations: a person or CI runs things (R-RT-4). {open} was left as it is.",
    ),
    ("two", "reassign {done} <@U0LEAD>", "{done} is done already."),
    ("lead", "reassign {done} haiku", "{done} is done already."),
    ("outsider", "reassign {open} <@U0LEAD>", "Only an owner or lead may do that."),
    ("outsider", "reassign {stopped} haiku", "may do that. {stopped} was left as it is."),
    ("guest", "reassign {open} haiku", "Guests of the workspace may not give orders, so I did nothing."),
]


async def _given(orch: Orch, what: str) -> str:
    task = await orch.dev.assigns(f"{what} --model manual --owner @two")
    await orch.channel.shows(task, "<@U0TWO>", state="With a person")
    return task


async def test_what_is_typed_wrong_moves_nothing(shared: Orch) -> None:
    names = {name: await _given(shared, f"Run the {name} tests by hand") for name in ("done", "open", "stopped")}
    await shared.two.types(f"/orch done {names['done']}")
    await shared.channel.shows(names["done"], state="Done")
    await shared.dev.types(f"/orch cancel {names['stopped']}")
    await shared.channel.shows(names["stopped"], state="Stopped")
    before = {name: len(await shared.events(task)) for name, task in names.items()}
    unanswered = []
    for who, typed, answer in WRONG:
        person = getattr(shared, who)
        await person.types(f"/orch {typed.format(**names)}")
        said = html.unescape(await person.sees_privately(""))
        if answer.format(**names) not in said or "went wrong" in said:
            unanswered.append((who, typed, answer, said[:300]))
    assert unanswered == [], "\n".join(map(str, unanswered))
    assert {name: len(await shared.events(task)) for name, task in names.items()} == before


async def test_stopped_work_is_given_to_somebody_else(shared: Orch) -> None:
    task = await _given(shared, "Check the words by hand")
    await shared.dev.types(f"/orch cancel {task}")
    await shared.channel.shows(task, state="Stopped")
    await shared.two.types(f"/orch reassign {task} <@U0LEAD>")
    await shared.two.sees_privately(f"*{task}* is with <@U0LEAD> now")
    await shared.channel.shows(task, "<@U0LEAD>", state="With a person")
    await shared.lead.gets(task, "is for you, says <@U0TWO>")
    await shared.two.types(f"/orch takeover {task}")
    await shared.channel.shows(task, "<@U0TWO>", state="With a person")
    before = len(await shared.events(task))
    await shared.two.types(f"/orch takeover {task}")
    await shared.world.settled()
    assert len(await shared.events(task)) == before, "it is theirs already"
