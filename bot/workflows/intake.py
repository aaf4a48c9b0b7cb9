"""From what a person asked for to a queued task, or to a quote. Idempotent by the delivery's key."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.calls import Usage
from bot.domain.project import Project
from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.task import Route, Rung
from bot.errors import UserMistake
from bot.store import tasks
from bot.store.tables import TaskRow
from bot.workflows.office import Office


def route_request(office: Office, project: Project, request: AssignRequest) -> Route:
    """Route a request and price it (R-RT-7). Raises UserMistake."""
    policy = RoutePolicy(security_paths=project.security_paths, haiku_first=project.haiku_first)
    chosen = route(
        RouteRequest(
            text=request.text, files=request.files, type=request.type, model=request.model, security=request.security
        ),
        policy,
    )
    if chosen.rung is Rung.MANUAL:
        return chosen
    budget = request.token_budget or project.limits.task[chosen.rung]
    price = office.price(project.models[chosen.rung], project.day(office.now()))
    return chosen.model_copy(
        update={
            "expected_tokens": min(chosen.expected_tokens or budget, budget),
            "max_cost_microusd": prices.cost(Usage(output=budget), price),
        }
    )


def expected_cost(office: Office, project: Project, chosen: Route) -> int:
    """Micro-dollars that one attempt on this route is likely to cost; 0 for a person."""
    if chosen.rung is Rung.MANUAL:
        return 0
    price = office.price(project.models[chosen.rung], project.day(office.now()))
    return prices.expected_cost(chosen.expected_tokens, price)


async def create_task(
    office: Office, project: Project, request: AssignRequest, person: Person, *, delivery_key: str
) -> TaskRow:
    """Create and queue a task; the same delivery again returns the task it made. Raises UserMistake."""
    chosen = route_request(office, project, request)
    now = office.now()
    deadline = _deadline(project, request, now)
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        made = await tasks.of_delivery(session, delivery_key)
        if made is not None:
            return made
        after = await _known(session, project, request)
        sprint, day = request.sprint or 0, request.day or 0
        number = await tasks.next_number(session, project.key, sprint, day)
        row = TaskRow(
            project=project.key,
            task_id=f"S{sprint}-D{day}-{number}",
            sprint=sprint,
            day=day,
            number=number,
            delivery_key=delivery_key,
            text=request.text,
            route=chosen.model_dump(mode="json"),
            state="queued",
            priority=request.priority,
            files=list(request.files),
            touched=[],
            checks=list(request.checks),
            criteria=[],
            after=after,
            requester=person.id,
            owner=request.owner or person.id,
            deadline=deadline,
            token_budget=request.token_budget or project.limits.task.get(chosen.rung, 0),
            attempt=0,
            entry=0,
            security_reasons=[],
            learned=[],
            channel=project.channel,
            created_at=now,
            updated_at=now,
        )
        await tasks.create(session, row, who=person.id, why=f"assigned to {chosen.rung}: {chosen.reason}")
    office.nudge()
    return row


def _deadline(project: Project, request: AssignRequest, now: datetime) -> datetime | None:
    if request.deadline is None:
        return None
    asked = request.deadline
    deadline = (asked if asked.tzinfo else asked.replace(tzinfo=project.zone)).astimezone(UTC)
    if deadline <= now:
        local = now.astimezone(project.zone)
        here = f"it is {local:%Y-%m-%dT%H:%M} in {project.timezone}"
        raise UserMistake(f"The deadline {deadline.astimezone(project.zone):%Y-%m-%dT%H:%M} is past: {here}.")
    return deadline


async def _known(session: AsyncSession, project: Project, request: AssignRequest) -> list[str]:
    """The ids of `--after`, each known in this project. Raises UserMistake."""
    for ref in request.after:
        if ref.project not in (None, project.key):
            raise UserMistake(f"`--after {ref}`: a task can only wait for tasks of its own project, {project.key}.")
        if await tasks.find(session, project.key, ref.id) is None:
            raise UserMistake(
                f"`--after {ref}`: there is no task {ref.id} in {project.key}. `/orch list all` shows them."
            )
    return [ref.id for ref in request.after]
