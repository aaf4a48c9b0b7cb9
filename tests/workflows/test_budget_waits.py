"""Work that waits for budget, and what starts it (R-BUD-3, R-ESC-5): the store and the rules are real."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.domain.approvals import Person
from bot.domain.task import Rung, TaskState
from bot.errors import UserMistake
from bot.store import attempts, ledger, project_events, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, CounterRow, LimitOrderRow, OutboxRow, TaskRow
from bot.workflows import budget_orders
from bot.workflows.budget_orders import More
from bot.workflows.edit import finish_unanswered
from bot.workflows.foreman import Foreman, dispatch, may_begin
from bot.workflows.office import Office, Visit
from bot.workflows.reserving import Unaffordable, reserve_call
from bot.workflows.review import finish_unreviewed
from tests.store.samples import NOW, ROUTE, created
from tests.workflows.offices import REQUEST, Clock, an_office
from tests.workflows.test_foreman import FakeStages

LEAD, MEMBER = Person(id="U0LEAD"), Person(id="U0DEV")
SONNET = {**ROUTE, "rung": "sonnet", "type": "logic"}


async def fill(database: Database, scope: str, tokens: int) -> None:
    async with database.begin() as session:
        session.add(
            CounterRow(scope=scope, used_tokens=tokens, reserved_tokens=0, used_microusd=0, reserved_microusd=0)
        )


async def look(office: Office, row: TaskRow) -> TaskRow:
    """One round of the foreman's; the task after it."""
    async with office.db.begin() as session:
        await dispatch(office, session, "GRANTER")
    async with office.db.read() as session:
        return await session.get_one(TaskRow, row.pk)


async def alerts(database: Database) -> list[str]:
    async with database.read() as session:
        keys = await session.scalars(select(OutboxRow.key).where(OutboxRow.key.startswith("budget/")))
        return sorted(keys)


async def test_work_waits_and_starts_when_the_day_turns(database: Database) -> None:
    """22 November 2026 in UTC is full; the 23rd is a new day."""
    clock = Clock()
    office = an_office(database, clock=clock)
    await fill(database, "GRANTER/day/2026-11-22/sonnet", 9_600)
    row = await created(database, route=SONNET, token_budget=5_000)
    now = await look(office, row)
    assert (now.state, now.waits_for) == (
        "queued", "waiting for sonnet's tokens for 2026-11-22: from 95% on nothing new starts"
    )  # fmt: skip
    clock.now = NOW.replace(hour=23, minute=59)
    assert (await look(office, row)).state == "queued"
    clock.now += timedelta(minutes=1)
    assert (await look(office, row)).state == "running"


async def test_a_clock_that_goes_back_opens_nothing(database: Database) -> None:
    clock = Clock()
    office = an_office(database, clock=clock)
    await fill(database, "GRANTER/day/2026-11-22/sonnet", 10_000)
    await fill(database, "GRANTER/day/2026-11-23/sonnet", 10_000)
    row = await created(database, route=SONNET, token_budget=5_000)
    for days in (1, -1):
        clock.now += timedelta(days=days)
        assert (await look(office, row)).state == "queued"
    await budget_orders.raise_limit(
        office, office.projects["GRANTER"], LEAD, "sonnet", More(5_000), None, delivery_key="a"
    )
    clock.now += timedelta(days=1)
    assert (await look(office, row)).state == "queued", "a raise is for its day"


async def test_a_refused_call_says_what_it_needs_and_tells_the_leads_once(office: Office, database: Database) -> None:
    await fill(database, "GRANTER/day/2026-11-22/sonnet", 8_500)
    row = await created(database, route=SONNET, token_budget=5_000)
    for _again in range(2):
        now = await look(office, row)
        if now.state == "queued":
            break
        async with database.begin() as session:
            visit = Visit.of(now)
            refused = await reserve_call(office, session, visit, "edit", Rung.SONNET, REQUEST, 2_000)
            assert isinstance(refused, Unaffordable) and refused.limit == "sonnet" and not refused.own
            await finish_unanswered(office, session, visit, refused)
    now = await look(office, row)
    assert (now.state, now.needs_tokens, now.attempt) == ("queued", 2_296, 1), "it is not tried in vain"
    assert now.waits_for and "needs at least 2,296 of 10,000" in now.waits_for
    key = "budget/GRANTER/day/2026-11-22/sonnet/10000/red"
    assert await alerts(database) == [f"{key}/U0LEAD", f"{key}/channel"]

    done = await budget_orders.raise_limit(
        office, office.projects["GRANTER"], LEAD, "sonnet", More(2_000), None, delivery_key="a"
    )
    assert (done.level.limit.tokens, done.red) == (12_000, ())
    assert (await look(office, row)).state == "running"


