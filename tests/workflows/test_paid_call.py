"""A paid call is sent at most once, and its reservation never stays open (R-BUD-4; DESIGN, "At most once")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.calls import ModelReply
from bot.domain.task import Rung, TaskState
from bot.errors import ModelOutcomeUnknown, ModelRefusedCall
from bot.store import attempts, ledger, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, CounterRow, TaskRow
from bot.workflows.office import Office, Superseded, Visit
from bot.workflows.paid_call import send_call
from bot.workflows.reserving import Unaffordable, reserve_call
from bot.workflows.stages import block_visit
from tests.store.samples import a_call, created, migrated
from tests.workflows.offices import NOW, REQUEST, FakeModel, an_office


async def a_running_task(database: Database, number: int = 1) -> Visit:
    row = await created(database, number, token_budget=2_000)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        await attempts.start(session, locked, NOW)
        await tasks.step(session, locked, TaskState.RUNNING, at=NOW, who="orch", why="attempt 1")
        return Visit.of(locked)


async def reserve(office: Office, visit: Visit) -> str:
    async with office.db.begin() as session:
        reserved = await reserve_call(office, session, visit, "edit", Rung.HAIKU, REQUEST, 10)
    assert isinstance(reserved, str)
    return reserved


async def a_reserved_call(database: Database, model: FakeModel | None = None) -> tuple[Office, Visit, str]:
    office, visit = an_office(database, model=model), await a_running_task(database)
    return office, visit, await reserve(office, visit)


async def stop(office: Office, visit: Visit) -> None:
    async with office.db.begin() as session:
        row = await tasks.lock(session, visit.pk)
        await tasks.step(session, row, TaskState.CANCELLED, at=NOW, who="U0DEV", why="stopped")


async def reservations(database: Database) -> int:
    async with database.read() as session:
        return sum((await session.scalars(select(CounterRow.reserved_tokens))).all())


async def used(database: Database) -> set[int]:
    async with database.read() as session:
        return set((await session.scalars(select(CounterRow.used_tokens))).all())


async def test_a_replayed_send_is_not_sent_again(database: Database) -> None:
    model = FakeModel()
    office, visit, call_id = await a_reserved_call(database, model)
    assert await send_call(office, visit, call_id, Rung.HAIKU) == ("settled", "", False, None)
    assert await send_call(office, visit, call_id, Rung.HAIKU) == ("settled", "", False, None)
    assert model.sent == [call_id]
    assert (await reservations(database), await used(database)) == (0, {15})


async def test_a_call_that_a_crash_interrupted_is_unknown_and_charged_in_full(database: Database) -> None:
    model = FakeModel()
    office, visit, call_id = await a_reserved_call(database, model)
    async with database.begin() as session:
        assert await ledger.claim(session, call_id)  # and then the process died
    state, why, retryable, _ = await send_call(office, visit, call_id, Rung.HAIKU)
    assert (state, retryable, model.sent) == ("unknown", False, [])
    assert "interrupted" in why
    async with database.read() as session:
        call = await session.get_one(CallRow, call_id)
    assert (await reservations(database), await used(database)) == (0, {call.reserved_tokens})


async def test_a_batch_that_nobody_knows_the_id_of_is_unknown(database: Database) -> None:
    """The crash fell between the provider's taking it and the row: it may be billed, and is not sent again."""
    office, visit, call_id = await a_reserved_call(database)
    async with database.begin() as session:
        (await session.get_one(CallRow, call_id)).batch = True
        assert await ledger.claim(session, call_id)
    assert (await send_call(office, visit, call_id, Rung.HAIKU)).state == "unknown"
    assert await reservations(database) == 0


async def test_a_call_that_would_be_cut_short_waits_for_room(database: Database) -> None:
    """Earlier calls of its kind took 1,500 tokens of output, and of haiku's day 1,000 are left (R-BUD-4)."""
    office = an_office(database)
    visit = await a_running_task(database)
    day, total = office.projects["GRANTER"].day(NOW), office.projects["GRANTER"].limits.day.rungs[Rung.HAIKU]
    async with database.begin() as session:
        row = await tasks.lock(session, visit.pk)
        session.add(CounterRow(scope=f"GRANTER/day/{day}/haiku", used_tokens=total - 1_000))
        for n in range(5):
            session.add(a_call(row, attempt=9, number=n, id=f"GRANTER/S0-D0-8/1/{n}", state="settled",
                               output_tokens=1_500))  # fmt: skip
    async with database.begin() as session:
        told = await reserve_call(office, session, visit, "edit", Rung.HAIKU, REQUEST, 10)
    assert isinstance(told, Unaffordable)
    assert told.why == f"haiku's tokens for {day}: 1,000 of {total:,} tokens left, and such a call usually needs 1,511"
    async with database.begin() as session:
        row = await tasks.lock(session, visit.pk)
        assert row.needs_tokens == 1_511, "it is tried again once there is so much"
        (await session.get_one(CounterRow, f"GRANTER/day/{day}/haiku")).used_tokens = total - 1_511
    async with database.begin() as session:
        assert isinstance(await reserve_call(office, session, visit, "edit", Rung.HAIKU, REQUEST, 10), str)


