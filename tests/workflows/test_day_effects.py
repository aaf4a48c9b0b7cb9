"""What the day's posts do to tasks, in a real store (R-DAY-1, R-DAY-2): each action is in the task's log."""

from __future__ import annotations

from sqlalchemy import select

from bot.domain.day import Action
from bot.domain.task import Rung, TaskState
from bot.store import tasks
from bot.store.database import Database
from bot.store.tables import OutboxRow, TaskRow
from bot.workflows.attempts import block
from bot.workflows.day_effects import do_all
from bot.workflows.office import Office
from tests.store.samples import ROUTE, created
from tests.workflows.offices import NOW, an_office

LOGIC = {**ROUTE, "rung": "sonnet", "type": "logic", "complexity": "medium", "rule": "R-RT-2"}


async def done(office: Office, row: TaskRow, **action: object) -> list[str]:
    """Do it twice, as after a crash; returns what was done."""
    found: list[str] = []
    for _ in range(2):
        async with office.db.begin() as session:
            task = tasks.as_task(await tasks.lock(session, row.pk))
            wanted = Action.model_validate({"task": task, "why": "is behind", "rule": "R-DAY-2", **action})
            found += [each.what for each in await do_all(office, session, "GRANTER", [wanted], "GRANTER/day/midday")]
    return found


async def after(database: Database, row: TaskRow) -> tuple[TaskRow, list[str], list[OutboxRow]]:
    async with database.read() as session:
        fresh = await session.get_one(TaskRow, row.pk, populate_existing=True)
        kinds = [event.kind for event in await tasks.events(session, row.pk)]
        direct = (await session.scalars(select(OutboxRow).where(OutboxRow.kind == "direct"))).all()
    return fresh, kinds, list(direct)


async def test_what_is_behind_goes_to_haiku_where_that_suffices(database: Database) -> None:
    row = await created(database, route=LOGIC)
    await done(an_office(database), row, what="cheaper", rung=Rung.HAIKU)
    fresh, kinds, _ = await after(database, row)
    assert (fresh.route["rung"], fresh.state) == ("haiku", "queued")
    assert "reassigned" in kinds


async def test_security_critical_work_never_goes_to_haiku(database: Database) -> None:
    """R-SEC-1: whatever was decided before, it is asked again of the row."""
    row = await created(database, route={**LOGIC, "security": True, "complexity": "critical"})
    assert await done(an_office(database), row, what="cheaper", rung=Rung.HAIKU) == []
    fresh, kinds, _ = await after(database, row)
    assert fresh.route["rung"] == "sonnet" and "reassigned" not in kinds


async def test_an_owner_is_reminded_once(database: Database) -> None:
    row = await created(database, route={**ROUTE, "rung": "manual", "type": "ops"}, state="with_human")
    await done(an_office(database), row, what="remind", people=("U0DEV",))
    _, kinds, direct = await after(database, row)
    assert [(each.channel, each.task_pk) for each in direct] == [("U0DEV", row.pk)]
    assert "reminded" in kinds


async def test_what_stood_still_for_tokens_is_queued_again(database: Database) -> None:
    row, office = await created(database), an_office(database)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        await block(office, session, locked, "haiku's tokens are gone", detail={"budget": True})
    assert await done(office, row, what="requeue", rule="R-BUD-3") == ["requeue"], "the second time it is queued"
    fresh, kinds, _ = await after(database, row)
    assert fresh.state == TaskState.QUEUED and "resumed" in kinds and fresh.updated_at == NOW
