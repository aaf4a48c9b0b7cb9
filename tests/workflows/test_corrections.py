"""Calls of unknown outcome are charged in full: leads are told what they hold, and correct them, all at once too."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.domain.approvals import Person
from bot.domain.budget import LEAN, LimitName, Limits
from bot.domain.task import Rung, TaskState
from bot.errors import UserMistake
from bot.store import attempts, ledger, outbox, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, OutboxRow
from bot.workflows.budget_alerts import show_unknown
from bot.workflows.budget_levels import counters
from bot.workflows.budget_orders import More, raise_limit
from bot.workflows.corrections import correct, correct_all
from bot.workflows.office import Office, Visit
from bot.workflows.paid_call import send_call
from bot.workflows.reserving import LEFT, reserve_call
from tests.store.samples import NOW, created
from tests.workflows.offices import REQUEST

LEAD = Person(id="U0LEAD")
HINT = "of unknown outcome"


async def sent(office: Office, database: Database, number: int, rung: Rung = Rung.GEMINI) -> tuple[Visit, str]:
    """A task whose call was sent, and not answered yet."""
    row = await created(database, number)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        await attempts.start(session, locked, NOW)
        for state in (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW):
            await tasks.step(session, locked, state, at=NOW, who="orch", why="on")
        visit = Visit.of(locked)
        purpose = "review" if rung is Rung.GEMINI else "edit"
        call_id = await reserve_call(office, session, visit, purpose, rung, REQUEST, 50)  # type: ignore[arg-type]
        assert isinstance(call_id, str), call_id
        assert await ledger.claim(session, call_id)
    return visit, call_id


async def played_again(office: Office, visit: Visit, call_id: str) -> CallRow:
    """The process died, and the stage is played again."""
    assert (await send_call(office, visit, call_id, Rung.GEMINI)).why == LEFT
    async with office.db.read() as session:
        return await session.get_one(CallRow, call_id)


async def told(office: Office) -> str:
    """What the channel reads in the red alert about gemini's day."""
    async with office.db.read() as session:
        (key,) = [
            k for k in await outbox.keys(session, "budget/GRANTER/day/") if k.endswith("/gemini/5000/red/channel")
        ]
        return json.dumps((await session.get_one(OutboxRow, key)).payload, ensure_ascii=False)


async def test_an_alert_tells_what_they_hold_and_how_that_is_corrected(office: Office, database: Database) -> None:
    """R-BUD-3: the mark was crossed while they were under way; what came of that is told in the same message."""
    project = office.projects["GRANTER"]
    under_way = [await sent(office, database, number) for number in (1, 2)]
    assert HINT not in await told(office)
    calls = [await played_again(office, *each) for each in under_way]
    assert [call.state for call in calls] == ["unknown", "unknown"]
    said = await told(office)
    assert "2 calls of unknown outcome hold 5k of it" in said and "`/orch budget correct gemini TOKENS`" in said

    with pytest.raises(UserMistake, match="Only a lead may do that"):
        await correct_all(office, project, Person(id="U0DEV"), "gemini", 1_000)
    done = await correct_all(office, project, LEAD, "gemini", 1_000)
    assert (done.calls, done.freed, done.level.taken) == (2, 3_000, 2_000)
    assert HINT not in await told(office)
    async with database.read() as session:
        now = await counters(office, session, project)
        assert (now.rungs[Rung.GEMINI].taken, now.today.taken, now.sprint.taken) == (2_000, 2_000, 2_000)
        for call in calls:
            assert [e.who for e in await tasks.events(session, call.task_pk) if e.kind == "call_corrected"] == [LEAD.id]
    with pytest.raises(UserMistake, match="No call that counts against gemini's tokens for 2026-11-22 has an unknown"):
        await correct_all(office, project, LEAD, "gemini", 0)


async def test_only_the_limits_own_and_never_above_what_was_charged(office: Office, database: Database) -> None:
    project = office.projects["GRANTER"]
    review = await played_again(office, *await sent(office, database, 1))
    edit = await played_again(office, *await sent(office, database, 2, Rung.HAIKU))
    done = await correct_all(office, project, LEAD, "gemini", 1_000_000)
    assert (done.calls, done.freed, done.level.taken) == (1, 0, review.reserved_tokens)
    async with database.read() as session:
        assert (await session.get_one(CallRow, edit.id)).state == "unknown"
    assert (await correct(office, project, LEAD, edit.id, 70)).used_tokens == 70


async def test_of_two_leads_at_once_each_call_hears_one(office: Office, database: Database) -> None:
    project = office.projects["GRANTER"]
    calls = [await played_again(office, *await sent(office, database, number)) for number in (1, 2)]
    both = (correct_all(office, project, LEAD, "day", tokens) for tokens in (1_000, 2_000))
    done = [each for each in await asyncio.gather(*both, return_exceptions=True) if not isinstance(each, UserMistake)]
    assert sum(each.calls for each in done) == 2  # type: ignore[union-attr]
    async with database.read() as session:
        took = [(await session.get_one(CallRow, call.id)).used_tokens for call in calls]
        assert set(took) <= {1_000, 2_000}
        assert (await counters(office, session, project)).today.taken == sum(took)


async def test_what_is_told_at_once_about_several_limits_stops_nobody_and_hides_nothing(
    office: Office, database: Database
) -> None:
    """Stages show what calls hold of the day and the sprint, while leads raise both."""
    limits = Limits(day=LEAN.day, sprint=5_000, task=LEAN.task)
    project = office.projects["GRANTER"].model_copy(update={"limits": limits})
    office.projects["GRANTER"] = project  # type: ignore[index]
    under_way = [await sent(office, database, number) for number in (1, 2)]
    calls = [await played_again(office, *each) for each in under_way]

    async def shows() -> None:
        async with database.begin() as session:
            await show_unknown(office, session, calls)

    async def orders(number: int) -> None:
        limit: LimitName
        for limit in ("sprint", "gemini"):
            await raise_limit(office, project, LEAD, limit, More(100), None, delivery_key=f"{number}/{limit}")

    await asyncio.gather(*(shows() for _ in range(15)), *(orders(number) for number in range(5)))
    said = await told(office)
    assert (said.count("raised it by 100 tokens"), "2 calls of unknown outcome hold 5k" in said) == (5, True)
