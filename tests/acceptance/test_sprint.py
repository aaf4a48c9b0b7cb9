"""Run a sprint: start it, let its tasks go in their order, close it (R-PAR-3, R-MSG-4, R-MSG-6, R-APR)."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.store import ledger
from tests.acceptance.card import words
from tests.acceptance.clock import MovableClock
from tests.acceptance.conftest import Starting
from tests.acceptance.sprints import DEMO, TEAM, keep_plan, load, merge, said_in_channel, start

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)  # in Lisbon too
FRIDAY_EVENING = datetime(2026, 11, 20, 18, tzinfo=UTC)
WEEKDAYS = {**TEAM, "working_days": ["mon", "tue", "wed", "thu", "fri"]}


async def test_a_sprint_runs_in_its_order_and_carries_over(starting: Starting) -> None:
    async with starting(project=WEEKDAYS, now=MovableClock(MONDAY)) as orch:
        keep_plan(orch)
        await load(orch)
        said = await start(orch, 0)
        assert "day 1 is today, Monday 23 November. S0-D1-1, S0-D1-2, S0-D2-1 queued" in said
        told = "*Sprint 0 Set-up* was started by <@U0LEAD>: 3 tasks queued"
        await orch.until(lambda: said_in_channel(orch, told), "the channel told")
        first, second, third = [await orch.row(name) for name in ("S0-D1-1", "S0-D1-2", "S0-D2-1")]
        assert first.deadline == MONDAY.replace(hour=17)
        assert (first.owner, first.requester, first.priority) == ("U0DEV", "U0LEAD", "critical")
        assert first.criteria == ["The page says what it is for"] and second.after == ["S0-D1-1"]
        assert third.route["rung"] == "manual" and third.route["type"] == "validation"

        await orch.channel.shows("S0-D1-2", "waiting for S0-D1-1", state="Queued")
        await merge(orch, "S0-D1-1")
        over = (await orch.events("S0-D1-1"))[-1].detail["message"]
        assert (over["status"], over["next_task_id"]) == ("completed", "S0-D1-2")
        await orch.channel.shows("S0-D1-2", state="Awaiting approval")

        ad_hoc = await orch.dev.types("/orch assign Write docs/extra.md --files docs/extra.md")
        assert ad_hoc.acked
        await orch.dev.sees_privately("*S0-D1-3* is queued")  # today's day, and the next n
        await orch.channel.shows("S0-D1-3", state="Awaiting approval")

        await orch.dev.types("/orch sprint show")
        shown = await orch.dev.sees_privately("sprint 0* Set-up · open", "1 of 4 done", "of 100k tokens")
        assert "*S0-D1-2* awaiting approval · haiku" in shown and "haiku" in shown and "gemini" in shown

        await orch.lead.types("/orch sprint close 0")
        asked = await orch.lead.sees_privately("*Sprint 0* has 3 unfinished tasks, and is still open.")
        assert "*S0-D2-1* with a person · Try it out" in asked
        question = orch.world.ephemerals("U0LEAD")[-1]
        await orch.lead.clicks("Keep it open", on=question)
        await orch.until(lambda: "stays open" in words(orch.world.ephemerals("U0LEAD")[-1]), "the sprint kept open")

        await orch.lead.types("/orch sprint close 0")
        await orch.lead.sees_privately("still open")
        await orch.lead.clicks("Carry over to sprint 1", on=orch.world.ephemerals("U0LEAD")[-1])
        await orch.until(lambda: said_in_channel(orch, "3 unfinished tasks went on to sprint 1"), "the sprint closed")
        assert (await orch.row("S0-D1-2")).sprint == 1, "carried over, under its id"
        assert (await orch.events("S0-D1-2"))[-1].detail == {"from": 0, "to": 1}
        await merge(orch, "S0-D1-2")

        await start(orch, 1)
        await orch.channel.shows("S1-D1-1", state="Awaiting approval")
        await orch.dev.types("/orch sprint show 1")
        await orch.dev.sees_privately(
            "sprint 1* Pages · open", "*S0-D2-1* with a person", "1 of 4 done", "of 60k tokens"
        )


async def test_a_day_that_is_over_is_not_day_one(starting: Starting) -> None:
    """Nothing is late at once: of a sprint that starts on Friday evening, Monday is the first day."""
    async with starting(project=WEEKDAYS, now=MovableClock(FRIDAY_EVENING)) as orch:
        keep_plan(orch)
        await load(orch)
        assert "day 1 is Monday 23 November. S0-D1-1" in await start(orch, 0)
        await orch.until(lambda: said_in_channel(orch, "3 tasks queued, day 1 is Monday 23 November."), "the channel")
        assert (await orch.row("S0-D1-1")).deadline == MONDAY.replace(hour=17)
        await orch.lead.types("/orch sprint show 0")
        await orch.lead.sees_privately("day 1: Mon 23 Nov")


async def test_a_deadline_that_is_past_already_is_told(starting: Starting) -> None:
    async with starting(project=WEEKDAYS, now=MovableClock(MONDAY)) as orch:
        keep_plan(orch, DEMO.replace("D1 17:00", "D1 09:30"))
        await load(orch)
        assert "Past already: the deadline of S0-D1-1." in await start(orch, 0)


async def test_a_sprint_is_started_only_when_it_may_and_once(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        keep_plan(orch)
        await orch.lead.types("/orch sprint start 0")
        await orch.lead.sees_privately("There is no sprint 0. No plan is loaded yet. Nothing was started.")
        await load(orch)
        await orch.lead.types("/orch sprint start 7")
        await orch.lead.sees_privately("There is no sprint 7. There are: 0, 1.")
        await orch.lead.types("/orch sprint start 1")
        await orch.lead.sees_privately("S1-D1-1 waits for S0-D1-2, which is not queued yet. Start its sprint first.")
        await orch.lead.types("/orch sprint close 0")
        await orch.lead.sees_privately("Sprint 0 is not open; there is nothing to close.")
        await start(orch, 0)
        await orch.lead.types("/orch sprint start 0")
        await orch.lead.sees_privately("Sprint 0 is open already.")
        await orch.lead.types("/orch sprint start 1")
        await orch.lead.sees_privately("Sprint 0 is still open; close it first: `/orch sprint close 0`.")
        assert len(await orch.tasks()) == 3


async def test_closing_may_cancel_what_is_left_and_asks_nobody_else(starting: Starting) -> None:
    async with starting(project=TEAM) as orch:
        keep_plan(orch)
        await load(orch)
        await start(orch, 0)
        await orch.channel.shows("S0-D1-1", state="Awaiting approval")
        await orch.lead.types("/orch sprint close 0")
        await orch.lead.sees_privately("3 unfinished tasks")
        question = orch.world.ephemerals("U0LEAD")[-1]
        await orch.lead.clicks("Cancel them", on=question)
        await orch.until(lambda: said_in_channel(orch, "3 unfinished tasks cancelled"), "the sprint closed")
        for task in ("S0-D1-1", "S0-D1-2", "S0-D2-1"):
            await orch.channel.shows(task, state="Stopped")
        await orch.lead.types("/orch sprint show 0")
        await orch.lead.sees_privately("Set-up · closed <!date^", "0 of 3 done")
        await orch.dev.types("/orch assign Write docs/later.md --files docs/later.md")
        await orch.dev.sees_privately("*S0-D0-1* is queued")


async def test_a_sprints_own_budget_holds(starting: Starting) -> None:
    """R-BUD-2, R-BUD-4: the sum of what the plan gives a sprint."""
    async with starting(project=TEAM) as orch:
        keep_plan(orch, DEMO.replace("{haiku: 40000, sonnet: 20000, gemini: 40000}", "{haiku: 4000}"))
        await load(orch)
        await start(orch, 0)
        await orch.channel.shows("S0-D1-1", state="Awaiting approval")
        async with orch.office.db.read() as session:
            calls = await ledger.calls_of(session, (await orch.row("S0-D1-1")).pk)
        assert calls and all(call.reserved_tokens <= 4000 for call in calls), "though a task here may take 20,000"
        await orch.dev.types("/orch sprint show")
        await orch.dev.sees_privately("of 4k tokens used", "haiku")


async def test_a_task_of_a_plan_goes_by_the_same_floor(starting: Starting) -> None:
    """R-SEC-1: a plan's wish is no more than a person's."""
    async with starting(project=TEAM) as orch:
        wish = "    type: auth\n    model: haiku\n    files: [docs/first.md]"
        keep_plan(orch, DEMO.replace("    type: docs\n    files: [docs/first.md]", wish))
        said = await load(orch)
        assert "S0-D1-1" in said, "the plan's author is told"
        await start(orch, 0)
        row = await orch.row("S0-D1-1")
        assert row.route["rung"] == "sonnet" and row.route["security"]
        await orch.channel.shows("S0-D1-1", ":lock:")
