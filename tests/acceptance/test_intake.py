"""Every way in: form, mention, direct message, shortcuts; each delivery counts once."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.card import CHANNEL
from tests.acceptance.conversation import Orch

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _new_task(orch: Orch, before: list[str]) -> str:
    """The one task that was made since."""
    now = await orch.tasks()
    assert now[:-1] == before, f"not one new task: {now[len(before) :]}"
    return now[-1]


async def test_the_form_shows_mistakes_beside_their_fields(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("/orch assign")
    form = await shared.dev.form()
    assert form.body["title"]["text"] == "New task for Orch"
    assert (await shared.dev.submits()).errors.keys() == {"text"}

    wrong = {"text": "Document the form", "files": "../x", "budget": "lots", "checks": "true\n" + "x" * 600}
    errors = (await shared.dev.submits(**wrong)).errors
    assert errors.keys() == {"files", "budget", "checks"}
    assert "`../x`" in errors["files"] and "number of tokens" in errors["budget"]
    assert await shared.tasks() == before


async def test_a_deadline_in_the_past_is_said_beside_its_field(shared: Orch) -> None:
    await shared.dev.types("/orch assign")
    past = int(shared.office.now().timestamp()) - 3600
    late = await shared.dev.submits(text="Document the form", files="docs/a.md", deadline=past)
    assert late.errors.keys() == {"deadline"}


async def test_the_form_makes_a_task(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("/orch assign --files docs/b.md --priority high")
    await shared.dev.submits(text="Document b", owner="U0TWO", budget="9k", checks="true\ntest -f docs/b.md")
    await shared.dev.sees_privately("queued for haiku")
    task = await _new_task(shared, before)
    card = await shared.channel.shows(task, "owner <@U0TWO>", "high priority", state="Awaiting approval")
    assert "of 9k" in card and "test -f docs/b.md" in card
    row = await shared.row(task)
    assert (row.files, row.checks, row.token_budget) == (["docs/b.md"], ["true", "test -f docs/b.md"], 9000)


async def test_a_form_keeps_what_does_not_fit_anywhere(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("/orch assign")
    vague = await shared.dev.submits(text="fix it please")
    assert vague.errors.keys() == {"text"}, "unroutable is said, never guessed (R-RT-7)"
    assert await shared.tasks() == before


async def test_a_mention_makes_a_task(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("@orch Document c in one page, please --files docs/c.md")
    await shared.dev.sees_privately("queued for haiku")
    task = await _new_task(shared, before)
    await shared.channel.shows(task, "Document c in one page, please", state="Awaiting approval")
    await shared.dev.types("@orch: status " + task)
    await shared.dev.sees_privately(task, "Awaiting approval")


async def test_a_direct_message_makes_a_task(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.two.writes_to_orch("Document d --files docs/d.md")
    answer = await shared.two.gets("queued for haiku")
    task = await _new_task(shared, before)
    assert task in answer.text
    await shared.channel.shows(task, "asked by <@U0TWO>", state="Awaiting approval")
    for greeting in ("hi", "help"):
        await shared.two.writes_to_orch(greeting)
        await shared.two.gets("gives coding tasks to the cheapest model")
    await shared.two.writes_to_orch("list")
    await shared.two.gets("*GRANTER*", task)
    assert await shared.tasks() == [*before, task]


async def test_make_this_a_task(shared: Orch) -> None:
    before = await shared.tasks()
    said = await shared.two.types("We should document e & f <soon>, shouldn't we?")
    await shared.dev.makes_a_task_of(said.ts or "")
    form = await shared.dev.form()
    shown = form.state["text"]["text"]["value"]
    assert "document e & f <soon>" in shown, "as it was written, not as Slack escapes it"
    await shared.dev.submits(files="docs/e.md")
    await shared.dev.sees_privately("queued for")
    task = await _new_task(shared, before)
    card = await shared.channel.shows(task, state="Awaiting approval")
    assert "&lt;soon&gt;" in card.part("head"), "and once escaped on the card"


async def test_the_global_shortcut_opens_the_form(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.world.global_shortcut("U0DEV", "new_task")
    await shared.dev.submits(text="Document g", files="docs/g.md")
    for _ in range(200):
        if await shared.tasks() != before:
            break
        await asyncio.sleep(0.02)
    task = await _new_task(shared, before)
    await shared.channel.shows(task, state="Awaiting approval")


async def test_others_may_ask_but_guests_may_not(shared: Orch) -> None:
    task = await shared.outsider.assigns("Document h --files docs/h.md")
    before = await shared.tasks()
    for person in (shared.guest, shared.stranger):
        await person.types("/orch assign Document i --files docs/i.md")
        await person.sees_privately("may not give orders, so I did nothing")
        await person.types("@orch Document i --files docs/i.md")
        await person.sees_privately("may not give orders, so I did nothing")
    assert await shared.tasks() == before and before[-1] == task


async def test_a_delivery_that_comes_twice_makes_one_task(shared: Orch) -> None:
    before = await shared.tasks()
    shared.world.faults.duplicate = True
    await shared.dev.types("/orch assign Document j --files docs/j.md")
    await shared.dev.sees_privately("queued for")
    await shared.dev.types("@orch Document k --files docs/k.md")
    await shared.dev.sees_privately("queued for")
    await shared.two.writes_to_orch("Document l --files docs/l.md")
    await shared.two.gets("queued for", f"S0-D0-{len(before) + 3}")
    await shared.dev.types("/orch assign")
    await shared.dev.submits(text="Document m", files="docs/m.md")
    await shared.dev.sees_privately("queued for")
    assert len(await shared.tasks()) == len(before) + 4
    for task in (await shared.tasks())[len(before) :]:
        await shared.channel.shows(task, state="Awaiting approval")
    shared.world.faults.duplicate = False
    await shared.books.agree()


async def test_an_ack_that_is_lost_makes_one_task(shared: Orch) -> None:
    before = await shared.tasks()
    shared.world.faults.drop_acks = 2
    await shared.dev.types("@orch Document n --files docs/n.md")
    await shared.dev.sees_privately("queued for")
    await shared.world.settled()
    shared.world.faults.drop_acks, shared.world.faults.drop_acks_of = 1, "slash_commands"
    said = await shared.dev.types("/orch assign Document o --files docs/o.md")
    assert said.error == "operation_timeout", "Slack tells the person that it failed"
    await shared.dev.sees_privately("queued for")
    assert len(await shared.tasks()) == len(before) + 2


async def test_words_that_only_look_like_a_mention(shared: Orch) -> None:
    before = await shared.tasks()
    await shared.dev.types("orch could document p, I think")
    thread = await shared.dev.types("Something else")
    await shared.world.post_message("U0DEV", CHANNEL, "a reply", thread_ts=thread.ts)
    await shared.dev.types("/orch list")
    await shared.dev.sees_privately("GRANTER")
    assert await shared.tasks() == before


async def test_keyboards_dashes_and_quotes(shared: Orch) -> None:
    task = await shared.dev.assigns("Document “q” —files docs/q.md –check “test -f docs/q.md”")
    await shared.channel.shows(task, ":white_check_mark: test -f docs/q.md", state="Awaiting approval")