async def test_many_replays_at_once_send_once(database: Database) -> None:
    model = FakeModel(before_answer=lambda: asyncio.sleep(0.2))
    office, visit, call_id = await a_reserved_call(database, model)
    await asyncio.gather(*(send_call(office, visit, call_id, Rung.HAIKU) for _ in range(5)))
    assert model.sent == [call_id]
    assert await reservations(database) == 0


async def test_no_call_is_made_for_a_task_that_was_stopped(database: Database) -> None:
    """Stopped before the reservation: none is made. Stopped after it (Orch was down meanwhile): it is given back."""
    model = FakeModel()
    office, visit, call_id = await a_reserved_call(database, model)
    await stop(office, visit)
    state, why, retryable, _ = await send_call(office, visit, call_id, Rung.HAIKU)
    assert (state, why, retryable) == ("refused", "the task was stopped before the call was made", False)
    with pytest.raises(Superseded):
        await reserve(office, visit)
    assert model.sent == []
    assert (await reservations(database), await used(database)) == (0, {0})


async def test_a_task_stopped_during_its_call_still_pays_what_it_used(database: Database) -> None:
    visit = await a_running_task(database)
    office = an_office(database)
    model = FakeModel(before_answer=lambda: stop(office, visit))
    office = an_office(database, model=model)
    call_id = await reserve(office, visit)
    assert (await send_call(office, visit, call_id, Rung.HAIKU))[0] == "settled"
    assert (await reservations(database), await used(database)) == (0, {15})


def _raising(error: Exception) -> Callable[[], ModelReply]:
    def answer() -> ModelReply:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ModelRefusedCall("rate limit", retryable=True), "refused"),
        (ModelOutcomeUnknown("cut off", retryable=False), "unknown"),
        (KeyError("a defect"), "unknown"),
    ],
)
async def test_however_a_call_fails_its_reservation_is_closed(error: Exception, state: str, database: Database) -> None:
    office, visit, call_id = await a_reserved_call(database, FakeModel(answer=_raising(error)))
    assert (await send_call(office, visit, call_id, Rung.HAIKU))[0] == state
    assert await reservations(database) == 0


async def test_a_stage_that_lost_its_checkpoints_closes_what_it_left(database: Database) -> None:
    """The stage is started anew under the same id: the call of its first life is closed before the next one."""
    office = an_office(database)
    visit = await a_running_task(database)
    first = await reserve(office, visit)
    async with database.begin() as session:
        await ledger.claim(session, first)
    try:
        second = await reserve(office, visit)
    except AssertionError:  # what is left of the attempt's budget is too little for another call
        second = ""
    async with database.read() as session:
        states = {c.id: c.state for c in await ledger.calls_of(session, visit.pk)}
    assert states[first] == "unknown"
    assert second == "" or states[second] == "intent"


async def test_blocking_a_stage_closes_its_calls(database: Database) -> None:
    office = an_office(database)
    visit = await a_running_task(database)
    await reserve(office, visit)
    async with database.begin() as session:
        await block_visit(office, session, visit, "a defect in Orch")
    async with database.read() as session:
        assert (await session.get_one(TaskRow, visit.pk)).state == "blocked"
    assert (await reservations(database), await used(database)) == (0, {0})


@pytest.mark.postgres
async def test_an_answer_outlasts_a_database_that_is_away(
    postgres_url: str, postgres_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every connection is cut while the provider answers, and none is let in for a while: the answer is not lost."""
    name = make_url(postgres_url).database
    admin = create_async_engine(
        make_url(postgres_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )

    async def run(statement: str) -> None:
        async with admin.connect() as connection:
            await connection.execute(text(statement))

    async def away() -> None:
        await run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    async def back() -> None:
        async with asyncio.timeout(60):
            while not any("out of reach" in each.getMessage() for each in caplog.records):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    try:
        async with migrated(postgres_url) as database:
            office = an_office(database, model=FakeModel(before_answer=away))
            visit = await a_running_task(database)
            call_id = await reserve(office, visit)
            sent, _ = await asyncio.gather(send_call(office, visit, call_id, Rung.HAIKU), back())
            assert (sent.state, await used(database), await reservations(database)) == ("settled", {15}, 0)
    finally:
        await admin.dispose()
