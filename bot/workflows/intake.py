"""From what a person asked for to a queued task, or to a quote. Idempotent by the delivery's key."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.coordinator import DAILY_TOKENS, MAX_ANSWER_TOKENS
from bot.domain.history import History
from bot.domain.project import Project
from bot.domain.routing import RoutePolicy, RouteRequest, route
from bot.domain.sprint import number_of
from bot.domain.task import Route, Rung
from bot.errors import ChatError, UserMistake
from bot.store import sprints, tasks
from bot.store.tables import TaskRow
from bot.workflows.learning import learned
from bot.workflows.office import Office


def route_request(office: Office, project: Project, request: AssignRequest, history: History | None = None) -> Route:
    """Route a request and price it (R-RT-7). Raises UserMistake."""
    asked = RouteRequest(
        text=request.text, files=request.files, type=request.type, model=request.model, security=request.security
    )
    return priced_route(office, project, asked, request.token_budget, history)


def priced_route(
    office: Office, project: Project, asked: RouteRequest, token_budget: int | None, history: History | None = None
) -> Route:
    """The route of whatever asks for one, with what an attempt may take and cost. `history`: what earlier tasks teach
    (workflows.learning); none where the rung is decided already. Raises UserMistake."""
    chosen = route(asked, route_policy(project, history))
    return priced(office, project, chosen, token_budget or project.limits.task.get(chosen.rung, 0))


def priced(office: Office, project: Project, chosen: Route, budget: int) -> Route:
    """The route with what one attempt takes and costs at most. `budget`: tokens."""
    if chosen.rung is Rung.MANUAL:
        return chosen
    price = office.price(project.models[chosen.rung], project.day(office.now()))
    return prices.priced(chosen, budget, price)


def route_policy(project: Project, history: History | None = None) -> RoutePolicy:
    return RoutePolicy(
        security_paths=project.security_paths,
        haiku_first=project.haiku_first,
        model=project.text_model,
        history=history,
    )


def expected_cost(office: Office, project: Project, chosen: Route) -> int:
    """Micro-dollars that one attempt on this route is likely to cost; 0 for a person."""
    if chosen.rung is Rung.MANUAL:
        return 0
    price = office.price(project.models[chosen.rung], project.day(office.now()))
    return prices.expected_cost(chosen.expected_tokens, price)


def coordinator_cost(office: Office, project: Project) -> int:
    """Micro-dollars that the coordinator's question about an unclear task may cost at most (R-BUD-6)."""
    price = office.price(project.coordinator or project.models[Rung.HAIKU], project.day(office.now()))
    return prices.worst_cost(DAILY_TOKENS - MAX_ANSWER_TOKENS, MAX_ANSWER_TOKENS, price)


async def create_task(
    office: Office, project: Project, request: AssignRequest, person: Person, *, delivery_key: str
) -> TaskRow:
    """Create and queue a task; the same delivery again returns the task it made. Raises UserMistake."""
    async with office.db.read() as session:
        history = await learned(session, project, office.price, office.now())
    chosen = route_request(office, project, request, history)
    if request.owner:
        await able(office, request.owner)
    now = office.now()
    deadline = deadline_of(project, request, now)
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        made = await tasks.of_delivery(session, delivery_key)
        if made is not None:
            return made
        after = await _known(session, project, request)
        sprint, day = await place(session, project, request, now)
        row = new_row(office, project, request, chosen, person.id, delivery_key)
        row.sprint, row.day, row.after, row.deadline = sprint, day, after, deadline
        await number_and_create(session, row, who=person.id, why=f"assigned to {chosen.rung}: {chosen.reason}")
    office.nudge()
    return row


async def able(office: Office, person: str) -> Person:
    """Somebody whom a task may be given to. Raises UserMistake for whom Slack does not know, and who may do nothing."""
    try:
        found = await office.chat.person(person)
    except ChatError as error:
        if error.passing:
            raise
        raise UserMistake(f"It cannot go to {person}: Slack knows no such person. Pick one by `@`.") from None
    if found.barred:
        raise UserMistake(f"It cannot go to {found.name}: {found.barred}.")
    return found


def new_row(
    office: Office, project: Project, request: AssignRequest, chosen: Route, requester: str, delivery_key: str
) -> TaskRow:
    """The row of a new task; its place (sprint, day, number), deadline and dependencies are still to come."""
    now = office.now()
    return TaskRow(
        project=project.key,
        sprint=0,
        day=0,
        delivery_key=delivery_key,
        text=office.redact(request.text),  # it is shown on the card, to models and in the commit (R-SEC-3)
        route=chosen.model_dump(mode="json"),
        state="queued",
        priority=request.priority,
        files=list(request.files),
        touched=[],
        checks=list(request.checks),
        criteria=[],
        after=[],
        requester=requester,
        owner=request.owner or requester,
        token_budget=request.token_budget or project.limits.task.get(chosen.rung, 0),
        attempt=0,
        entry=0,
        security_reasons=[],
        learned=[],
        channel=project.channel,
        zone=project.timezone,
        created_at=now,
        updated_at=now,
    )


async def number_and_create(session: AsyncSession, row: TaskRow, *, who: str, why: str) -> None:
    """Give a new task the next n of its sprint and day (R-MSG-4), and insert it; the caller holds `lock_project`."""
    row.number = await tasks.next_number(session, row.project, row.sprint, row.day)
    row.task_id = f"S{row.sprint}-D{row.day}-{row.number}"
    await tasks.create(session, row, who=who, why=why)


async def place(session: AsyncSession, project: Project, request: AssignRequest, now: datetime) -> tuple[int, int]:
    """The sprint and its day: what is asked for, else the sprint that is open and today, else 0 (R-MSG-4)."""
    going_on = await sprints.open_now(session, project.key)
    sprint = number_of(going_on) if request.sprint is None else request.sprint
    if request.day is not None:
        return sprint, request.day
    if going_on is None or going_on.number != sprint or going_on.first_day is None:
        return sprint, 0
    return sprint, project.working_days.number(going_on.first_day, project.day(now))


def deadline_of(project: Project, request: AssignRequest, now: datetime) -> datetime | None:
    """The deadline in UTC. Raises UserMistake for one that is past."""
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
