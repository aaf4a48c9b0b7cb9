"""Tasks whose project left the configuration go on at the start that finds it there again, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.project import Projects
from bot.store import attempts, outbox, tasks
from bot.store.database import Database
from bot.store.tables import EventRow, TaskRow
from bot.workflows.office import Office, Visit
from bot.workflows.returned import GONE, go_on_with_returned, gone_words
from bot.workflows.stages import block_visit
from tests.store.samples import NOW, a_call, created
from tests.workflows.offices import an_office

HEAD = "a" * 40


async def stopped(database: Database, state: str, *, paid: bool = False, **fields: Any) -> TaskRow:
    """A task whose stage found its project gone. `paid`: its edit was answered by then."""
    row = await created(database, state=state, entry=3, **fields)
    async with database.begin() as session:
        row = await tasks.lock(session, row.pk)
        await attempts.start(session, row, NOW)
        if paid:
            session.add(a_call(row, state="settled", settled_at=NOW))
    async with database.begin() as session:
        visit = Visit.of(await session.get_one(TaskRow, row.pk))
        await block_visit(an_office(database), session, visit, gone_words(state))
    return row


async def starts(*offices: Office) -> None:
    """Processes start, all at once."""
    await asyncio.gather(*(go_on_with_returned(office) for office in offices))


async def told(database: Database, row: TaskRow) -> tuple[TaskRow, list[EventRow], int]:
    """The task, how often it was let go on, and how often its thread was told."""
    async with database.read() as session:
        events = [event for event in await tasks.events(session, row.pk) if event.kind == "unblocked"]
        said = await outbox.keys(session, f"thread/GRANTER/{row.task_id}/returned-")
        return await session.get_one(TaskRow, row.pk), events, len(said)


@pytest.mark.parametrize(
    ("state", "paid", "fields", "goes_on"),
    [
        ("in_review", False, {"head_commit": HEAD}, "in_review"),
        ("checking", False, {"head_commit": HEAD}, "checking"),
        ("running", True, {}, "queued"),
        ("running", False, {}, "queued"),
        ("merging", False, {"head_commit": HEAD}, "awaiting_approval"),  # nobody has approved it
    ],
)
async def test_it_goes_on_where_it_stopped_and_once(
    database: Database, state: str, paid: bool, fields: dict[str, Any], goes_on: str
) -> None:
    row = await stopped(database, state, paid=paid, **fields)
    office = an_office(database)
    await starts(office, office, office)
    await starts(office)
    row, events, said = await told(database, row)
    assert (row.state, row.head_commit, [event.who for event in events], said) == (
        goes_on, fields.get("head_commit"), ["orch"], 1)  # fmt: skip
    async with database.read() as session:
        assert await attempts.is_open(session, row) is (paid or goes_on != "queued")  # it goes on with that attempt


async def test_a_project_that_is_still_gone_leaves_them_alone(database: Database) -> None:
    row = await stopped(database, "in_review", head_commit=HEAD)
    await starts(replace(an_office(database), projects=Projects()))
    row, events, said = await told(database, row)
    assert (row.state, row.waits_for, events, said) == ("blocked", GONE, [], 0)


async def test_what_a_person_blocked_meanwhile_stays_blocked(database: Database) -> None:
    row = await stopped(database, "in_review", head_commit=HEAD)
    async with database.begin() as session:
        row = await tasks.lock(session, row.pk)
        row.waits_for = "the lawyers look at it"
        detail = (await tasks.standing_event(session, row)).detail
        await tasks.note(session, row, at=NOW, who="U0DEV", kind="blocked", why=row.waits_for, detail=detail)
    await starts(an_office(database))
    row, events, said = await told(database, row)
    assert (row.state, events, said) == ("blocked", [], 0)


async def test_a_split_that_was_asked_for_is_not_paid_for_twice(database: Database) -> None:
    """A person decides whether it is asked for again."""
    row = await stopped(database, "splitting")
    await starts(an_office(database))
    row, events, said = await told(database, row)
    assert (row.state, events, said) == ("blocked", [], 0)
    assert "split it or retry" in (row.waits_for or "")
