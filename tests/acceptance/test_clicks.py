"""R-APR through the real listeners: what the table does not allow is refused privately and changes nothing; clicks on
old messages say why not; a double click is one click."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain import card
from tests.acceptance.conversation import Orch
from tests.acceptance.models import SONNET, Reply
from tests.acceptance.people import Someone
from tests.domain.test_clicks import ALLOWED

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The columns of the table that a person has here; two owns the task, so that their approval does not count.
ROLES = {"outsider": [0], "dev": [1], "two": [2, 3], "lead": [3, 4, 5]}


async def _merged(orch: Orch) -> str:
    task = await _awaiting(orch)
    await orch.lead.clicks("Approve merge", on=task)
    await orch.channel.shows(task, state="Merged")
    return task


async def _awaiting(orch: Orch) -> str:
    page = f"docs/clicks-{len(await orch.tasks())}.md"  # of its own, so that it waits for no other task
    task = await orch.dev.assigns(f"Document the thing --files {page} --owner @two")
    await orch.channel.shows(task, state="Awaiting approval")
    return task


async def _blocked(orch: Orch) -> str:
    orch.models.answer(Reply(text="BEYOND: this needs an architect"), model=SONNET)
    task = await orch.dev.assigns("Change the rules of instalments --model sonnet --owner @two")
    await orch.channel.shows(task, state="Blocked")
    return task


async def _with_a_person(orch: Orch) -> str:
    task = await orch.dev.assigns("Deploy it to staging --model manual --type ops --owner @two")
    await orch.channel.shows(task, state="With a person")
    return task


async def _stopped(orch: Orch) -> str:
    task = await _with_a_person(orch)
    await orch.dev.clicks("Stop", on=task)
    await orch.channel.shows(task, state="Stopped")
    return task


#: The owner's approval does not count; and what a person has just done is a double click, which is passed over.
OWN = (card.APPROVE, "two")
JUST_DONE = [("merged", card.APPROVE, "lead"), ("cancelled", card.STOP, "dev")]
STATES = {
    "merged": _merged, "awaiting_approval": _awaiting, "blocked": _blocked, "with_human": _with_a_person,
    "cancelled": _stopped,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
async def test_what_the_table_does_not_allow_changes_nothing(shared: Orch, state: str) -> None:
    task = await STATES[state](shared)
    before, head = await shared.events(task), (await shared.row(task)).head_commit or ""
    any_button = (await _some_card_with_a_button(shared)).message
    refused = 0
    for button, states, row in ALLOWED:
        for name, columns in ROLES.items():
            may = any(row.split()[column] == "yes" for column in columns) and state in states.split()
            if (may and (button, name) != OWN) or (state, button, name) in JUST_DONE:
                continue
            person: Someone = getattr(shared, name)
            forged = {"action_id": button.action, "value": f"GRANTER|{task}|{head}"}
            shown = next(a for a in any_button.blocks if a.get("type") == "actions")["elements"][0]["action_id"]
            person._turn()
            await shared.world.click(person.id, any_button.channel, any_button.ts, shown, forge=forged)
            assert await person.sees_privately(""), (button.label, name)
            assert shared.world.open_view(person.id) is None, (button.label, name)
            refused += 1
    assert refused >= 20
    row = await shared.row(task)
    assert (row.state, row.head_commit or "") == (state, head)
    assert [event.kind for event in await shared.events(task)] == [event.kind for event in before]


async def _some_card_with_a_button(orch: Orch):  # type: ignore[no-untyped-def]
    task = await _with_a_person(orch)
    return await orch.channel.shows(task, state="With a person")


async def test_a_button_of_another_version_says_so(shared: Orch) -> None:
    card_shown = (await _some_card_with_a_button(shared)).message
    shown = next(a for a in card_shown.blocks if a.get("type") == "actions")["elements"][0]["action_id"]
    forged = {"action_id": "from_tomorrow", "value": "GRANTER"}
    clicked = await shared.world.click(shared.dev.id, card_shown.channel, card_shown.ts, shown, forge=forged)
    assert clicked.acked
    assert await shared.dev.sees_privately("That button is of another version of me")


async def test_a_double_click_is_one_click(shared: Orch) -> None:
    task = await _with_a_person(shared)
    for label, kind, state in (("Stop", "cancelled", "Stopped"), ("Retry", "retried", "With a person")):
        person = shared.dev
        (shown,) = shared.channel.cards(task)
        said = len(shared.world.ephemerals(person.id))
        await asyncio.gather(*(person.clicks(label, on=shown.message) for _ in range(2)))
        await shared.channel.shows(task, state=state)
        await shared.all_is_worked_on()
        assert [e.kind for e in await shared.events(task)].count(kind) == 1
        assert len(shared.world.ephemerals(person.id)) == said, label


async def test_a_form_for_an_older_commit_sends_nothing_back(shared: Orch) -> None:
    """R-APR-1: what was said of one commit is not said of the next."""
    task = await _awaiting(shared)
    old = await shared.channel.shows(task)
    await shared.two.clicks("Request changes", on=task)
    await shared.lead.clicks("Request changes", on=task)
    await shared.lead.submits(reason="Say it shorter")
    await shared.channel.shows(task, state="Awaiting approval", new_since=old)
    await shared.two.submits(reason="Say it longer")
    await shared.two.sees_privately("has a new commit since that message", "decide on the card")
    row = await shared.row(task)
    assert (row.state, row.attempt) == ("awaiting_approval", 2)
    assert not any("longer" in lesson for lesson in row.learned)


async def test_everything_is_recorded(shared: Orch) -> None:
    """R-APR-3: who, when, what, which commit."""
    task = await _awaiting(shared)
    first = (await shared.row(task)).head_commit
    old = await shared.channel.shows(task)
    await shared.lead.clicks("Request changes", on=task)
    await shared.lead.submits(reason="Say it shorter")
    await shared.channel.shows(task, state="Awaiting approval", new_since=old)
    second = (await shared.row(task)).head_commit
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    events = [e for e in await shared.events(task) if e.who == "U0LEAD"]
    assert [(e.kind, e.detail.get("head")) for e in events if "head" in e.detail] == [
        ("changes_requested", first), ("approved", second),
    ]  # fmt: skip
    assert all(e.at.tzinfo and e.why for e in events)


async def test_too_few_people_is_shown_on_the_card(shared: Orch) -> None:
    task = await shared.lead.assigns("Document the money --security --model sonnet --files docs/money.md")
    card_ = await shared.channel.shows(task, ":warning: As the project is set up, two people have to approve it")
    assert "only one person may" in card_.part("why")
