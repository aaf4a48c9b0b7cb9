"""An answer to the stand-up of people, and all that follows from it: kept whole or not at all, and once (issue 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.domain.approvals import Person
from bot.domain.people_standup import Answer
from bot.store import outbox, standup_answers
from bot.store.database import Database
from bot.store.tables import EventRow, OutboxRow, ProjectEventRow
from bot.workflows.clock import timetable_of
from bot.workflows.office import Office
from bot.workflows.people_standup import Kept, answer, ask
from tests.store.samples import created
from tests.workflows.offices import NOW, an_office

DEV, DAY = Person(id="U0DEV"), NOW.date()
SAID = Answer(done="The draft", blocked="No build machine", task="S0-D0-1")


MORNING = datetime(2026, 11, 23, 7, 20, tzinfo=UTC)  # a Monday; people are asked from 07:15 on


class Died(Exception):
    """The process ended."""


def office_of(database: Database) -> Office:
    office = an_office(database)
    project = office.projects["GRANTER"].model_copy(update={"people_standup": timedelta(minutes=45)})
    return replace(office, projects={"GRANTER": project})


async def kept(office: Office) -> tuple[Answer | None, list[str], list[str], list[str]]:
    """The answer, what the project's and the task's logs say of it, and who was written to."""
    async with office.db.read() as session:
        said = await standup_answers.get(session, "GRANTER", DAY, "U0DEV")
        happened = list(await session.scalars(select(ProjectEventRow.kind).order_by(ProjectEventRow.id)))
        blocked = list(await session.scalars(select(EventRow.why).where(EventRow.state == "blocked")))
        return said, happened, blocked, list(await outbox.keys(session, "people/"))


async def test_a_crash_in_the_middle_neither_loses_nor_doubles_an_answer(database: Database) -> None:
    """The delivery is worked on anew after a crash, from its inbox row."""
    office, calls = office_of(database), 0
    await created(database, owner="U0DEV", state="running")

    def dies_late(text: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 4:  # the answer is written, its task is about to be blocked
            raise Died
        return text

    with pytest.raises(Died):
        await answer(replace(office, redact=dies_late), office.projects["GRANTER"], DAY, DEV, SAID)
    assert await kept(office) == (None, [], [], [])
    for _ in range(2):
        assert await answer(office, office.projects["GRANTER"], DAY, DEV, SAID) == Kept(blocked="S0-D0-1")
        assert await kept(office) == (SAID, ["standup_answered"], ["No build machine"], [])


@pytest.mark.parametrize(
    ("state", "task", "why_not"),
    [
        ("merged", "S0-D0-1", "S0-D0-1 is merged already."),
        ("running", "S0-D0-9", "There is no task S0-D0-9 any more."),
    ],
)
async def test_what_blocks_no_task_goes_to_the_leads(database: Database, state: str, task: str, why_not: str) -> None:
    """The form was open for a while, and its task ended meanwhile: nothing that was said is lost."""
    office = office_of(database)
    await created(database, owner="U0DEV", state=state)
    said = SAID.model_copy(update={"task": task})
    assert await answer(office, office.projects["GRANTER"], DAY, DEV, said) == Kept(why_not=why_not)
    await answer(office, office.projects["GRANTER"], DAY, DEV, said)
    told = f"people/GRANTER/{DAY}/U0DEV/blocked/U0LEAD"
    assert await kept(office) == (said, ["standup_answered"], [], [told])


async def test_who_owns_work_in_two_projects_is_asked_by_one_message(database: Database) -> None:
    office = office_of(database)
    shop = office.projects["GRANTER"].model_copy(update={"key": "SHOP", "channel": "C0SHOP"})
    office = replace(office, projects={**office.projects, "SHOP": shop}, now=lambda: MORNING)
    await created(database, 1, owner="U0DEV")
    await created(database, 2, owner="U0DEV", project="SHOP")
    await created(database, 3, owner="U0TWO", project="SHOP")
    for _again in range(2):
        for project in office.projects.values():
            async with database.begin() as session:
                await ask(office, session, project, timetable_of(project, {}), ())
    async with database.read() as session:
        rows = await session.scalars(select(OutboxRow).where(OutboxRow.kind == "direct"))
        asked = {row.channel: str(row.payload) for row in rows}
    assert set(asked) == {"U0DEV", "U0TWO"}
    assert "2 messages for you" in asked["U0DEV"]
    assert all(f"{key}|{MORNING:%F}" in asked["U0DEV"] for key in ("GRANTER", "SHOP")), "both have their button"
    assert "for you" not in asked["U0TWO"] and "GRANTER|" not in asked["U0TWO"]