async def test_a_review_waits_for_its_budget(office: Office, database: Database) -> None:
    """It belongs to an attempt that has begun, so it goes on where it was."""
    await fill(database, "GRANTER/day/2026-11-22/gemini", 4_900)
    row = await created(database)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        for state in (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW):
            await tasks.step(session, locked, state, at=NOW, who="orch", why="on")
        visit = Visit.of(locked)
        refused = await reserve_call(office, session, visit, "review", Rung.GEMINI, REQUEST, 500)
        assert isinstance(refused, Unaffordable)
        await finish_unreviewed(office, session, visit, refused)
        visit = Visit.of(locked)
    assert not await may_begin(office, visit)
    async with database.read() as session:
        now = await session.get_one(TaskRow, row.pk)
    assert now.state == "in_review" and now.waits_for and "gemini's tokens" in now.waits_for
    await budget_orders.raise_limit(
        office, office.projects["GRANTER"], LEAD, "gemini", More(2_000), None, delivery_key="a"
    )
    assert await may_begin(office, visit)


async def test_orders_are_made_once_and_by_leads(office: Office, database: Database) -> None:
    """R-APR; and what a crash has us work on again changes nothing."""
    project = office.projects["GRANTER"]
    for deed in (
        budget_orders.raise_limit(office, project, MEMBER, "day", More(5), None, delivery_key="a"),
        budget_orders.defer(office, project, MEMBER, "day", delivery_key="a"),
        budget_orders.reset(office, project, MEMBER, None),
        budget_orders.downgrade(office, project, MEMBER, "day"),
    ):
        with pytest.raises(UserMistake, match=r"Only a lead may do that\. Nothing was changed\."):
            await deed
    for _again in range(2):
        await budget_orders.raise_limit(office, project, LEAD, "day", More(5_000), None, delivery_key="one")
        await budget_orders.defer(office, project, LEAD, "haiku", delivery_key="two")
    async with database.read() as session:
        assert len((await session.scalars(select(LimitOrderRow))).all()) == 2
        noted = await project_events.between(session, "GRANTER", NOW, NOW + timedelta(seconds=1))
    assert [event.kind for event in noted] == ["budget_raise", "budget_defer"]
    assert [order.limit for order in await budget_orders.reset(office, project, LEAD, None)] == ["day", "haiku"]
    assert await budget_orders.reset(office, project, LEAD, None) == []


async def test_leaked_reservations_are_found_and_live_calls_left_alone(office: Office, database: Database) -> None:
    """R-BUD-4: never sent = free, sent = unknown, once; a call whose stage goes on is not touched."""
    stages = FakeStages(office)
    visits = {}
    for number, (name, sent) in enumerate((("leaked", False), ("lost", True), ("live", True)), start=1):
        row = await created(database, number, token_budget=2_000)
        async with database.begin() as session:
            locked = await tasks.lock(session, row.pk)
            await attempts.start(session, locked, NOW)
            await tasks.step(session, locked, TaskState.RUNNING, at=NOW, who="orch", why="on")
            visits[name] = Visit.of(locked)
            call = await reserve_call(office, session, visits[name], "edit", Rung.HAIKU, REQUEST, 10)
            assert isinstance(call, str)
            if sent:
                await ledger.claim(session, call)
    stages.ended |= {visits["leaked"].id, visits["lost"].id}
    async with database.begin() as session:  # their tasks have moved on, so nobody looks at them any more
        await session.execute(update(TaskRow).where(TaskRow.pk != visits["live"].pk).values(state="cancelled"))
    for _again in range(2):
        foreman: Any = Foreman(office, stages)
        await foreman.round()
        async with database.read() as session:
            calls = (await session.scalars(select(CallRow).order_by(CallRow.id))).all()
            day = await session.get_one(CounterRow, "GRANTER/day/2026-11-22")
        assert [call.state for call in calls] == ["refused", "unknown", "sent"]
        assert day.used_tokens == calls[1].reserved_tokens
        assert day.reserved_tokens == calls[2].reserved_tokens


async def test_an_attempt_that_was_paid_for_waits_for_no_budget(office: Office, database: Database) -> None:
    """It waited for a file, say, and goes on with its commit."""
    await fill(database, "GRANTER/day/2026-11-22/sonnet", 10_000)
    row = await created(database, route=SONNET, token_budget=5_000, head_commit="a" * 40)
    async with database.begin() as session:
        await attempts.start(session, await tasks.lock(session, row.pk), NOW)
    now = await look(office, row)
    assert (now.state, now.attempt, now.head_commit) == ("running", 1, "a" * 40)
