"""The Home tab: what waits for me, what is mine, the project's day, and my own settings (issue 5, item 5)."""

from __future__ import annotations

from datetime import time

import pytest

from bot.local.slack import Delivery, View
from bot.store import people_settings
from tests.acceptance.card import texts
from tests.acceptance.conversation import Orch
from tests.acceptance.people import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")


def said(view: View) -> str:
    return "\n".join(text for block in view.blocks for text in texts(block))


def labels(view: View, task: str) -> list[str]:
    """The buttons of one task on a Home."""
    elements = [element for block in view.blocks for element in block.get("elements", ())]
    return [e["text"]["text"] for e in elements if f"|{task}|" in e.get("value", "")]


async def shows(orch: Orch, who: Someone, *parts: str, without: str = "") -> View:
    """Somebody's Home, once it holds these texts."""

    def found() -> View | None:
        view = orch.world.home(who.id)
        fits = view and all(part in said(view) for part in parts) and not (without and without in said(view))
        return view if fits else None

    return await orch.until(found, f"the Home of {who.id} with {parts} and not {without!r}")


async def click(orch: Orch, who: Someone, label: str, task: str = "") -> Delivery:
    view = orch.world.home(who.id)
    assert view is not None
    buttons = (e for block in view.blocks for e in block.get("elements", ()) if e["type"] == "button")
    (element,) = (e for e in buttons if e["text"]["text"] == label and (not task or f"|{task}|" in e["value"]))
    return await orch.world.click_in_view(who.id, view.id, element["action_id"], value=element.get("value"))


async def test_an_approval_is_given_where_it_is_read(shared: Orch) -> None:
    task = await shared.dev.assigns("Describe the Home in docs/home.md --files docs/home.md")
    await shared.channel.shows(task, state="Awaiting approval")
    await shared.world.open_home("U0DEV")
    home = await shows(shared, shared.dev, "In the queue, or with others", task, "awaiting approval")
    assert labels(home, task) == [], "nobody approves their own"

    await shared.world.open_home("U0TWO")
    home = await shows(shared, shared.two, "Waiting for your approval", task, "Describe the Home")
    assert labels(home, task) == ["Approve merge", "Request changes", "Reject"]
    assert "% of today's budget" in said(home) and "*1* awaiting approval" in said(home) and "Next post:" in said(home)
    await click(shared, shared.two, "Approve merge", task)
    await shared.channel.shows(task, state="Merged")
    await shows(shared, shared.two, "Nothing waits for you", without="Waiting for your approval")


async def test_manual_work_is_done_there(shared: Orch) -> None:
    task = await shared.dev.assigns("Ring the bank --model manual --owner @two")
    await shared.channel.shows(task, state="With a person")
    await shared.world.open_home("U0TWO")
    await shows(shared, shared.two, "Yours to do by hand", task)
    await click(shared, shared.two, "Mark done", task)
    await shared.two.submits(seen="They answered")
    await shared.channel.shows(task, "They answered", state="Done")
    await shows(shared, shared.two, "Nothing waits for you", without=task)


async def test_a_blocker_is_acknowledged_there(shared: Orch) -> None:
    task = await shared.dev.assigns("Ask the auditors --model manual")
    await shared.channel.shows(task, state="With a person")
    await shared.dev.types(f"/orch block {task} <!channel> nobody answers")
    await shared.channel.shows(task, state="Blocked")
    await shared.dev.gets(task, "nobody answers")
    await shared.world.open_home("U0DEV")
    home = await shows(shared, shared.dev, "Blocked, and waiting for you", "@channel nobody answers")
    assert "Acknowledge" in labels(home, task) and "Stop" not in labels(home, task)
    await click(shared, shared.dev, "Acknowledge", task)
    await shows(shared, shared.dev, "<@U0DEV> is on it")
    await shared.dev.types(f"/orch cancel {task}")
    await shared.channel.shows(task, state="Stopped")


async def test_a_click_on_an_old_home_says_why_not_and_shows_how_it_is(shared: Orch) -> None:
    task = await shared.dev.assigns("Water the plants --model manual --owner @two")
    await shared.channel.shows(task, state="With a person")
    await shared.world.open_home("U0TWO")
    await shows(shared, shared.two, task)
    await shared.lead.types(f"/orch cancel {task}")
    await shared.channel.shows(task, state="Stopped")
    await click(shared, shared.two, "Mark done", task)
    await shared.two.gets(task, "is cancelled, so there is no manual work")
    await shows(shared, shared.two, without=task)


async def test_a_task_is_assigned_from_home(shared: Orch) -> None:
    await shared.world.open_home("U0DEV")
    await shows(shared, shared.dev, "Assign a task")
    await click(shared, shared.dev, "Assign a task")
    await shared.dev.submits(text="Buy a cake", model="manual")
    await shared.dev.gets("is for you", "Buy a cake")
    task = (await shared.tasks())[-1]
    await shows(shared, shared.dev, task)
    await shared.dev.types(f"/orch cancel {task}")


async def test_the_global_shortcut_opens_the_form(shared: Orch) -> None:
    await shared.world.global_shortcut("U0DEV", "new_task")
    assert (await shared.dev.form()).body["title"]["text"] == "New task for Orch"


async def test_my_settings(shared: Orch) -> None:
    await shared.world.open_home("U0TWO")
    await shows(shared, shared.two, "My settings")
    await click(shared, shared.two, "My settings")
    errors = (await shared.two.submits(zone="Berlim", quiet_from="18:00", digest="single", notify="thread")).errors
    assert "Did you mean Europe/Berlin" in errors["zone"]
    errors = (await shared.two.submits(zone="berlin", quiet_from="18:00", digest="single", notify="thread")).errors
    assert errors.keys() == {"quiet_to"}
    await shared.two.submits(zone="berlin", quiet_from="18:00", quiet_to="08:30", digest="single", notify="thread")
    await shared.two.gets("your zone is Europe/Berlin", "quiet from 18:00 to 08:30", "in the task's thread")
    async with shared.office.db.read() as session:
        kept = await people_settings.get(session, "U0TWO")
    assert (kept.zone, kept.quiet_from, kept.quiet_to) == ("Europe/Berlin", time(18), time(8, 30))
    assert (kept.digest, kept.notify) == (False, "thread")
    await click(shared, shared.two, "My settings")
    form = await shared.two.form()
    assert form.state["zone"]["zone"]["value"] == "Europe/Berlin", "the form shows what holds"
    await shared.two.submits(zone="", quiet_from=None, quiet_to=None, digest="digest", notify="dm")
    await shared.two.gets("the project's zone", "the project's quiet hours", "by direct message")


async def test_a_guest_learns_why_there_is_nothing(shared: Orch) -> None:
    await shared.world.open_home("U0GUEST")
    await shows(shared, shared.guest, "Guests of the workspace may not give orders")
