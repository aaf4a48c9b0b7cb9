"""Where a project's limits stand on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import Level, limits_of_call
from bot.domain.coordinator import coordinator_limit
from bot.domain.limit_orders import Order
from bot.domain.project import Project
from bot.domain.sprint import number_of
from bot.domain.task import PAID
from bot.store import ledger, limit_orders, sprints
from bot.workflows.office import Office


class Counters:
    """The limits that hold for a project today, and where their counters stand; `own` is the coordinator's."""

    def __init__(
        self, day: date, sprint: int, orders: Sequence[Order], levels: Mapping[str, Level], own: Level
    ) -> None:
        self.day, self.sprint_number = day, sprint
        self.orders = [order for order in orders if order.holds(day, sprint)]
        self.rungs = {rung: levels[rung] for rung in PAID}
        self.own, self.today, self.sprint = own, levels["day"], levels["sprint"]


async def counters(office: Office, session: AsyncSession, project: Project) -> Counters:
    """Today's, and the open sprint's (0 where none is open)."""
    day = project.day(office.now())
    number = number_of(await sprints.open_now(session, project.key))
    levels = await levels_on(session, project, number, day)
    (own,) = await ledger.levels(session, [coordinator_limit(project.key, day)])
    orders = await limit_orders.standing(session, project.key, day)
    return Counters(day, number, orders, levels, own)


async def levels_on(session: AsyncSession, project: Project, sprint: int, day: date) -> dict[str, Level]:
    """What every call of that day and sprint counts against, by the names that people have for it (LimitName): each
    rung's day, the day, the sprint. What leads raised is in it."""
    held = await limit_orders.limits_on(session, project.limits, project.key, sprint, day)
    limits = {
        str(limit.kind): limit
        for rung in PAID
        for limit in limits_of_call(
            held, project=project.key, task="", attempt=0, sprint=sprint, rung=rung, day=day, budget=0
        )
    }
    names = [*PAID, "day", "sprint"]
    return dict(zip(names, await ledger.levels(session, [limits[name] for name in names]), strict=True))
