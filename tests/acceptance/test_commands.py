"""What people ask for by command, and more than forty ways to get one wrong."""

from __future__ import annotations

import html

import pytest

from bot.domain.help import ENTRIES
from tests.acceptance.card import buttons, words
from tests.acceptance.conversation import Orch
from tests.acceptance.models import Reply
from tests.domain.test_command_mistakes import WRONG
from tests.store.samples import a_task

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What only the bot can know to be wrong: typed, and a distinctive part of the answer.
WRONG_HERE = [
    ("status S9-D9-9", "There is no task S9-D9-9 in GRANTER. `/orch list all` shows them."),
    ("why S9-D9-9", "There is no task S9-D9-9"),
    ("cancel S9-D9-9", "There is no task S9-D9-9"),
    ("retry S9-D9-9", "There is no task S9-D9-9"),
    ("status NOPE:S1-D1-1", "There is no project NOPE. Known: GRANTER."),
    ("assign Document x --after S9-D9-9", "`--after S9-D9-9`: there is no task S9-D9-9"),
    ("assign Document x --after NOPE:S1-D1-1", "only wait for tasks of its own project"),
    ("assign Document x --deadline 2020-01-01", "The deadline 2020-01-01T23:59 is past"),
    ("assign fix it please", ""),
    ("assign " + "x" * 10_000, "The text has 10,000 characters; at most 4,000 fit."),
]


async def test_wrong_commands_are_answered_privately_and_do_nothing(shared: Orch) -> None:
    before, log = await shared.tasks(), len(shared.world.messages("C0DEV"))
    table = [*((typed, answer) for typed, answer in WRONG), *WRONG_HERE]
    assert len(table) >= 40
    unanswered = []
    for typed, answer in table:
        await shared.dev.types(f"/orch {typed}")
        said = html.unescape(await shared.dev.sees_privately(""))
        if answer not in said or "went wrong" in said:
            unanswered.append((typed[:60], answer, said[:300]))
    assert unanswered == []
    assert await shared.tasks() == before
    assert len(shared.world.messages("C0DEV")) == log, "nobody else was bothered"
    await shared.all_is_worked_on()


async def test_the_same_by_direct_message(shared: Orch) -> None:
    before = await shared.tasks()
    for typed, answer in (
        ("status 12", "is not a task id"),
        ("assign x --fies a", "--files"),
        ("retry all", "task id"),
    ):
        await shared.dev.writes_to_orch(typed)
        await shared.dev.gets(answer)
    assert await shared.tasks() == before


async def test_help(shared: Orch) -> None:
    await shared.dev.types("/orch help")
    shown = await shared.dev.sees_privately("Try: `/orch assign Add a CONTRIBUTING guide")
    for entry in ENTRIES:
        assert entry.meaning in shown, entry.name
    await shared.dev.types("/orch")
    await shared.dev.sees_privately("gives coding tasks to the cheapest model")
    await shared.dev.types("/orch help assign")
    shown = await shared.dev.sees_privately("Help on assign")
    for option in ("--files a,b", "--after ID,ID", '--check "CMD"', "--dry-run", "--security"):
        assert option in shown
    for name in dict.fromkeys(entry.name.split()[0] for entry in ENTRIES):
        await shared.dev.types(f"/orch help {name}")
        await shared.dev.sees_privately(f"Help on {name}")


