"""Clicks and commands that come at the same moment: each counts once, and none undoes another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from sqlalchemy import select

from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.task import Rung, TaskState
from bot.errors import UserMistake
from bot.store import attempts, tasks
from bot.store.database import Database
from bot.store.tables import ApprovalRow, EventRow, ReviewRow, TaskRow
from bot.workflows import intake, people
from bot.workflows.office import Office
from bot.workflows.people import Deed
from tests.store.samples import NOW, ROUTE, created

HEAD = "a" * 40


async def awaiting(database: Database) -> TaskRow:
    """A task that gemini approved; its approvers are asked."""
    row = await created(database, head_commit=HEAD, base_commit="b" * 40)
    async with database.begin() as session:
        locked = await tasks.lock(session, row.pk)
        locked.state, locked.entry = TaskState.AWAITING_APPROVAL.value, 3
        await attempts.start(session, locked, NOW)
        verdict = {"verdict": "approve", "quality_score": 9.0}
        session.add(ReviewRow(task_pk=row.pk, head_commit=HEAD, rung="gemini", model="gemini", verdict=verdict, at=NOW))
    return row


def deed(person: str, task_id: str = "S0-D0-1") -> Deed:
    return Deed("GRANTER", task_id, Person(id=person))


async def state_of(office: Office) -> str:
    async with office.db.read() as session:
        return str(await session.scalar(select(TaskRow.state)))


async def kinds(office: Office) -> list[str]:
    async with office.db.read() as session:
        return list((await session.scalars(select(EventRow.kind).order_by(EventRow.id))).all())


async def at_once(*deeds: Awaitable[object]) -> list[object]:
    """Do them together; a refusal in words is an outcome, anything else is a defect."""
    found = await asyncio.gather(*deeds, return_exceptions=True)
    assert [each for each in found if isinstance(each, BaseException) and not isinstance(each, UserMistake)] == []
    return list(found)


async def test_a_double_click_approves_once(office: Office, database: Database) -> None:
    await awaiting(database)
    found = await at_once(*(people.approve(office, deed("U0LEAD"), HEAD) for _ in range(5)))
    assert found == [None] * 5
    assert (await state_of(office), (await kinds(office)).count("merging")) == ("merging", 1)
    async with database.read() as session:
        assert len((await session.scalars(select(ApprovalRow))).all()) == 1


async def test_two_approvers_at_once_merge_once(office: Office, database: Database) -> None:
    await awaiting(database)
    await at_once(people.approve(office, deed("U0LEAD"), HEAD), people.approve(office, deed("U0TWO"), HEAD))
    assert (await state_of(office), (await kinds(office)).count("merging")) == ("merging", 1)


async def test_approve_and_reject_at_once_end_in_one_of_them(office: Office, database: Database) -> None:
    await awaiting(database)
    await at_once(
        people.approve(office, deed("U0LEAD"), HEAD),
        people.reject(office, deed("U0TWO"), HEAD, "no"),
        people.cancel(office, deed("U0DEV")),
    )
    happened = [kind for kind in await kinds(office) if kind in ("merging", "rejected", "cancelled")]
    assert len(happened) == 1
    assert await state_of(office) == {"merging": "merging", "rejected": "failed", "cancelled": "cancelled"}[happened[0]]


async def test_an_approval_of_an_earlier_commit_does_not_count(office: Office, database: Database) -> None:
    await awaiting(database)
    (found,) = await at_once(people.approve(office, deed("U0LEAD"), "c" * 40))
    assert "has a new commit" in str(found)
    assert await state_of(office) == "awaiting_approval"


async def test_tasks_assigned_at_once_are_all_kept(office: Office, database: Database) -> None:
    project = office.projects["GRANTER"]

    async def assign(number: int) -> TaskRow:
        request = AssignRequest(text=f"Write documentation number {number}")
        return await intake.create_task(office, project, request, Person(id="U0DEV"), delivery_key=f"key {number}")

    made = await asyncio.gather(*(assign(n % 8) for n in range(16)))  # each delivery twice
    assert sorted({row.task_id for row in made}) == [f"S0-D0-{n}" for n in range(1, 9)]
    async with database.read() as session:
        assert len((await session.scalars(select(TaskRow))).all()) == 8


@pytest.mark.parametrize("rung", [Rung.SONNET, Rung.OPUS])
async def test_an_old_button_gives_no_manual_work_to_a_model(office: Office, database: Database, rung: Rung) -> None:
    """The card does not offer it any more, and says what `/orch reassign` says."""
    operations = {**ROUTE, "rung": "manual", "type": "ops"}
    await created(database, route=operations, state="blocked")
    (found,) = await at_once(people.escalate(office, deed("U0LEAD"), rung))
    assert str(found) == (
        f"{rung} cannot do operations: a person or CI runs things (R-RT-4). S0-D0-1 was left as it is."
    )
    assert await state_of(office) == "blocked"


async def test_an_escalation_to_opus_is_the_approval_of_one_attempt(office: Office, database: Database) -> None:
    await created(database, state="blocked")
    await at_once(people.escalate(office, deed("U0LEAD"), Rung.OPUS))
    async with database.read() as session:
        (row,) = await session.scalars(select(TaskRow))
    assert (row.state, row.route["rung"], row.opus_approved_by) == ("queued", "opus", "U0LEAD")
