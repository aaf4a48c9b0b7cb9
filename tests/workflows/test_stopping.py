"""Stop ends what is under way, in whichever process it runs; the end of a process is not a stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import pytest

from bot.domain.task import Rung, TaskState
from bot.store import tasks
from bot.store.database import Database
from bot.store.tables import CallRow, OutboxRow
from bot.workflows.office import Office, Visit
from bot.workflows.paid_call import CUT, send_call
from bot.workflows.stopping import Stopped, end_what_is_unwanted, while_wanted
from tests.workflows.offices import NOW, FakeModel, an_office
from tests.workflows.test_paid_call import a_running_task, reservations, reserve, stop, used


class Silent(FakeModel):
    """A model that never answers."""

    def __init__(self) -> None:
        super().__init__(before_answer=self._hang)
        self.asked, self.hung_up = asyncio.Event(), False

    async def _hang(self) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.hung_up = True
            raise


class UnderWay(NamedTuple):
    model: Silent
    office: Office
    visit: Visit
    call_id: str
    sending: asyncio.Task[Any]


@asynccontextmanager
async def watching(office: Office) -> AsyncIterator[None]:
    watch = asyncio.create_task(end_what_is_unwanted(office))
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


@asynccontextmanager
async def an_unanswered_call(database: Database) -> AsyncIterator[UnderWay]:
    """A call that the model was asked, while its process watches."""
    model = Silent()
    office = an_office(database, model=model)
    visit = await a_running_task(database)
    call_id = await reserve(office, visit)
    async with watching(office):
        sending = asyncio.create_task(send_call(office, visit, call_id, Rung.HAIKU))
        await model.asked.wait()
        yield UnderWay(model, office, visit, call_id, sending)


async def test_a_stop_that_another_process_made_cuts_the_call(database: Database) -> None:
    """Nothing but the row tells of it. The call is unknown, charged at its reservation, and that is said."""
    async with an_unanswered_call(database) as (model, office, visit, call_id, sending):
        await stop(office, visit)
        assert await sending == ("unknown", CUT, False, None)
    assert model.hung_up and office.under_way == {}
    async with database.read() as session:
        call = await session.get_one(CallRow, call_id)
        told = await session.get_one(OutboxRow, f"thread/GRANTER/{visit.task_id}/cut-{call_id}")
    assert (call.state, call.used_tokens, call.retryable) == ("unknown", call.reserved_tokens, False)
    assert (await reservations(database), await used(database)) == (0, {call.reserved_tokens})
    assert call.reserved_tokens == 2_000 and "2k tokens, counts as spent" in told.payload["text"]


async def test_what_was_stopped_before_it_began_is_ended_too(office: Office, database: Database) -> None:
    visit = await a_running_task(database)
    await stop(office, visit)
    async with watching(office):
        with pytest.raises(Stopped):
            await while_wanted(office, visit, asyncio.Event().wait())


async def test_only_the_stopped_task_is_ended(office: Office, database: Database) -> None:
    one, other = await a_running_task(database), await a_running_task(database, 2)
    answer = asyncio.Event()
    async with watching(office):
        jobs = [asyncio.create_task(while_wanted(office, visit, answer.wait())) for visit in (one, other)]
        await stop(office, one)
        with pytest.raises(Stopped):
            await jobs[0]
        answer.set()
        assert await jobs[1] is True


async def test_another_entry_into_the_stage_is_another_visit(office: Office, database: Database) -> None:
    """Stopped and retried between two looks: the new attempt does not keep the old one's call."""
    old = await a_running_task(database)
    async with database.begin() as session:
        row = await tasks.lock(session, old.pk)
        await tasks.step(session, row, TaskState.RUNNING, at=NOW, who="U0DEV", why="again")
        new = Visit.of(row)
    async with watching(office):
        job = asyncio.create_task(while_wanted(office, new, asyncio.sleep(0.1, "kept")))
        with pytest.raises(Stopped):
            await while_wanted(office, old, asyncio.Event().wait())
        assert await job == "kept"


async def test_the_end_of_the_process_is_no_stop(database: Database) -> None:
    """It leaves the call as a crash does: sent, and unknown at the next start."""
    async with an_unanswered_call(database) as (model, office, _visit, call_id, sending):
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    async with database.read() as session:
        assert (await session.get_one(CallRow, call_id)).state == "sent"
    assert model.hung_up and office.under_way == {}
