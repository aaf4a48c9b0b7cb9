"""Buttons outlive a project's place in the configuration: whoever clicks one learns what happened, what was kept and
what to do; nothing is changed, and nothing is called a defect."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.domain.project import Projects
from bot.local.slack import Message
from tests.acceptance.card import CHANNEL, buttons
from tests.acceptance.conftest import Starting
from tests.acceptance.conversation import Orch, conversation
from tests.acceptance.models import HAIKU, SONNET, Reply, create, edits
from tests.acceptance.sprints import TEAM, keep_plan, load, start

TOLD = "The project GRANTER is not in my configuration any more, so nothing was changed."
NONE_HERE = "No project is configured"  # a quote goes by the channel that it was asked for in


async def test_every_button_says_kindly_what_happened(starting: Starting) -> None:
    async with starting(project=TEAM, policy={"welcome": True}) as orch:
        orch.world.rates.enabled = False
        messages = await _with_every_button(orch)
        labels = {label for message, _ in messages for label in dict(buttons(message))}
        assert labels >= {"Approve merge", "Retry", "Acknowledge", "Mark done", "Start", "Cancel them"}, labels
        before = [(task, (await orch.row(task)).state) for task in await orch.tasks()]
        assert isinstance(orch.office.projects, Projects)
        taken_out = orch.office.projects.pop("GRANTER")
        for message, who in messages:
            for label, action in dict(buttons(message)).items():
                seen = len(orch.world.ephemerals(who))
                await orch.world.click(who, message.channel, message.ts, action)
                await orch.all_is_worked_on()
                said = [m.text for m in orch.world.ephemerals(who)[seen:]]
                assert any(TOLD in text or NONE_HERE in text for text in said) or label in HARMLESS, (label, said)
                assert not any("defect" in text for text in said), (label, said)
        orch.office.projects["GRANTER"] = taken_out
        assert [(task, (await orch.row(task)).state) for task in await orch.tasks()] == before


async def test_a_task_under_way_stops_and_goes_on_when_its_project_is_back(starting: Starting) -> None:
    async with starting(checks=()) as orch:
        answers = asyncio.Event()
        made = edits(create("docs/a.md", "as asked\n"))
        orch.models.answer(Reply(text=made.text, edits=made.edits, until=answers), model=HAIKU)
        task = await orch.dev.assigns("Describe a --files docs/a.md")
        await orch.until(lambda: orch.models.asked_for(task) or None, "a call")
        assert isinstance(orch.office.projects, Projects)
        taken_out = orch.office.projects.pop("GRANTER")
        answers.set()
        card = await orch.channel.shows(task, "its project is not in Orch's configuration any more", state="Blocked")
        assert "defect" not in card

        orch.office.projects["GRANTER"] = taken_out
        await orch.dev.clicks("Retry", on=task)
        await orch.channel.shows(task, state="Awaiting approval")
        assert [call.purpose for call in await orch.books.calls()] == ["edit", "review"], "paid for once"
        await orch.books.agree()


async def test_it_goes_on_by_itself_once_orch_is_started_with_its_project_again(tmp_path: Path) -> None:
    slack = tmp_path / "slack.json"
    async with conversation(tmp_path, checks=(), slack=slack) as orch:
        answers = asyncio.Event()
        made = edits(create("docs/a.md", "as asked\n"))
        orch.models.answer(Reply(text=made.text, edits=made.edits, until=answers), model=HAIKU)
        task = await orch.dev.assigns("Describe a --files docs/a.md")
        await orch.until(lambda: orch.models.asked_for(task) or None, "a call")
        for of_project in (orch.office.projects, orch.office.repositories):  # as a start without it leaves them
            assert isinstance(of_project, dict)
            of_project.pop("GRANTER")
        answers.set()
        card = await orch.channel.shows(task, "it goes on by itself", state="Blocked")
        assert "defect" not in card
    async with conversation(tmp_path, checks=(), slack=slack) as orch:
        await orch.channel.shows(task, state="Awaiting approval")
        await orch.channel.thread_shows(task, "goes on by itself where it stopped: nothing is paid for again")
        calls = await orch.books.calls()
        assert [(call.purpose, call.state) for call in calls] == [("edit", "settled"), ("review", "settled")]
        assert (await orch.row(task)).attempt == 1


#: These put a private message away, and open the form for a new task, which asks for a project.
HARMLESS = {"Drop it", "Keep it open", "Assign a task"}


async def _with_every_button(orch: Orch) -> list[tuple[Message, str]]:
    """(message, who clicks on it): cards and direct messages, and what is only for one person."""
    hello = await orch.until(lambda: next(iter(orch.world.messages(CHANNEL)), None), "the welcome")
    keep_plan(orch)
    await load(orch)
    await start(orch, 0)
    await orch.channel.shows("S0-D1-1", state="Awaiting approval")
    orch.models.answer(Reply(text="BEYOND: this needs an architect"), model=SONNET)
    await orch.dev.types("/orch assign Change the rules of instalments --model sonnet")
    stuck = await orch.dev.gets("needs an architect")
    await orch.dev.types("/orch assign Deploy it to staging --model manual --type ops")
    given = await orch.dev.gets("Deploy it to staging", "is for you")
    for n in range(11):
        await orch.dev.types(f"/orch assign Check page {n} by hand --model manual --after S0-D1-1")
    await orch.all_is_worked_on()
    await orch.dev.types("/orch list all")
    await orch.dev.sees_privately("Check page")
    pages = orch.world.ephemerals("U0DEV")[-1]
    await orch.dev.types("/orch assign Describe the rest --files docs/rest.md --dry-run")
    await orch.dev.sees_privately("Describe the rest")
    quote = orch.world.ephemerals("U0DEV")[-1]
    await orch.lead.types("/orch sprint close 0")
    await orch.lead.sees_privately("still open")
    closing = orch.world.ephemerals("U0LEAD")[-1]
    cards = [(orch.channel.cards(task)[0].message, "U0LEAD") for task in (await orch.tasks())[:4]]
    return [(hello, "U0LEAD"), *cards, (stuck, "U0DEV"), (given, "U0DEV"), (pages, "U0DEV"), (quote, "U0DEV"),
            (closing, "U0LEAD")]  # fmt: skip
