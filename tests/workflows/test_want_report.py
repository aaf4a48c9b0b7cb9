"""Reports from the store: their numbers are those of plain SQL over events and ledger; nothing is paid (R-REP-3)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from bot.domain.daily_report import Daily
from bot.domain.slots import Slot
from bot.domain.task import TaskState
from bot.domain.weekly_report import Weekly
from bot.store import slots, tasks
from bot.store.database import Database
from bot.store.tables import CallRow, OutboxRow
from bot.workflows.office import Office
from bot.workflows.reporting import report, want_report
from tests.store.samples import NOW, a_call, created
from tests.workflows.offices import an_office

DAY = NOW.date()
WAY = (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW, TaskState.AWAITING_APPROVAL, TaskState.MERGING)


async def _some_days(database: Database) -> None:
    """Nine tasks over three days: three merged, one blocked, one running, four queued; a call or two each."""
    for number in range(1, 10):
        day = DAY - timedelta(days=number % 3)
        at = NOW - timedelta(days=number % 3)
        row = await created(database, number, text=f"Task {number}\nwith details", created_at=at, updated_at=at)
        async with database.begin() as session:
            held = await tasks.lock(session, row.pk)
            scopes = [f"GRANTER/day/{day}/haiku", f"GRANTER/day/{day}", "GRANTER/sprint/0"]
            facts = {
                "scopes": scopes,
                "day": day,
                "created_at": at,
                "cost_microusd": number,
                "used_tokens": 100 * number,
            }
            session.add(a_call(row, 1, state="settled", **facts))
            session.add(a_call(row, 2, state="refused", **{**facts, "used_tokens": 0, "cost_microusd": 0}))
            if number == 5:
                session.add(a_call(row, 3, 700, state="sent", **{**facts, "used_tokens": 0, "cost_microusd": 0}))
            way = (*WAY, TaskState.MERGED) if number in (1, 2, 3) else WAY[:1] if number in (4, 5) else ()
            for state in way:
                await tasks.step(session, held, state, at=at, who="orch", why="on its way")
            if number == 4:
                await tasks.step(session, held, TaskState.BLOCKED, at=at, who="orch", why="no key")


async def _daily(office: Office, day: date) -> Daily:
    async with office.db.read() as session:
        made = await report(session, office.projects["GRANTER"], "daily", day, now=NOW, price=office.price)
    assert isinstance(made, Daily)
    return made


async def test_the_numbers_are_those_of_plain_sql(office: Office, database: Database) -> None:
    await _some_days(database)
    for day in (DAY, DAY - timedelta(days=1), DAY - timedelta(days=2)):
        made = await _daily(office, day)
        async with database.read() as session:
            merged = await session.scalars(
                text("SELECT t.task_id FROM tasks t JOIN task_events e ON e.task_pk = t.pk WHERE e.kind = 'merged' "
                     "AND e.at >= :start AND e.at < :end ORDER BY t.pk"),
                {"start": _stored(database, day), "end": _stored(database, day + timedelta(days=1))},
            )  # fmt: skip
            assert [line.id for line in made.completed] == list(merged)
            used = await session.scalar(select(func.sum(CallRow.used_tokens)).where(CallRow.day == day))
            held = await session.scalar(
                select(func.sum(CallRow.reserved_tokens)).where(CallRow.day == day, CallRow.state == "sent")
            )
        assert (made.usage[0].used, made.usage[0].reserved) == (used, held or 0)
    today = await _daily(office, DAY)
    assert today.usage[1].used == sum(100 * n for n in range(1, 10)) and today.usage[1].reserved == 700
    assert [line.id for line in today.blocked] == ["S0-D0-4"] and today.blocked[0].why == "no key"
    assert [line.id for line in today.in_progress] == ["S0-D0-5"]
    assert sorted(line.id for line in today.queued) == ["S0-D0-6", "S0-D0-7", "S0-D0-8", "S0-D0-9"]
    assert today.completed[0].title == "Task 3" and today.completed[0].tokens == 300


async def test_an_earlier_day_is_told_as_it_was(database: Database) -> None:
    await _some_days(database)
    before = await _daily(an_office(database), DAY - timedelta(days=2))
    assert [line.id for line in before.completed] == ["S0-D0-2"]
    assert {line.id for line in (*before.queued, *before.in_progress)} == {"S0-D0-5", "S0-D0-8"}
    assert before.blocked == ()


async def test_a_report_is_wanted_once_with_its_thread(office: Office, database: Database) -> None:
    for number in range(1, 31):
        await created(database, number)
    wanted = []
    for _again in range(2):
        async with database.begin() as session:
            project = office.projects["GRANTER"]
            wanted.append(await want_report(office, session, project, "daily", DAY, key="standup/1", did=["x"]))
    assert wanted == [True, False]
    async with database.read() as session:
        rows = (await session.scalars(select(OutboxRow).where(OutboxRow.key.like("standup/%")))).all()
        calls = await session.scalar(select(func.count()).select_from(CallRow))
    assert {row.key: (row.kind, row.thread_of) for row in rows} == {
        "standup/1": ("channel", None),
        "standup/1/0": ("thread", "standup/1"),
    }
    assert calls == 0


async def test_a_week_has_what_its_days_completed(office: Office, database: Database) -> None:
    await _some_days(database)
    async with office.db.read() as session:
        made = await report(session, office.projects["GRANTER"], "weekly", DAY, now=NOW, price=office.price)
    assert isinstance(made, Weekly)
    assert (made.first, made.last) == (date(2026, 11, 16), date(2026, 11, 22))
    assert [line.id for line in made.completed] == ["S0-D0-1", "S0-D0-2", "S0-D0-3"]
    assert made.cost_microusd == sum(range(1, 10)) + 1400 and made.usage.used == 4500


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(hours=16)])
async def test_a_week_tells_what_the_report_before_it_could_not(
    office: Office, database: Database, late: timedelta
) -> None:
    """It was posted on Friday, or late, in the night after it, when one of the three was merged."""
    await _some_days(database)
    posted = Slot(kind="weekly", day=DAY - timedelta(days=2), at=NOW - timedelta(days=2))
    async with database.begin() as session:
        await slots.add(session, "GRANTER", posted, "posted", NOW - timedelta(days=2) + late)
    monday = NOW + timedelta(days=1)
    async with office.db.read() as session:
        made = await report(
            session, office.projects["GRANTER"], "weekly", monday.date(), now=monday, price=office.price
        )
    assert isinstance(made, Weekly)
    assert (made.first, made.reported_until, made.completed) == (monday.date(), posted.day, ())
    assert [line.id for line in made.completed_since] == ["S0-D0-1", "S0-D0-3"]


def _stored(database: Database, day: date) -> object:
    """The start of a day as the database keeps times."""
    return f"{day} 00:00:00.000000" if database.engine.dialect.name == "sqlite" else f"{day}T00:00:00+00:00"
