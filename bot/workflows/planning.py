"""Plans and sprints: load one, start one, close one. Leads only (R-APR); decided by the domain, in one transaction."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Action, Person, refusal, whom_to_ask
from bot.domain.plan import Plan, unknown_owners
from bot.domain.plan_budget import forecast
from bot.domain.plan_errors import errors_of, mistake
from bot.domain.project import Project
from bot.domain.sprint import Leftover, Sprint, day_one, unfinished, why_not_close, why_not_start
from bot.domain.task import Task, TaskState
from bot.errors import UserMistake
from bot.store import attempts, outbox, slots, sprints, tasks
from bot.store.sprints import Loaded
from bot.store.tables import TaskRow
from bot.workflows.clock import timetable_of
from bot.workflows.intake import route_policy
from bot.workflows.learning import learned
from bot.workflows.office import Office
from bot.workflows.plan_intake import queue_planned


class Taken(NamedTuple):
    """A plan that was loaded, and what is to be said of it."""

    plan: Plan
    loaded: Loaded
    warnings: tuple[str, ...]


class Started(NamedTuple):
    """A sprint that was started: its first day, the tasks that are queued now, and those of them that are late."""

    first: date
    today: bool
    made: list[TaskRow]
    late: list[TaskRow]


class Closing(NamedTuple):
    """A sprint that was closed; or, where `left` are asked about first, is still open."""

    sprint: Sprint
    left: tuple[Task, ...]
    closed: bool


def need_lead(project: Project, person: Person) -> None:
    """Raises UserMistake for those who may not (R-APR: sprint, plan)."""
    why_not = refusal(Action.BUDGET, person, project.team)
    if why_not:
        raise UserMistake(f"{why_not} Nothing was changed.", ask=whom_to_ask(Action.BUDGET, person, project.team))


async def load_plan(office: Office, project: Project, name: str, person: Person) -> Taken:
    """Load a plan by name, or what changed in it. Raises UserMistake, with every error and its line."""
    need_lead(project, person)
    async with office.db.read() as session:
        known = await sprints.ids(session, project.key)
    plan = office.plans(name, known)
    taken = await take_in(office, project, plan)
    office.nudge()
    return taken


async def take_in(office: Office, project: Project, plan: Plan) -> Taken:
    """Put a plan into the store. Raises UserMistake."""
    async with office.db.read() as session:
        history = await learned(session, project, office.price, office.now())
    expected = forecast(plan, route_policy(project, history), project.limits)
    if errors_of(expected.problems):
        raise mistake(expected.problems, "The plan", "orch plan check FILE")
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        loaded = await sprints.put(session, project.key, plan)
    strangers = sorted({owner for _, owner in unknown_owners(plan, project.aliases)})
    nobody = [f"nobody is called {', '.join(strangers)}; add them to `aliases`"] if strangers else []
    return Taken(plan, loaded, (*map(str, expected.problems), *nobody))


async def start_sprint(office: Office, project: Project, number: int, person: Person) -> Started:
    """Queue the tasks of a sprint, all or none; domain.sprint.day_one says which is its first day. Raises
    UserMistake."""
    need_lead(project, person)
    now = office.now()
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        waiting = [row for row in await sprints.plan_rows(session, project.key) if not row.queued]
        known = await sprints.ids(session, project.key)
        planned = [sprints.as_plan_task(row) for row in waiting]
        why_not = why_not_start(number, await sprints.of_project(session, project.key), planned, known)
        row = await sprints.row_of(session, project.key, number)
        if why_not or row is None:
            raise UserMistake(f"{why_not} Nothing was started.", "/orch plan show")
        first = day_one(timetable_of(project, await slots.changes(session, project.key)), now)
        row.state, row.started_at, row.first_day = "open", now, first
        made = []
        history = await learned(session, project, office.price, now)
        for plan_row in (each for each in waiting if each.sprint == number):
            task = sprints.as_plan_task(plan_row)
            key = f"plan:{project.key}/{task.id}"
            made.append(
                await queue_planned(
                    office, session, project, task, requester=person.id, delivery_key=key, first_day=first,
                    history=history, why=f"queued as sprint {number} started",
                )
            )  # fmt: skip
            plan_row.queued = True
        await _tell(office, session, project, sprints.as_sprint(row), who=person.id, made=made)
    office.nudge()
    late = [each for each in made if each.deadline and each.deadline <= now]
    return Started(first, first == project.day(now), made, late)


async def close_sprint(
    office: Office, project: Project, number: int, person: Person, leftover: Leftover | None = None
) -> Closing:
    """Close a sprint. Where tasks are unfinished and nobody said what becomes of them, nothing is changed: they are
    asked about. Raises UserMistake; never while something is merging."""
    need_lead(project, person)
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        row = await sprints.row_of(session, project.key, number)
        rows = [each for each in await tasks.in_project(session, project.key) if each.sprint == number]
        rows = [await tasks.lock(session, each.pk) for each in rows]
        facts = [tasks.as_task(each) for each in rows]
        why_not = why_not_close(sprints.as_sprint(row) if row else None, number, facts)
        if why_not or row is None:
            raise UserMistake(f"{why_not} Nothing was changed.", "/orch sprint show")
        left = unfinished(facts)
        sprint = sprints.as_sprint(row)
        if left and leftover is None:
            return Closing(sprint, left, closed=False)
        named = {task.id for task in left}
        for each in rows:
            if each.task_id in named:
                await _settle(office, session, each, leftover, number, person)
        row.state, row.closed_at = "closed", office.now()
        await _tell(office, session, project, sprints.as_sprint(row), who=person.id, left=left, leftover=leftover)
    office.nudge()
    return Closing(sprint, left, closed=True)


async def _settle(
    office: Office, session: AsyncSession, row: TaskRow, leftover: Leftover | None, number: int, person: Person
) -> None:
    """Carry one unfinished task over to the next sprint, under its id; or cancel it."""
    if leftover == "cancel":
        why = f"sprint {number} was closed by <@{person.id}>"
        await attempts.end(session, row, at=office.now(), outcome="interrupted", why=why)
        await tasks.step(session, row, TaskState.CANCELLED, at=office.now(), who=person.id, why=why)
        return
    await sprints.carry_to(session, row.project, number + 1)
    row.sprint = number + 1
    await tasks.note(
        session, row, at=office.now(), who=person.id, kind="carried", why=f"carried over to sprint {number + 1}",
        detail={"from": number, "to": number + 1},
    )  # fmt: skip


async def _tell(
    office: Office, session: AsyncSession, project: Project, sprint: Sprint, *, who: str, **facts: object
) -> None:
    """Say in the channel that a sprint started or was closed."""
    known: dict[str, object] = {"made": [], "left": (), "leftover": None}
    message = office.render.message("alerts/sprint", {**known, **facts, "sprint": sprint, "who": who})
    key = f"sprint/{project.key}/{sprint.number}/{sprint.state}"
    await outbox.want(session, key, "channel", project.channel, message, office.now())
