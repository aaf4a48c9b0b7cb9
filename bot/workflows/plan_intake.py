"""From a plan's task, or an assignment in JSON, to a queued task with its own id (R-MSG-1, R-MSG-4)."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.history import History
from bot.domain.plan import PlanTask, person_of
from bot.domain.plan_fields import DayTime
from bot.domain.plan_graph import find_cycle
from bot.domain.project import Project
from bot.domain.task import TaskState
from bot.errors import UserMistake
from bot.store import sprints, tasks
from bot.store.tables import PlanTaskRow, TaskRow
from bot.workflows.intake import new_row, priced_route
from bot.workflows.learning import learned
from bot.workflows.office import Office


class Assigned(NamedTuple):
    """A task that an assignment in JSON made, and what is to be said of it."""

    row: TaskRow
    notes: tuple[str, ...]


async def queue_planned(
    office: Office,
    session: AsyncSession,
    project: Project,
    task: PlanTask,
    *,
    requester: str,
    delivery_key: str,
    first_day: date | None,
    history: History | None,
    why: str,
) -> TaskRow:
    """Create and queue the task under the plan's id. The caller holds the project's lock, and knows that the id is
    free. Raises UserMistake."""
    chosen = priced_route(office, project, task.route_request, task.token_budget, history)
    request = AssignRequest(
        text=task.text, files=task.files, priority=task.priority, checks=task.checks, token_budget=task.token_budget,
        owner=person_of(task.owner or "", project.aliases),
    )  # fmt: skip
    row = new_row(office, project, request, chosen, requester, delivery_key)
    row.task_id, row.sprint, row.day, row.number = task.id, task.sprint, task.day, task.number
    row.criteria = [office.redact(each) for each in task.success_criteria]
    row.after = await _befores(session, project, task)
    row.deadline = _deadline(project, task, first_day)
    await tasks.create(session, row, who=requester, why=f"{why}, to {chosen.rung}: {chosen.reason}")
    return row


async def create_assigned(
    office: Office, project: Project, task: PlanTask, person: Person, *, delivery_key: str
) -> Assigned:
    """Create the task of an assignment in JSON; the same delivery again returns the one it made. Raises UserMistake."""
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        made = await tasks.of_delivery(session, delivery_key)
        if made is not None:
            return Assigned(made, ())
        await _refuse_taken(session, project, task)
        await _refuse_befores(session, project, task)
        going_on = await sprints.open_now(session, project.key)
        same = going_on if going_on and going_on.number == task.sprint else None
        said = task.model_dump(mode="json")
        session.add(PlanTaskRow(project=project.key, task_id=task.id, sprint=task.sprint, task=said, queued=True))
        row = await queue_planned(
            office, session, project, task, requester=person.id, delivery_key=delivery_key,
            first_day=same.first_day if same else None, why="assigned in JSON",
            history=await learned(session, project, office.price, office.now()),
        )  # fmt: skip
        unknown = await _let_wait(session, project, task, person, office.now())
        await _refuse_circle(session, project, task)
    office.nudge()
    return Assigned(row, tuple(_notes(project, task, row, unknown, office.now())))


def _notes(project: Project, task: PlanTask, row: TaskRow, unknown: list[str], now: datetime) -> list[str]:
    """What a person should know of an assignment that was taken."""
    notes = []
    if task.owner and person_of(task.owner, project.aliases) is None:
        said = f"Nobody in {project.key} is called {task.owner}, so it is yours"
        notes.append(f"{said}; `aliases` in the config says who is who.")
    if row.deadline and row.deadline <= now:
        notes.append("Its deadline is past already.")
    if unknown:
        notes.append(f"{', '.join(unknown)} will wait for it, once there is such a task.")
    return notes


def _deadline(project: Project, task: PlanTask, first_day: date | None) -> datetime | None:
    if isinstance(task.deadline, DayTime) and first_day is None:
        raise UserMistake(
            f"`{task.deadline}` counts days of sprint {task.sprint}, which is not open. Nothing was made; give a date."
        )
    nth = partial(project.working_days.nth, first_day) if first_day else date.fromordinal
    return task.deadline_at(nth, project.zone)


async def _befores(session: AsyncSession, project: Project, task: PlanTask) -> list[str]:
    """What it waits for: by its own words, and by `blockers_if_fail` of assignments that came before it."""
    rows = await sprints.plan_rows(session, project.key)
    also = (row.task_id for row in rows if row.plan == "" and task.id in row.task["blockers_if_fail"])
    return list(dict.fromkeys((*task.after, *also)))


async def _refuse_taken(session: AsyncSession, project: Project, task: PlanTask) -> None:
    planned = await sprints.plan_row(session, project.key, task.id)
    if planned is not None and not planned.queued:
        raise UserMistake(f"{task.id} is in the plan {planned.plan}: `/orch sprint start {task.sprint}` queues it.")
    if await tasks.find(session, project.key, task.id) is not None:
        raise UserMistake(
            f"There is a task {task.id} in {project.key} already; it was left as it is. Give this one another number.",
            f"/orch status {task.id}",
        )


async def _refuse_befores(session: AsyncSession, project: Project, task: PlanTask) -> None:
    known = await sprints.ids(session, project.key)
    missing = [name for name in task.after if name not in known]
    if missing:
        raise UserMistake(
            f"{task.id} waits for {', '.join(missing)}, which {project.key} does not have (yet). Nothing was made."
        )


async def _let_wait(
    session: AsyncSession, project: Project, task: PlanTask, person: Person, now: datetime
) -> list[str]:
    """Make those wait that cannot start if this task fails, and let them tell by whom (R-APR-3); returns the ids that
    nobody knows yet."""
    unknown = []
    for name in task.blockers_if_fail:
        waiting, planned = (
            await tasks.find(session, project.key, name),
            await sprints.plan_row(session, project.key, name),
        )
        waiting = await tasks.lock(session, waiting.pk) if waiting is not None else None
        if waiting is not None and waiting.state == TaskState.QUEUED:
            waiting.after = list(dict.fromkeys((*waiting.after, task.id)))
            await tasks.note(session, waiting, at=now, who=person.id, kind="dependencies", why=f"waits for {task.id}")
        elif waiting is None and planned is not None:
            planned.task = {**planned.task, "after": [*planned.task["after"], task.id]}
        elif waiting is None:
            unknown.append(name)
    await session.flush()
    return unknown


async def _refuse_circle(session: AsyncSession, project: Project, task: PlanTask) -> None:
    """Raises UserMistake, which undoes everything, where tasks would wait for each other (R-PAR-3)."""
    rows = await tasks.in_project(session, project.key)
    graph = {row.task_id: tuple(row.after) for row in rows}
    for planned in await sprints.plan_rows(session, project.key):
        graph.setdefault(planned.task_id, tuple(planned.task["after"]))
    cycle = find_cycle(graph)
    if cycle:
        raise UserMistake(f"These would wait for each other in a circle: {' -> '.join(cycle)}. {task.id} was not made.")
