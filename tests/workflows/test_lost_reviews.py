"""A review that the end of Orch's own process cut off: it is asked for again by itself (R-ESC-4; DESIGN, "At most
once")."""

from __future__ import annotations

from bot.domain.approvals import Person
from bot.domain.escalation import MOST_LOST
from bot.domain.task import Rung, TaskState
from bot.store import attempts, ledger, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, TaskRow
from bot.workflows import budget_orders
from bot.workflows.budget_orders import More
from bot.workflows.office import Office, Visit
from bot.workflows.paid_call import failed, send_call
from bot.workflows.reserving import LEFT, reserve_call
from bot.workflows.review import finish_unreviewed
from tests.store.samples import NOW, created
from tests.workflows.offices import REQUEST


async def a_task_in_review(database: Database) -> TaskRow:
    row = await created(database)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        await attempts.start(session, locked, NOW)
        for state in (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW):
            await tasks.step(session, locked, state, at=NOW, who="orch", why="on")
    return row


async def cut_off(office: Office, row: TaskRow) -> str:
    """A review is sent, the process dies, and the stage is played again; the task's state after it."""
    async with office.db.begin() as session:
        visit = Visit.of(await tasks.lock(session, row.pk))
        call_id = await reserve_call(office, session, visit, "review", Rung.GEMINI, REQUEST, 50)
        assert isinstance(call_id, str)
        assert await ledger.claim(session, call_id)
    sent = await send_call(office, visit, call_id, Rung.GEMINI)
    assert sent.why == LEFT
    async with office.db.begin() as session:
        await finish_unreviewed(office, session, visit, failed(sent))
    async with office.db.read() as session:
        call = await session.get_one(CallRow, call_id)
        assert (call.state, call.used_tokens) == ("unknown", call.reserved_tokens)
        return str((await session.get_one(TaskRow, row.pk)).state)


async def test_a_review_that_was_cut_off_is_asked_for_again(office: Office, database: Database) -> None:
    lead, more = Person(id="U0LEAD"), More(20_000)
    await budget_orders.raise_limit(office, office.projects["GRANTER"], lead, "gemini", more, None, delivery_key="a")
    row = await a_task_in_review(database)
    states = [await cut_off(office, row) for _time in range(MOST_LOST)]
    assert states == ["in_review"] * (MOST_LOST - 1) + ["blocked"]
