"""The reports as Slack is asked to show them, against the plan's own examples (EXAMPLES.md), element by element."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.daily_report import daily_report
from bot.domain.metrics import Record, metrics
from bot.domain.saving import STEPS, Saving
from bot.domain.weekly_report import weekly_report
from bot.domain.working_days import WorkingDays
from bot.domain.working_hours import WorkingHours
from bot.local.slack import limits
from bot.local.slack.block_check import check_message_blocks
from bot.render import Renderer
from bot.wiring import data_folder
from bot.workflows.reporting import post, thread
from tests.domain.report_samples import AT, DAY, a_planned, a_sprint, a_task, some_facts, the_plans_day, the_plans_week

WORDS = Renderer(data_folder("templates"))


def said(message: Mapping[str, Any]) -> dict[str, str]:
    """block_id -> its words; those without an id by their type."""
    found = {}
    for block in message["blocks"]:
        text = block.get("text") or block["elements"][0]
        found[block.get("block_id") or block["type"]] = text["text"]
    return found


def test_the_plans_stand_up() -> None:
    """R-REP-1"""
    blocks = said(post(WORDS, daily_report(the_plans_day())))
    assert blocks["header"] == "GRANTER v2 · daily stand-up · 2026-01-30"
    assert blocks["completed"].splitlines() == [
        "*Completed today: 2*",
        "• *S0-D1-1* Turbo setup (haiku, 1.8k tokens)",
        "• *S0-D1-2* Next.js boilerplate (haiku, 2.1k tokens)",
    ]
    assert blocks["in_progress"].splitlines() == [
        "*In progress: 1*, queued: 1",
        "• *S0-D1-3* NestJS boilerplate (haiku, 60 % done, awaiting approval)",
        "• *S0-D2-1* Docker Compose (haiku, queued)",
    ]
    assert blocks["blocked"] == "*Blocked: none*"
    assert "day: 3.9k of 30k (13 %, on track)" in blocks["tokens"]
    assert "sprint 0: 3.9k of 150k (3 %, on track)" in blocks["tokens"]
    assert blocks["alerts"] == "*Alerts: none*"
    assert blocks["tomorrow"].splitlines() == [
        "*Next, Monday*",
        "1. complete *S0-D1-3* NestJS boilerplate",
        "2. start *S0-D2-1* Docker Compose (critical)",
        "3. begin *S0-D2-2* TypeORM schema",
    ]
    assert blocks["closing"].endswith("*Go: green light, continue.*")


def test_the_morning_tells_what_was_completed_since_the_working_day_before() -> None:
    """R-DAY-1: overnight progress, a weekend's too; the report of a day that is over tells of that day alone."""
    facts = some_facts(
        a_task("S0-D1-1", "Turbo setup", "merged", tokens=1_800, since=AT - timedelta(hours=20)),
        a_task("S0-D1-2", "Long ago", "merged", since=AT - timedelta(days=2)),
        a_task("S0-D1-3", "Given up", "cancelled", since=AT - timedelta(hours=20)),
        day=date(2026, 1, 30), at=AT.replace(hour=8),
    )  # fmt: skip
    blocks = said(post(WORDS, daily_report(facts)))
    assert blocks["completed"] == "*Completed today: nothing yet*"
    assert blocks["overnight"] == "*Completed since Thursday: 1*\n• *S0-D1-1* Turbo setup (haiku, 1.8k tokens)"
    over = facts.model_copy(update={"at": AT.replace(hour=0) + timedelta(days=1)})
    assert "overnight" not in said(post(WORDS, daily_report(over)))


