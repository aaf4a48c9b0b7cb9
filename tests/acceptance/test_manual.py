"""Work that a person does by hand: given by a direct message, done, blocked, handed over (R-RT-4, R-APR)."""

from __future__ import annotations

import pytest

from tests.acceptance.card import buttons, words
from tests.acceptance.conversation import Orch

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _given(orch: Orch, what: str) -> str:
    task = await orch.dev.assigns(f"{what} --model manual --owner @two")
    await orch.channel.shows(task, "<@U0TWO>", state="With a person")
    return task


async def test_done_says_what_was_seen(shared: Orch) -> None:
    task = await _given(shared, 'Run the load test on staging --check "k6 run load.js"')
    told = await shared.two.gets(task, "is for you", "`k6 run load.js` passes", "`done: what you saw`")
    assert [label for label, _ in buttons(told)] == ["Mark done", "Blocked", "Hand over"]
    await shared.dev.clicks("Mark done", on=task)
    await shared.dev.sees_privately(
        "Only an owner or lead may do that", "was left as it is. Ask <@U0TWO> or <@U0LEAD>."
    )
    assert shared.world.open_view("U0DEV") is None, "no form is opened for nothing"

    await shared.two.clicks("Mark done", on=told)
    assert (await shared.two.submits(seen="  ")).errors.keys() == {"seen"}
    await shared.two.submits(seen="300 requests a second,\n<!channel> none failed")
    card = await shared.channel.shows(task, "300 requests a second", state="Done")
    assert "&lt;!channel&gt;" in card.text
    event = (await shared.events(task))[-1]
    assert event.detail["seen"].startswith("300 requests a second")
    assert event.detail["message"]["status"] == "completed"
    assert event.detail["message"]["issues"] == [event.detail["seen"]]
    await shared.until(lambda: "is done" in words(told) or None, "the direct message to say that it is done")
    assert buttons(told) == []


async def test_blocked_with_a_reason_and_back_again(shared: Orch) -> None:
    task = await _given(shared, "Deploy the thing to staging")
    told = await shared.two.gets(task, "is for you")
    await shared.two.clicks("Blocked", on=told)
    assert "blocked" in (await shared.two.submits(blocked="")).errors
    await shared.two.submits(blocked="The staging host is down")
    await shared.channel.shows(task, "The staging host is down", state="Blocked")
    await shared.until(lambda: "is blocked" in words(told) or None, "the direct message to say that it is blocked")
    await shared.two.types(f"/orch unblock {task}")
    await shared.channel.shows(task, "<@U0TWO>", state="With a person")
    await shared.two.types(f"/orch done {task} it answers in 20 ms")
    await shared.two.sees_privately(f"*{task}* is done")
    await shared.channel.shows(task, "it answers in 20 ms", state="Done")


async def test_handed_over(shared: Orch) -> None:
    task = await _given(shared, "Check the pages by hand")
    told = await shared.two.gets(task, "is for you")
    await shared.dev.clicks("Hand over", on=task)
    await shared.dev.sees_privately("Only an owner or lead may do that")
    for wrong, why in (("U0GUEST", "guests of the workspace"), ("U0TWO", f"{task} is with Sam Second already")):
        await shared.two.clicks("Hand over", on=told)
        await shared.two.submits(person=wrong)
        await shared.two.gets(why)
    await shared.two.clicks("Hand over", on=told)
    await shared.two.submits(person="U0LEAD")
    await shared.channel.shows(task, "<@U0LEAD>", state="With a person")
    await shared.lead.gets(task, "is for you, says <@U0TWO>")
    await shared.until(lambda: "is with <@U0LEAD> now" in words(told) or None, "the old message to say where it went")
    assert buttons(told) == []
    await shared.two.types(f"/orch done {task}")
    await shared.two.sees_privately("Only an owner or lead")
    await shared.lead.replies("done: all good", to=task)
    await shared.channel.shows(task, "all good", state="Done")


async def test_stopped_work_is_taken_back(shared: Orch) -> None:
    task = await _given(shared, "Check the texts by hand")
    told = await shared.two.gets(task, "is for you")
    await shared.dev.types(f"/orch cancel {task}")
    await shared.channel.shows(task, state="Stopped")
    await shared.until(lambda: "was stopped" in words(told) or None, "the direct message to say that it was stopped")


@pytest.mark.parametrize(
    ("whom", "why"),
    [
        ("@guest", "guests of the workspace"),
        ("@else", "members of other workspaces"),
        ("@orch", "bots may not"),
        ("<@U0NOBODY>", "Slack knows no such person"),
        ("ann", "is not a model or a @person"),
    ],
)
async def test_a_task_goes_only_to_people_who_may(shared: Orch, whom: str, why: str) -> None:
    task = await _given(shared, "Check the pictures by hand")
    before = await shared.tasks()
    await shared.lead.types(f"/orch reassign {task} {whom}")
    await shared.lead.sees_privately(why)
    if whom != "ann":
        await shared.lead.types(f"/orch assign Check more --model manual --owner {whom}")
        await shared.lead.sees_privately(why)
    assert await shared.tasks() == before
    assert (await shared.row(task)).owner == "U0TWO"
