"""The stand-up of people: each is asked once by a direct message, and the answers join the morning's post.

The clock asks each minute in the time before the post. A person's message has one key a day, so nobody is asked twice;
somebody in quiet hours is asked when these end. An answer and the post are written under the project's lock, so an
answer is in the post's thread from the start, or joins it at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Action, Person
from bot.domain.local_time import instant
from bot.domain.people_standup import Answer, Board, asked, board, to_ask
from bot.domain.project import Project
from bot.domain.slots import Timetable
from bot.domain.task import TaskState
from bot.errors import UserMistake
from bot.store import outbox, people_settings, project_events, slots, standup_answers, tasks
from bot.workflows import reach
from bot.workflows.deeds import Deed, need_right
from bot.workflows.moves import hold_up
from bot.workflows.office import Office


async def ask(
    office: Office, session: AsyncSession, project: Project, timetable: Timetable, skipped: Collection[date]
) -> None:
    """Ask whoever is to be asked now and was not yet."""
    now = office.now()
    slot = to_ask(timetable, project.people_standup, now, skipped) if project.people_standup else None
    if slot is None:
        return
    start = f"people/{project.key}/{slot.day}/"
    before = {key.removeprefix(start) for key in await outbox.keys(session, start)}
    owners = await standup_answers.owners(session, project.key) - before
    settings = await people_settings.of(session, owners)
    for person in asked(owners, settings, project.hours, now):
        seen = await _board(session, project, slot.day, person, now)
        facts = {"project": project, "day": slot.day, "at": slot.at, "board": seen}
        message = office.words_of(project.key).message("alerts/standup", facts)
        await reach.write(
            office, session, project.key, person, start + person, message, beside=f"standup/{now:%FT%H:%M}"
        )
        office.mail.set()


async def form_facts(office: Office, project: Project, day: date, person: Person) -> tuple[Board, Answer | None]:
    """What the form is filled in with: what they said already, else what the board knows. Raises UserMistake."""
    now = office.now()
    need_today(project, day, now)
    async with office.db.read() as session:
        seen = await _board(session, project, day, person.id, now)
        return seen, await standup_answers.get(session, project.key, day, person.id)


class Kept(NamedTuple):
    """What became of an answer: the task that is blocked by it, or why none is though one was named."""

    blocked: str | None = None
    why_not: str | None = None


async def answer(office: Office, project: Project, day: date, person: Person, said: Answer) -> Kept:
    """Take an answer in, with all that follows from it, in one transaction: after a crash all of it is there, or it is
    done anew. The same answer again changes nothing. Raises UserMistake."""
    now = office.now()
    need_today(project, day, now)
    said = Answer(done=office.redact(said.done), next=office.redact(said.next), blocked=office.redact(said.blocked),
                  task=said.task)  # fmt: skip
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        before = await standup_answers.get(session, project.key, day, person.id) or Answer()
        told = (said.blocked, said.task) == (before.blocked, before.task)
        if said != before:
            await standup_answers.put(session, project.key, day, person.id, said, now)
            project_events.note(session, project.key, at=now, who=person.id, kind="standup_answered",
                                why="said what is done, next and blocked",
                                detail={"day": day.isoformat(), **said.model_dump()})  # fmt: skip
            if await slots.state_of(session, project.key, "morning", day) == "posted":
                await _show(office, session, project, day, person.id, said, late=True)
        kept = await _block(office, session, project, person, said, told=told)
        if said.blocked and kept.blocked is None and not told:
            await _tell_leads(office, session, project, day, person.id, said, kept.why_not)
    office.nudge()
    return kept


async def _block(
    office: Office, session: AsyncSession, project: Project, person: Person, said: Answer, *, told: bool
) -> Kept:
    """Block the task that somebody named, unless they said so before. Where that cannot be, the leads see to it."""
    if not said.blocked or said.task is None:
        return Kept()
    found = await tasks.find(session, project.key, said.task)
    if found is None:
        return Kept(why_not=f"There is no task {said.task} any more.")
    row = await tasks.lock(session, found.pk)
    if told:
        return Kept(blocked=row.task_id if row.state == TaskState.BLOCKED else None)
    try:
        need_right(office, Deed(project.key, row.task_id, person), Action.STOP, row)
        await hold_up(office, session, row, said.blocked, who=person.id)
    except UserMistake as mistake:
        return Kept(why_not=str(mistake))
    return Kept(blocked=row.task_id)


async def show_all(office: Office, session: AsyncSession, project: Project, day: date) -> int:
    """The answers that are there, in the post's thread; how many. The caller holds the project's lock."""
    rows = await standup_answers.of_day(session, project.key, day) if project.people_standup else ()
    for row in rows:
        await _show(office, session, project, day, row.person, standup_answers.as_answer(row))
    return len(rows)


def need_today(project: Project, day: date, now: datetime) -> None:
    """Raises UserMistake for the form of a day that is over."""
    if day != project.day(now):
        raise UserMistake(
            f"The stand-up of {day} is over, so nothing was added to it. Today's is asked in the morning."
        )


async def _show(
    office: Office, session: AsyncSession, project: Project, day: date, person: str, said: Answer, late: bool = False
) -> None:
    post = f"standup/{project.key}/{day}/morning"
    message = office.words_of(project.key).message("thread/standup", {"person": person, "said": said, "late": late})
    key = f"{post}/people/{person}"
    if not await outbox.want(session, key, "thread", project.channel, message, office.now(), thread_of=post):
        await outbox.rewrite(session, key, message)


async def _tell_leads(
    office: Office, session: AsyncSession, project: Project, day: date, person: str, said: Answer, why_not: str | None
) -> None:
    """What is in somebody's way and blocks no task: the leads see to it."""
    facts = {"project": project, "person": person, "said": said, "why_not": why_not}
    message = office.words_of(project.key).message("alerts/standup_blocked", facts)
    for lead in project.team.leads:
        key = f"people/{project.key}/{day}/{person}/blocked/{lead}"
        if lead != person and not await reach.write(office, session, project.key, lead, key, message):
            await reach.rewrite(office, session, key, message)


async def _board(session: AsyncSession, project: Project, day: date, person: str, now: datetime) -> Board:
    start = instant(project.working_days.before(day), project.times.morning, project.timezone)
    over = await tasks.finished(session, project.key, start, now)
    rows = await tasks.in_project(session, project.key)
    return board(person, [tasks.as_task(row) for row in rows], [tasks.as_task(row) for row in over])
