"""What the metrics are computed from: only what the window needs, and as limits held then (R-MET)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.limit_orders import raised
from bot.domain.metrics import Covered, Metric, Record, metrics
from bot.domain.task import TaskState as S
from bot.settings import parse_config
from bot.store import limit_orders, metric_facts, tasks
from bot.store.database import Database
from bot.store.tables import LimitOrderRow, TaskRow
from tests.store.samples import NOW, created

WAY = [S.RUNNING, S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.MERGING, S.MERGED]


async def _goes(database: Database, number: int, begun: datetime, detail: dict[str, Any], **fields: Any) -> TaskRow:
    """A task that is merged in six hours."""
    row = await created(database, number, created_at=begun, updated_at=begun, **fields)
    async with database.begin() as session:
        row = await tasks.lock(session, row.pk)
        for hours, state in enumerate(WAY, 1):
            at = begun + timedelta(hours=hours)
            await tasks.step(
                session, row, state, at=at, who="orch", why="on", detail=detail if state is S.MERGED else {}
            )
    return row


async def _metrics(session: AsyncSession, start: datetime, end: datetime) -> dict[str, Metric]:
    record = Record(
        start=start,
        end=end,
        events=await metric_facts.happened(session, "GRANTER", start, end),
        deadlines=await metric_facts.deadlines(session, "GRANTER", start, end),
        covered=await metric_facts.covered(session, "GRANTER", start, end),
    )
    return {metric.name: metric for metric in metrics(record)}


async def test_a_window_needs_no_more_than_the_tasks_it_is_about(database: Database) -> None:
    """What a task did before the window tells how long it waited; a task that ended before it is not read at all."""
    start, end = NOW, NOW + timedelta(days=1)
    await _goes(database, 1, NOW - timedelta(days=9), {"coverage": 0.1})
    await _goes(database, 2, NOW - timedelta(hours=4), {"coverage": 0.8})  # half before, half in the window
    early = await _goes(database, 3, NOW - timedelta(days=2), {}, deadline=NOW + timedelta(hours=1))
    async with database.begin() as session:  # a remark, whose state is out of date
        row = await tasks.lock(session, early.pk)
        row.state = S.BLOCKED.value
        tasks.add_event(session, row, at=NOW, who="orch", kind="solved", why="", detail={})
        row.state = S.MERGED.value
    async with database.read() as session:
        events = await metric_facts.happened(session, "GRANTER", start, end)
        found = await _metrics(session, start, end)
        merge = next(e.id for e in events if e.task == "S0-D0-2" and e.state is S.MERGED)
        covered = await metric_facts.covered(session, "GRANTER", start, end)
        everything = await metric_facts.covered(session, "GRANTER", start - timedelta(days=30), end)
    assert {event.task for event in events} == {"S0-D0-2", "S0-D0-3"}
    assert S.BLOCKED not in {event.state for event in events}
    assert (found["on_schedule"].value, found["on_schedule"].count) == (1.0, 1)
    assert found["cost_per_merge"].events == (merge,)
    assert covered == (Covered(event=merge, share=0.8),) and found["coverage"].met is True
    assert [each.share for each in everything] == [0.1, 0.8]


async def test_a_day_counts_against_the_limit_that_held_then(database: Database) -> None:
    """Of raises that are over, and that were taken back, too."""
    limits = parse_config({"token_budget_daily": 1_000}).limits
    day = date(2026, 11, 20)
    known = {"project": "GRANTER", "kind": "raise", "limit": "day", "who": "U0LEAD", "at": NOW}
    async with database.begin() as session:
        session.add_all(
            [
                LimitOrderRow(**known, delivery_key="a", tokens=500, first=day, last=day),
                LimitOrderRow(**known, delivery_key="b", tokens=50, first=day, last=day + timedelta(days=9),
                              ended_at=NOW - timedelta(days=1)),
                LimitOrderRow(**{**known, "project": "OTHER"}, delivery_key="c", tokens=7, first=day, last=day),
            ]
        )  # fmt: skip
    async with database.read() as session:
        orders = await limit_orders.ever(session, "GRANTER", day, day + timedelta(days=4), lambda at: at.date())
    held = [raised(limits, orders, day + timedelta(days=n), 0).day.total for n in range(-1, 4)]
    assert held == [1_000, 1_550, 1_050, 1_000, 1_000]