def test_the_plans_weekly() -> None:
    """R-REP-2"""
    blocks = said(post(WORDS, weekly_report(the_plans_week())))
    assert blocks["header"] == "GRANTER v2 · week 1 · 2026-01-26 to 2026-02-01"
    assert "*On schedule*" in blocks["status"]
    assert "• sprint 0 Set-up: 95 % complete, 1 task remaining" in blocks["sprints"]
    assert blocks["milestones"].splitlines() == [
        "*Milestones*",
        ":white_check_mark: Monorepo set up (S0-D1-1, done)",
        ":white_check_mark: 5 services dockerised (S0-D1-2, done)",
        ":white_check_mark: CI/CD pipeline configured (S0-D1-3, done)",
        ":white_medium_square: Local environment validated (S0-D5-1, pending, Friday 2026-01-30)",
    ]
    assert "sprint 0: 42.3k of 150k (28 %, on track)" in blocks["money"]
    assert "*Cost* $0.98, 4 % of $25.00" in blocks["money"]
    assert blocks["risks"] == "*Risks: none*"
    assert blocks["blockers"] == "*Blockers: none*"
    assert "Sprint 1, Auth and security (critical): 5 tasks, expected $1.35" in blocks["next_week"]
    assert blocks["closing"].endswith("*Approved: proceed to sprint 1.*")


def test_what_ended_after_the_last_weekly_report_is_told_in_the_next() -> None:
    """A week's report is posted before the week ends."""
    friday = AT - timedelta(days=7)
    facts = some_facts(
        a_task("S0-D1-1", "Told last week", "merged", since=friday - timedelta(hours=2)),
        a_task("S0-D1-2", "On Friday night", "merged", since=friday + timedelta(hours=2)),
        a_task("S0-D1-3", "On Sunday", "done", since=friday + timedelta(days=2)),
        a_task("S0-D1-4", "This week", "merged"),
        reported_until=friday,
    )
    made = weekly_report(facts)
    words = "1 task completed this week, and 2 more since the report of 2026-01-23"
    assert words in said(post(WORDS, made))["status"]
    assert [message["text"] for message in thread(WORDS, made)] == [
        "Completed: 1",
        "Completed since the weekly report before: 2",
    ]
    assert ["Told last week" in text for text in map(str, thread(WORDS, made))] == [False, False]
    unposted = weekly_report(facts.model_copy(update={"reported_until": None}))
    assert "1 task completed this week\n" in said(post(WORDS, unposted))["status"]


def test_a_plan_says_what_its_milestones_are() -> None:
    """R-REP-2: where it marks some, those alone; else what is critical, and validations."""
    facts = some_facts(
        a_task("S0-D1-1", "Repository ready", "merged", milestone=True),
        a_task("S0-D1-2", "Urgent", priority="critical"),
        planned=(a_planned("S0-D2-1", "Demo held", sprint=0, milestone=True), a_planned("S1-D1-1", milestone=True)),
    )
    assert said(post(WORDS, weekly_report(facts)))["milestones"].splitlines() == [
        "*Milestones*",
        ":white_check_mark: Repository ready (S0-D1-1, done)",
        ":white_medium_square: Demo held (S0-D2-1, pending)",
    ]


def test_the_weekly_has_the_metrics_that_have_a_goal() -> None:
    """R-MET"""
    spent = {**dict.fromkeys(STEPS, 29), "all_sonnet": 110, "all_sonnet_cached": 100}
    measured = metrics(Record(start=AT, end=AT, saving=Saving(calls=3, microusd=spent)))
    blocks = said(post(WORDS, weekly_report(some_facts(metrics=measured))))
    assert ":large_green_circle: Cost against all-sonnet: 71 %" in blocks["metrics"]
    assert "of 3; goal at least 70 %: met" in blocks["metrics"]
    assert ":white_circle: Coverage of merged code: not reported by the project" in blocks["metrics"]
    assert "Queue time" not in blocks["metrics"]


def test_an_empty_project() -> None:
    facts = some_facts(sprints=())
    daily = said(post(WORDS, daily_report(facts)))
    assert daily["completed"] == "*Completed today: nothing yet*"
    assert "nothing is queued or planned" in daily["tomorrow"]
    assert "there was no task yet" in daily["context"]
    assert "none was started" in said(post(WORDS, weekly_report(facts)))["sprints"]


