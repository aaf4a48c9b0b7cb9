"""A review's answer that was paid for and not recorded is used for the same question, and for no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.calls import ModelRequest
from bot.store import tasks
from bot.store.database import Database
from bot.store.tables import ReviewRow, TaskRow
from bot.workflows.kept import paid_verdict
from tests.store.samples import NOW, a_call, created

ASKED = ModelRequest(model="gemini", system="Judge.", messages=({"role": "user", "content": "the diff"},))
ANOTHER = ASKED.model_copy(update={"messages": ({"role": "user", "content": "another diff"},)})
MINUTE = timedelta(minutes=1)


async def answered(database: Database, **call: Any) -> TaskRow:
    """A task whose review was answered a minute ago."""
    row = await created(database, state="in_review", attempt=1, entry=3, head_commit="a" * 40)
    sent = ASKED.model_copy(update={"max_output": 900, "call_id": "GRANTER/S0-D0-1/1/2"}).model_dump(mode="json")
    known: dict[str, Any] = {"purpose": "review", "rung": "gemini", "state": "settled", "request": sent}
    async with database.begin() as session:
        session.add(a_call(row, number=2, settled_at=NOW, **known | call))
    return row


async def found(database: Database, row: TaskRow, request: ModelRequest = ASKED) -> str | None:
    async with database.read() as session:
        return await paid_verdict(session, row, request)


async def fails_by_a_defect(database: Database, row: TaskRow, entry: int) -> None:
    async with database.begin() as session:
        await tasks.note(session, await tasks.lock(session, row.pk), at=NOW + MINUTE, who="orch", kind="blocked",
                         why="a defect in Orch", detail={"defect": entry})  # fmt: skip


async def test_it_is_used_for_the_same_question_only(database: Database) -> None:
    row = await answered(database)
    assert await found(database, row) == "GRANTER/S0-D0-1/1/2"
    assert await found(database, row, ANOTHER) is None


async def test_it_is_not_used_twice(database: Database) -> None:
    row = await answered(database)
    async with database.begin() as session:
        session.add(ReviewRow(task_pk=row.pk, head_commit="a" * 40, rung="gemini", model="m", at=NOW + MINUTE))
    assert await found(database, row) is None


@pytest.mark.parametrize("state", ["unknown", "refused", "sent"])
async def test_what_was_not_answered_is_asked(database: Database, state: str) -> None:
    assert await found(database, await answered(database, state=state)) is None


async def test_an_answer_that_fails_by_a_defect_again_is_asked_for_anew(database: Database) -> None:
    """Else a defect that lies in the answer would hold its task for ever."""
    row = await answered(database)
    await fails_by_a_defect(database, row, 3)
    await fails_by_a_defect(database, row, 3)  # blocked for another reason meanwhile, which repeats the detail
    assert await found(database, row) is not None
    await fails_by_a_defect(database, row, 4)
    assert await found(database, row) is None
