"""What the day's posts look at, in a real store (R-DAY)."""

from __future__ import annotations

from bot.domain.approvals import Person
from bot.domain.task import Rung
from bot.store import tasks
from bot.workflows.budget_orders import More, raise_limit
from bot.workflows.day_facts import Gathered, gather
from bot.workflows.office import Office

LEAD = Person(id="U0LEAD")


async def facts(office: Office) -> Gathered:
    async with office.db.begin() as session:
        await tasks.lock_project(session, "GRANTER")
        return await gather(office, session, office.projects["GRANTER"])


async def test_what_leads_raised_is_room_for_the_day(office: Office) -> None:
    """R-BUD-3: as in `/orch budget` and as the foreman counts; only for the days that it holds."""
    before = await facts(office)
    await raise_limit(office, office.projects["GRANTER"], LEAD, "haiku", More(5_000), None, delivery_key="raise")
    now = await facts(office)
    assert now.levels["haiku"].limit.tokens == before.levels["haiku"].limit.tokens + 5_000
    assert now.facts.room.rungs[Rung.HAIKU] > before.facts.room.rungs[Rung.HAIKU]
    assert now.facts.tomorrow == before.facts.tomorrow
