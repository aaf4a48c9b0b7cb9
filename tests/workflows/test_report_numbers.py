"""The numbers of the reports against SQL of this test's own, over the same events and ledger (R-REP-3)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.budget import limits_of_call
from bot.domain.daily_report import daily_report
from bot.domain.task import Rung
from bot.domain.task import TaskState as S
from bot.domain.weekly_report import weekly_report
from bot.errors import UserMistake
from bot.store import tasks
from bot.store.database import Database
from bot.store.tables import SprintRow
from bot.workflows.office import Office
from bot.workflows.report_facts import gather
from bot.workflows.reporting import facts_of
from tests.store.samples import ROUTE, a_call, created
from tests.workflows.offices import an_office

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 16, tzinfo=UTC)
WAY = (S.RUNNING, S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.MERGING, S.MERGED)
ENDS = (S.BLOCKED, S.CANCELLED, S.FAILED)

TOKENS = """
    SELECT coalesce(sum(CASE WHEN c.state IN ('settled', 'unknown') THEN c.used_tokens END), 0),
           coalesce(sum(CASE WHEN c.state = 'sent' THEN c.reserved_tokens END), 0),
           coalesce(sum(CASE WHEN c.state = 'sent' THEN c.reserved_microusd ELSE c.cost_microusd END), 0)
    FROM calls c JOIN tasks t ON t.pk = c.task_pk WHERE t.project = 'GRANTER'"""
NEWEST = """
    SELECT t.task_id, e.state, e.at FROM tasks t JOIN task_events e ON e.id =
      (SELECT max(f.id) FROM task_events f WHERE f.task_pk = t.pk) WHERE t.project = 'GRANTER'"""
OF_TASK = """
    SELECT t.task_id, sum(CASE WHEN c.state = 'sent' THEN c.reserved_tokens ELSE c.used_tokens END)
    FROM calls c JOIN tasks t ON t.pk = c.task_pk WHERE t.project = 'GRANTER' GROUP BY t.task_id"""


async def _lives(database: Database, office: Office, dice: random.Random, number: int, project: str) -> None:
    """A task that gets some way in these three days, with calls in every state."""
    rung = dice.choice([Rung.HAIKU, Rung.SONNET])
    at = MONDAY + timedelta(minutes=dice.randrange(2 * 24 * 60))
    row = await created(database, number, project=project, created_at=at, updated_at=at,
                        route={**ROUTE, "rung": rung.value}, touched=[])  # fmt: skip
    limits = office.projects["GRANTER"].limits
    way = WAY[: dice.randrange(len(WAY) + 1)]
    if way and dice.random() < 0.3:
        way = (*way[:2], dice.choice(ENDS))
    async with database.begin() as session:
        row = await tasks.lock(session, row.pk)
        for place, state in enumerate(way):
            at = min(at + timedelta(minutes=dice.randrange(1, 200)), NOW)
            await tasks.step(session, row, state, at=at, who="orch", why=f"{state} now")
            said = limits_of_call(limits, project=project, task=row.task_id, attempt=1, sprint=0, rung=rung,
                                  day=at.date(), budget=1000)  # fmt: skip
            outcome = dice.choice(["settled", "settled", "unknown", "refused", "sent"])
            took = {"settled": dice.randrange(100, 900), "unknown": 1000}.get(outcome, 0)
            over: dict[str, Any] = {} if outcome == "sent" else {"settled_at": at}
            session.add(
                a_call(
                    row, place, 1000, id=f"{project}/{row.task_id}/1/{place}", rung=rung.value, day=at.date(),
                    state=outcome, created_at=at, used_tokens=took, cost_microusd=took * 3,
                    scopes=[limit.scope for limit in said], **over,
                )
            )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_reports_say_what_the_books_say(database: Database, seed: int) -> None:
    office, dice = an_office(database), random.Random(seed)
    for number in range(1, 41):
        await _lives(database, office, dice, number, "GRANTER")
    for number in range(41, 46):
        await _lives(database, office, dice, number, "OTHER")
    async with database.read() as session:
        facts = await gather(session, office.projects["GRANTER"], NOW.date(), now=NOW, price=office.price)

        async def asked(query: str, **values: Any) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await session.execute(text(query), values)]

        ((used, reserved, _),) = await asked(f"{TOKENS} AND c.day = :day", day=str(NOW.date()))
        by_rung = {
            rung: (await asked(f"{TOKENS} AND c.day = :day AND c.rung = :rung", day=str(NOW.date()), rung=rung))[0]
            for rung in ("haiku", "sonnet")
        }
        ((all_used, all_reserved, all_cost),) = await asked(TOKENS)
        newest = await asked(NEWEST)
        of_task = {task: int(tokens) for task, tokens in await asked(OF_TASK)}
    daily, weekly = daily_report(facts), weekly_report(facts)
    today = str(NOW.date())
    standing = {task: state for task, state, _ in newest}
    merged_today = {task for task, state, at in newest if state == "merged" and str(at)[:10] == today}
    assert used > 0 and reserved > 0 and merged_today, "the dice gave something to count"

    assert (facts.today.used_tokens, facts.today.reserved_tokens) == (used, reserved)
    usage = {each.name: (each.used, each.reserved) for each in daily.usage}
    assert usage["day"] == (used, reserved) and usage["sprint 0"] == (all_used, all_reserved)
    for rung, (rung_used, rung_reserved, _) in by_rung.items():
        assert usage[f"{rung} today"] == (rung_used, rung_reserved), rung
    assert {line.id: line.tokens for line in daily.completed} == {task: of_task.get(task, 0) for task in merged_today}
    assert {line.id for line in daily.blocked} == {task for task, state in standing.items() if state == "blocked"}
    at_work = {"running", "checking", "in_review", "awaiting_approval", "merging"}
    for lines, states in ((daily.in_progress, at_work), (daily.queued, {"queued"})):
        assert {line.id for line in lines} == {task for task, state in standing.items() if state in states}, states
    assert weekly.cost_microusd == all_cost and (weekly.usage.used, weekly.usage.reserved) == (all_used, all_reserved)
    assert {line.id for line in weekly.completed} == {task for task, state in standing.items() if state == "merged"}
    assert {line.id for line in weekly.blockers} == {line.id for line in daily.blocked}
    done = sum(state == "merged" for state in standing.values())
    given_up = sum(state in ("cancelled", "failed") for state in standing.values())
    (progress,) = weekly.sprints
    assert progress.percent == 100 * done // (len(standing) - given_up), "of what was not given up"


async def test_sprint_0_is_what_ad_hoc_work_belongs_to_also_beside_a_plan(database: Database, office: Office) -> None:
    """R-MSG-4; asked for, the report is about its tasks alone."""
    await created(database, 1, created_at=MONDAY)
    await created(database, 2, created_at=MONDAY, sprint=1)
    async with database.begin() as session:
        session.add(SprintRow(project="GRANTER", number=1, title="", days=5, state="open", budget={}))

    async def about(sprint: int | None) -> tuple[int | None, set[str], int]:
        async with database.read() as session:
            facts = await facts_of(session, office.projects["GRANTER"], "daily", NOW.date(), NOW, office.price, sprint)
        assert facts.sprint is not None
        return facts.sprint.sprint.number, {task.id for task in facts.of_sprint}, len(facts.sprints)

    assert await about(0) == (0, {"S0-D0-1"}, 2)
    assert await about(1) == await about(None) == (1, {"S0-D0-2"}, 1)
    with pytest.raises(UserMistake, match="There is no sprint 2 in GRANTER"):
        await about(2)