def test_the_week_before_anything_was_there() -> None:
    """It tells of no progress, of nothing: neither of none at all, nor of a sprint that started later."""
    later = DAY + timedelta(days=3)
    for sprints in ((a_sprint(state="closed", first_day=None),), (a_sprint(0), a_sprint(1, first_day=later))):
        blocks = said(post(WORDS, weekly_report(some_facts(sprints=sprints))))
        assert blocks["sprints"].splitlines() == ["*Sprints*", "• sprint 0: no tasks"]
        assert "0 tasks completed this week\nthere was no task yet" in blocks["status"]
    finished = said(post(WORDS, weekly_report(some_facts(a_task("S0-D1-1", state="done")))))
    assert "everything is finished" in finished["status"]
    assert "sprint 0: 100 % complete, no tasks remaining" in finished["sprints"]


def test_a_week_from_sunday_to_thursday_has_what_ended_on_sunday() -> None:
    sunday = date(2026, 1, 25)
    done = [a_task(f"S0-D1-{n}", state="merged") for n in (1, 2)]
    ended = {"S0-D1-1": sunday - timedelta(days=1), "S0-D1-2": sunday}
    hours = WorkingHours(days=WorkingDays(weekdays=("sun", "mon", "tue", "wed", "thu")))
    week = weekly_report(some_facts(*done, day=sunday + timedelta(days=4), ended_on=ended, hours=hours))
    assert (week.first, week.last) == (sunday, sunday + timedelta(days=6))
    assert [line.id for line in week.completed] == ["S0-D1-2"]


def test_the_first_day_has_no_date_yet() -> None:
    facts = some_facts(a_task("S0-D1-1", state="running"), sprints=(a_sprint(),))
    assert "1 task left; no date yet" in said(post(WORDS, daily_report(facts)))["context"]


@pytest.mark.parametrize("make", [daily_report, weekly_report])
def test_what_was_done_is_said_and_what_is_late(make: Any) -> None:
    made = make(the_plans_day())
    blocks = said(post(WORDS, made, ["Queued 3 tasks"], ["S0-D1-3 waits for <a> & an approval"], late_minutes=25))
    assert blocks["did"] == "*What I did*\n• Queued 3 tasks"
    assert blocks["needs"].endswith("• S0-D1-3 waits for &lt;a&gt; &amp; an approval")
    assert "25 min late" in (blocks["context"] if make is weekly_report else str(post(WORDS, made, late_minutes=25)))


@pytest.mark.parametrize("make", [daily_report, weekly_report])
@pytest.mark.parametrize("state", ["queued", "running", "blocked", "failed", "merged", "awaiting_approval"])
def test_500_tasks_stay_within_slacks_limits(state: str, make: Any) -> None:
    """With the longest words, and those that escaping makes longer."""
    words = "&<>" * 60
    tasks = [a_task(f"S0-D1-{n}", words, state, why=words * 9, owner="U0DEV", priority="critical") for n in range(500)]
    made = make(some_facts(*tasks))
    many = [words * 9] * 500
    for message in (post(WORDS, made, many, many, 9), *thread(WORDS, made, many, many)):
        assert check_message_blocks(message["blocks"]) == []
        assert len(message["text"]) < limits.MESSAGE_TEXT
        assert sum(len(text) for text in said(message).values()) < 30_000


def test_the_thread_has_every_task_that_the_post_has_no_room_for() -> None:
    tasks = [a_task(f"S0-D1-{n}", state="merged") for n in range(250)]
    made = daily_report(some_facts(*tasks))
    text = "\n".join(
        block["text"]["text"] for message in thread(WORDS, made) for block in message["blocks"] if "text" in block
    )
    assert [f"*S0-D1-{n}*" in text for n in range(250)] == [True] * 250
    assert "and 242 more, in the thread" in said(post(WORDS, made))["completed"]
