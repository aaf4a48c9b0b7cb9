"""The foreman: no slot is given twice, no stop is overwritten, no task stays in a stage that nobody works on."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from bot.domain.task import TaskState
from bot.store import attempts, tasks
from bot.store.database import Database
from bot.store.tables import TaskRow
from bot.workflows.foreman import Foreman, dispatch
from bot.workflows.office import Office, Visit
from bot.workflows.stages import Stages
from tests.store.samples import NOW, ROUTE, created


class FakeStages(Stages):
    """Starts nothing; says of its visits what the test says."""

    def __init__(self, office: Office) -> None:
        super().__init__(office, None)  # type: ignore[arg-type]
        self.started: list[str] = []
        self.ended: set[str] = set()
        self.trouble: list[Exception] = []

    async def start(self, visit: Visit) -> None:
        if self.trouble:
            raise self.trouble.pop()
        self.started.append(visit.id)

    async def is_over(self, workflow_id: str) -> bool:
        return workflow_id in self.ended


async def states(database: Database) -> list[str]:
    async with database.read() as session:
        return [str(s) for s in (await session.scalars(select(TaskRow.state).order_by(TaskRow.pk))).all()]


async def test_a_stage_is_started_once_and_again_when_its_start_failed(office: Office, database: Database) -> None:
    stages = FakeStages(office)
    foreman = Foreman(office, stages)
    await created(database)
    stages.trouble.append(OSError("the disk is full"))
    await foreman.round()
    assert office.troubles.now() == ("foreman GRANTER S0-D0-1",)
    await foreman.round()
    await foreman.round()
    assert stages.started == ["GRANTER/S0-D0-1/1/running/1"]
    await Foreman(office, stages).round()  # after a crash: DBOS makes the second start a no-op
    assert len(stages.started) == 2


async def test_a_stage_that_ended_without_an_outcome_is_given_to_a_person(office: Office, database: Database) -> None:
    stages = FakeStages(office)
    await created(database)
    await created(database, 2)
    await Foreman(office, stages).round()
    stages.ended.add("GRANTER/S0-D0-1/1/running/1")
    await Foreman(office, stages).round()
    assert await states(database) == ["blocked", "running"]


async def test_a_stage_that_went_on_meanwhile_is_left_alone(office: Office, database: Database) -> None:
    row = await created(database)
    await Foreman(office, FakeStages(office)).round()
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        old = Visit.of(locked)
        await tasks.step(session, locked, TaskState.CHECKING, at=NOW, who="orch", why="on")
    await FakeStages(office).give_to_person(old, "ended")
    assert await states(database) == ["checking"]


async def test_many_foremen_give_each_slot_once(office: Office, database: Database) -> None:
    slots = office.projects["GRANTER"].concurrency["haiku"]  # type: ignore[index]
    for number in range(1, slots + 4):
        await created(database, number, files=[f"docs/{number}.md"])

    async def one() -> None:
        async with database.begin() as session:
            await dispatch(office, session, "GRANTER")

    await asyncio.gather(*(one() for _ in range(6)))
    found = await states(database)
    assert (found.count("running"), found.count("queued")) == (slots, 3)
    async with database.read() as session:
        attempts = set((await session.scalars(select(TaskRow.attempt))).all())
    assert attempts == {0, 1}


async def test_a_stop_is_not_overwritten_by_a_start(office: Office, database: Database) -> None:
    """Stopped by a person while the foreman looks at it: whoever comes first, it ends stopped."""
    rows = [await created(database, number, files=[f"docs/{number}.md"]) for number in range(1, 7)]

    async def stop(pk: int) -> None:
        async with database.begin() as session:
            row = await tasks.lock(session, pk)
            await tasks.step(session, row, TaskState.CANCELLED, at=NOW, who="U0DEV", why="stopped")

    async def start() -> None:
        async with database.begin() as session:
            await dispatch(office, session, "GRANTER")

    await asyncio.gather(*(job for row in rows for job in (stop(row.pk), start())))
    assert set(await states(database)) == {"cancelled"}


async def test_a_stage_that_cannot_be_started_holds_up_no_other(office: Office, database: Database) -> None:
    stages = FakeStages(office)
    await created(database)
    await created(database, 2)
    stages.trouble.append(OSError("the disk is full"))
    await Foreman(office, stages).round()
    assert stages.started == ["GRANTER/S0-D0-2/1/running/1"]


async def test_a_row_that_cannot_be_read_holds_up_no_other(office: Office, database: Database) -> None:
    """Say, of a later Orch, whose kinds of work this one does not know. Who waits for it goes on waiting."""
    bad = await created(database)
    await created(database, 2)
    await created(database, 3, after=["S0-D0-1"])
    async with database.begin() as session:
        (await tasks.lock(session, bad.pk)).route = {**ROUTE, "type": "music"}
    foreman = Foreman(office, FakeStages(office))
    await foreman.round()
    assert await states(database) == ["queued", "running", "queued"]
    assert office.troubles.now() == ("GRANTER S0-D0-1, its row",)
    async with database.begin() as session:
        (await tasks.lock(session, bad.pk)).route = ROUTE
    await foreman.round()
    assert await states(database) == ["running", "running", "queued"]
    assert office.troubles.now() == ()


async def test_a_task_that_cannot_begin_holds_up_no_other(office: Office, database: Database) -> None:
    """Its second attempt is in the table already: the transaction of the others is not lost with it."""
    row = await created(database)
    await created(database, 2)
    async with database.begin() as session:
        await attempts.start(session, await tasks.lock(session, row.pk), NOW)
        await attempts.end(session, row, at=NOW, outcome="interrupted", why="")
        (await tasks.lock(session, row.pk)).attempt = 0
    await Foreman(office, FakeStages(office)).round()
    assert await states(database) == ["queued", "running"]
    assert office.troubles.now() == ("foreman GRANTER S0-D0-1, queued",)


async def test_tasks_of_a_project_that_is_configured_no_more_are_left_alone(office: Office, database: Database) -> None:
    await created(database, project="GONE", state="checking", entry=1)
    await created(database, 2)
    stages = FakeStages(office)
    await Foreman(office, stages).round()
    assert (stages.started, office.troubles.now()) == (["GRANTER/S0-D0-2/1/running/1"], ())
