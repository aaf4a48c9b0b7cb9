"""Where a project's limits stand today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import Level, Limit, limits_of_call
from bot.domain.coordinator import coordinator_limit
from bot.domain.limit_orders import Order
from bot.domain.project import Project
from bot.domain.task import Rung
from bot.store import ledger, limit_orders, sprints
from bot.workflows.office import Office

PAID = (Rung.HAIKU, Rung.SONNET, Rung.GEMINI, Rung.OPUS)


class Counters:
    """The limits that hold for a project today, and where their counters stand."""

    def __init__(self, day: date, sprint: int, orders: Sequence[Order], levels: Sequence[Level]) -> None:
        self.day, self.sprint_number = day, sprint
        self.orders = [order for order in orders if order.holds(day, sprint)]
        self.rungs = dict(zip(PAID, levels, strict=False))
        self.own, self.today, self.sprint = levels[len(PAID) :]


async def counters(office: Office, session: AsyncSession, project: Project) -> Counters:
    """Today's, and the open sprint's (0 where none is open)."""
    day = project.day(office.now())
    going_on = await sprints.open_now(session, project.key)
    number = going_on.number if going_on else 0
    held = await limit_orders.limits_on(session, project.limits, project.key, number, day)
    of_rung: list[tuple[Limit, ...]] = [
        limits_of_call(held, project=project.key, task="", attempt=0, sprint=number, rung=rung, day=day, budget=0)
        for rung in PAID
    ]
    wanted = [*(limits[0] for limits in of_rung), coordinator_limit(project.key, day), *of_rung[0][1:]]
    orders = await limit_orders.standing(session, project.key, day)
    return Counters(day, number, orders, await ledger.levels(session, wanted))
