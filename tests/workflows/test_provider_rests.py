"""While a provider rests no call goes out; after it one, whoever asks at the same moment (issue 3, item 8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from bot.domain.providers import Healthy, Provider, Resting, Trying
from bot.domain.task import Rung, TaskState
from bot.store import attempts, ledger, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, TaskRow
from bot.workflows.foreman import dispatch
from bot.workflows.office import Office, Visit
from bot.workflows.provider_rests import healths
from bot.workflows.reserving import Failed, Unaffordable, reserve_call
from tests.store.samples import a_call, created
from tests.workflows.offices import NOW, REQUEST, Clock, an_office


async def failures(database: Database, count: int, rung: str = "haiku") -> None:
    """A task whose calls failed, a second apart, the last at NOW."""
    row = await created(database, 90, state="cancelled")
    async with database.begin() as session:
        for number in range(1, count + 1):
            at = NOW - timedelta(seconds=count - number)
            session.add(a_call(row, number, rung=rung, state="refused", retryable=True, settled_at=at))


async def running(office: Office, number: int) -> Visit:
    row = await created(office.db, number)
    async with office.db.begin() as session:
        locked = await tasks.lock(session, row.pk)
        await attempts.start(session, locked, NOW)
        await tasks.step(session, locked, TaskState.RUNNING, at=NOW, who="orch", why="attempt 1")
        return Visit.of(locked)


async def reserve(office: Office, visit: Visit) -> str | Unaffordable | Failed:
    async with office.db.begin() as session:
        return await reserve_call(office, session, visit, "edit", Rung.HAIKU, REQUEST, 10)


async def how(office: Office, provider: Provider = Provider.ANTHROPIC) -> type:
    async with office.db.read() as session:
        return type((await healths(office, session))[provider])


async def test_a_rest_one_try_and_on(database: Database) -> None:
    clock = Clock()
    office = an_office(database, clock=clock)
    visits = [await running(office, number) for number in (1, 2, 3)]
    await failures(database, 5)
    assert (await how(office), await how(office, Provider.GEMINI)) == (Resting, Healthy)
    refused = await reserve(office, visits[0])
    assert isinstance(refused, Failed) and refused.outcome == "rest" and "resting until 09:01" in refused.why

    clock.now = NOW + timedelta(seconds=61)
    assert await how(office) is Trying
    asked = await asyncio.gather(*(reserve(office, visit) for visit in visits))
    (call_id,) = [answer for answer in asked if isinstance(answer, str)]
    assert [a.outcome for a in asked if isinstance(a, Failed)] == ["rest", "rest"]

    async with database.begin() as session:
        await ledger.claim(session, call_id)
        call = await session.get_one(CallRow, call_id)
        await ledger.settle(session, call, "settled", at=clock.now)
    assert await how(office) is Healthy
    waiting = next(visit for visit, answer in zip(visits, asked, strict=True) if not isinstance(answer, str))
    assert isinstance(await reserve(office, waiting), str)


async def test_queued_tasks_wait_and_one_begins_after_the_rest(database: Database) -> None:
    clock = Clock()
    office = an_office(database, clock=clock)
    await failures(database, 5, rung="sonnet")  # one provider behind all of its rungs
    for number in (1, 2, 3):
        await created(database, number)

    async def states() -> dict[str, int]:
        async with database.begin() as session:
            await dispatch(office, session, "GRANTER")
        async with database.read() as session:
            query = select(TaskRow.state, func.count()).where(TaskRow.number < 90).group_by(TaskRow.state)
            return {row.state: row[1] for row in (await session.execute(query)).all()}

    assert await states() == {"queued": 3}
    async with database.read() as session:
        reasons = set((await session.scalars(select(TaskRow.waits_for).where(TaskRow.state == "queued"))).all())
    assert reasons == {"waiting for Anthropic, resting until 09:01"}
    clock.now = NOW + timedelta(seconds=61)
    assert await states() == {"queued": 2, "running": 1}
    assert await states() == {"queued": 2, "running": 1}, "until it is known how that one ends"
