"""The success metrics over a window, gathered from the store (R-MET)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import saving
from bot.domain.limit_orders import raised
from bot.domain.metrics import Metric, Record, metrics
from bot.domain.project import Project
from bot.domain.task import Rung
from bot.store import limit_orders, metric_facts, spending
from bot.workflows.report_facts import PriceOf

#: The window that is shown where none is named, in days.
DAYS = 30


async def measured(
    session: AsyncSession, project: Project, end: datetime, price: PriceOf, *, days: int = DAYS,
    ack_seconds: Sequence[float] = (),
) -> tuple[Metric, ...]:  # fmt: skip
    """The metrics of the `days` before `end`. `ack_seconds`: how long this process took to answer Slack."""
    start = end - timedelta(days=days)
    first, last = project.day(start), project.day(end)
    used = await metric_facts.tokens_by_day(session, project.key, first, last)
    orders = await limit_orders.ever(session, project.key, first, last, project.day)
    paid = await spending.paid_calls(session, project.key, first, last)
    stuck = await metric_facts.stuck(session, project.key)
    record = Record(
        start=start,
        end=end,
        events=await metric_facts.happened(session, project.key, start, end),
        attempts=await metric_facts.tried(session, project.key, start),
        deadlines=await metric_facts.deadlines(session, project.key, start, end),
        days={day: (tokens, raised(project.limits, orders, day, sprint=0).day.total) for day, tokens in used.items()},
        cost_microusd=await metric_facts.cost(session, project.key, start, end),
        saving=saving.measure(paid, price, project.models[Rung.SONNET], project.lighter),
        incidents=await metric_facts.incidents(session, project.key, start, end),
        blockers=stuck or None,
        covered=await metric_facts.covered(session, project.key, start, end),
        ack_seconds=tuple(ack_seconds),
    )
    return metrics(record)