async def test_lists(shared: Orch) -> None:
    mine = await shared.dev.assigns("Document mine --files docs/mine.md")
    theirs = await shared.two.assigns("Document theirs --files docs/theirs.md")
    shared.models.answer(*[Reply(status=500)] * 3, model="claude", text="Document broken")
    broken = await shared.two.assigns("Document broken --files docs/broken.md")
    waiting = await shared.two.assigns("Document mine again --files docs/mine.md")
    for task in (mine, theirs):
        await shared.channel.shows(task, state="Awaiting approval")
    await shared.channel.shows(broken, state="Blocked")
    await shared.channel.shows(waiting, "waiting for", state="Queued")

    views = {
        "": ({mine, theirs, broken, waiting}, set()),
        "mine": ({mine}, {theirs, broken}),
        "blocked": ({broken}, {mine, theirs, waiting}),
        "review": ({mine, theirs}, {broken, waiting}),
        "running": (set(), {mine, theirs, broken, waiting}),
        "all": ({mine, theirs, broken, waiting}, set()),
    }
    for view, (listed, left_out) in views.items():
        await shared.dev.types(f"/orch list {view}")
        shown = await shared.dev.sees_privately("*GRANTER*")
        assert all(f"*{task}*" in shown for task in listed), view
        assert not any(f"*{task}*" in shown for task in left_out), view
    await shared.dev.types("/orch list")
    assert f"waiting for {mine}" in await shared.dev.sees_privately("*GRANTER*")

    await shared.outsider.types(f"/orch cancel {mine}")
    await shared.outsider.sees_privately("Only a requester, owner", "was left as it is")
    await shared.dev.types(f"/orch cancel {mine}")
    await shared.channel.shows(mine, state="Stopped")
    await shared.dev.types("/orch list")
    assert f"*{mine}*" not in await shared.dev.sees_privately("*GRANTER*")
    await shared.dev.types("/orch list all")
    assert f"*{mine}*" in await shared.dev.sees_privately("*GRANTER*")
    await shared.two.types(f"/orch retry {theirs}")
    await shared.two.sees_privately("cannot be retried")


async def test_status_and_budget(shared: Orch) -> None:
    task = await shared.dev.assigns("Document s --files docs/s.md")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.outsider.types(f"/orch status {task.lower()}")
    assert "Awaiting approval" in await shared.outsider.sees_privately(task)
    await shared.outsider.types(f"/orch status GRANTER:{task}")
    await shared.outsider.sees_privately(task)
    await shared.outsider.types("/orch budget")
    shown = await shared.outsider.sees_privately("Budget of GRANTER")
    for rung in ("haiku", "sonnet", "gemini", "opus"):
        assert rung in shown
    await shared.books.agree()


async def test_a_text_of_4000_characters_fits_everywhere(shared: Orch) -> None:
    text = "Document this: " + "<&> " * 1000
    task = await shared.dev.assigns(f"{text[:3950]} --files docs/long.md")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.lead.clicks("Approve merge", on=task)
    await shared.channel.shows(task, state="Merged")
    for command in ("status", "why"):
        await shared.dev.types(f"/orch {command} {task}")
        await shared.dev.sees_privately(task)
    await shared.dev.types(f"/orch assign {text[:3950]} --files docs/long.md --dry-run")
    await shared.dev.sees_privately("Quote")


async def test_a_long_list_is_turned_page_by_page(shared: Orch) -> None:
    """500 tasks stay within Slack's limits; the private answer is turned over in place."""
    async with shared.office.db.begin() as session:
        for number in range(1, 501):
            text = f"Page {number} <!channel> " + ("about penguins " if number % 2 else "") + "x" * 3_900
            session.add(a_task(10_000 + number, text=text, state="cancelled", owner="U0OUT", requester="U0OUT"))
    await shared.two.types('/orch list "penguins" page --owner <@U0OUT>')
    first = await shared.two.sees_privately("250 tasks", "1-20", "*S0-D0-10499*")
    assert "S0-D0-10459*" not in first and "<!channel>" not in first
    (shown,) = shared.world.ephemerals("U0TWO")[-1:]
    await shared.two.clicks("Next", on=shown)
    await shared.until(lambda: "21-40" in words(shown) or None, "the second page in the same message")
    assert [label for label, _ in buttons(shown)] == ["Previous", "Next"] and "*S0-D0-10459*" in words(shown)
    await shared.two.clicks("Previous", on=shown)
    await shared.until(lambda: "1-20" in words(shown) or None, "the first page again")
    assert [label for label, _ in buttons(shown)] == ["Next"]

    await shared.two.types("/orch list blokced")
    await shared.two.sees_privately("0 tasks", "Did you mean `/orch list blocked`?")
    await shared.two.types("/orch list --owner ann")
    await shared.two.sees_privately("is only a name to me")
    await shared.two.types("/orch list S0-D0-10007")
    await shared.two.sees_privately("1 task", "*S0-D0-10007* cancelled")
