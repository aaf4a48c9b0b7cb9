"""Sprints and what their plans ask for. A plan's task waits here until its sprint starts; then it becomes a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import Limits, sprint_scope
from bot.domain.plan import Plan, PlanTask
from bot.domain.sprint import Sprint, current, with_budget
from bot.errors import UserMistake
from bot.store.tables import CounterRow, PlanTaskRow, SprintRow, TaskRow


class Loaded(NamedTuple):
    """What loading a plan did, in tasks; `queued` were left as they are, since they began already."""

    added: int
    changed: int
    same: int
    removed: int
    queued: int


def as_sprint(row: SprintRow) -> Sprint:
    """The row as decisions see it."""
    return Sprint.model_validate({name: getattr(row, name) for name in Sprint.model_fields})


async def of_project(session: AsyncSession, project: str) -> tuple[Sprint, ...]:
    """All sprints, by number."""
    query = select(SprintRow).where(SprintRow.project == project).order_by(SprintRow.number)
    return tuple(as_sprint(row) for row in (await session.scalars(query)).all())


async def open_now(session: AsyncSession, project: str) -> Sprint | None:
    """The sprint that is going on."""
    query = select(SprintRow).where(SprintRow.project == project, SprintRow.state == "open")
    return current([as_sprint(row) for row in (await session.scalars(query.order_by(SprintRow.number))).all()])


async def row_of(session: AsyncSession, project: str, number: int) -> SprintRow | None:
    return await session.get(SprintRow, (project, number), populate_existing=True)


async def plan_rows(session: AsyncSession, project: str, number: int | None = None) -> Sequence[PlanTaskRow]:
    """What plans and assignments asked for, queued or not, in the plan's order; of one sprint, or of all."""
    query = select(PlanTaskRow).where(PlanTaskRow.project == project)
    if number is not None:
        query = query.where(PlanTaskRow.sprint == number)
    return (await session.scalars(query.order_by(PlanTaskRow.sprint, PlanTaskRow.place))).all()


async def plan_row(session: AsyncSession, project: str, task_id: str) -> PlanTaskRow | None:
    return await session.get(PlanTaskRow, (project, task_id))


async def no_task(session: AsyncSession, project: str, task_id: str) -> UserMistake:
    """What to say where an id is no task's: one that a plan holds for a sprint that has not begun says so."""
    query = select(PlanTaskRow).where(PlanTaskRow.project == project, PlanTaskRow.queued.is_(False))
    row = (await session.scalars(query.where(func.lower(PlanTaskRow.task_id) == task_id.lower()))).one_or_none()
    if row is None:
        return UserMistake(f"There is no task {task_id} in {project}. `/orch list all` shows them.")
    text = f"{row.task_id} is planned for sprint {row.sprint} and not queued yet, so nothing can be done with it."
    return UserMistake(text, f"/orch sprint start {row.sprint}")


def as_plan_task(row: PlanTaskRow) -> PlanTask:
    return PlanTask.model_validate(row.task)


async def ids(session: AsyncSession, project: str) -> set[str]:
    """The ids of all tasks of the project, those that were not planned too."""
    return set(await session.scalars(select(TaskRow.task_id).where(TaskRow.project == project)))


async def limits_in(session: AsyncSession, limits: Limits, project: str, number: int) -> Limits:
    """The limits that hold in a sprint: the plan's own budget for it, where the configuration gives none (R-BUD-2)."""
    row = await session.get(SprintRow, (project, number))
    return with_budget(limits, number, as_sprint(row).budget) if row else limits


async def used_tokens(session: AsyncSession, project: str, number: int) -> int:
    """Used and reserved of the sprint's budget."""
    counter = await session.get(CounterRow, sprint_scope(project, number), populate_existing=True)
    return counter.used_tokens + counter.reserved_tokens if counter else 0


async def put(session: AsyncSession, project: str, plan: Plan) -> Loaded:
    """Take a plan in, by id: what has not begun is updated, or removed where the plan no longer has it. The caller
    holds the project's lock. Raises UserMistake where an id belongs to something else; nothing is changed then."""
    rows = {row.task_id: row for row in await plan_rows(session, project)}
    _refuse_strangers(plan, rows, await ids(session, project))
    await _put_sprints(session, project, plan)
    counts = dict.fromkeys(Loaded._fields, 0)
    for place, task in enumerate(plan.tasks):
        said = task.model_copy(update={"line": 0}).model_dump(mode="json")
        row = rows.get(task.id)
        if row is None:
            new = PlanTaskRow(project=project, task_id=task.id, plan=plan.name, sprint=task.sprint, place=place)
            new.task, new.queued = said, False
            session.add(new)
        elif not row.queued:
            row.place = place
        counts[_what(row, said)] += 1
        if row is not None and not row.queued:
            row.task = said
    left = {name for name, row in rows.items() if row.plan == plan.name and not row.queued} - {t.id for t in plan.tasks}
    if left:
        gone = delete(PlanTaskRow).where(PlanTaskRow.project == project, PlanTaskRow.task_id.in_(left))
        await session.execute(gone)
    await session.flush()
    return Loaded(**{**counts, "removed": len(left)})


def _what(row: PlanTaskRow | None, said: dict[str, object]) -> str:
    if row is None:
        return "added"
    return "queued" if row.queued else "same" if row.task == said else "changed"


def _refuse_strangers(plan: Plan, rows: dict[str, PlanTaskRow], known: set[str]) -> None:
    for task in plan.tasks:
        row = rows.get(task.id)
        if row is None and task.id in known:
            raise UserMistake(f"{task.id} is a task already that no plan made. Nothing was loaded; give it another id.")
        if row is not None and row.plan != plan.name:
            of = f"the plan {row.plan}" if row.plan else "an assignment in JSON"
            raise UserMistake(f"{task.id} comes from {of} already. Nothing was loaded; give it another id.")


async def _put_sprints(session: AsyncSession, project: str, plan: Plan) -> None:
    for sprint in plan.sprints:
        row = await row_of(session, project, sprint.number)
        if row is None:
            row = SprintRow(project=project, number=sprint.number, state="planned")
            session.add(row)
        if row.state == "closed":
            continue
        row.plan, row.title, row.days = plan.name, sprint.title, sprint.days
        row.budget = {rung.value: tokens for rung, tokens in sprint.budget.items()}
    await session.flush()


async def carry_to(session: AsyncSession, project: str, number: int) -> None:
    """Make sure that there is a sprint to carry tasks over to."""
    if await row_of(session, project, number) is None:
        session.add(SprintRow(project=project, number=number, plan="", title="", days=5, state="planned", budget={}))
        await session.flush()
