"""What people ask to see: lists, one task, its decisions, a quote. Facts only; templates say them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.domain.assign import AssignRequest
from bot.domain.command_kinds import List
from bot.domain.coordinator import DAILY_TOKENS, is_unsure
from bot.domain.order import Wait, ready
from bot.domain.paths import may_share
from bot.domain.project import Project
from bot.domain.task import ENDED, Task, TaskState
from bot.store import ledger, sprints, task_lists, tasks
from bot.store.tables import TaskRow
from bot.workflows.card import card_facts
from bot.workflows.intake import coordinator_cost, expected_cost, route_request
from bot.workflows.learning import learned
from bot.workflows.office import Office
from bot.workflows.provider_rests import healths

LISTED = 20
OVERVIEWED = 10
RUNNING = (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW, TaskState.MERGING)
WITH_PEOPLE = (TaskState.BLOCKED, TaskState.AWAITING_APPROVAL, TaskState.WITH_HUMAN)
VIEWS: dict[str, tuple[TaskState, ...]] = {
    "running": RUNNING,
    "blocked": (TaskState.BLOCKED,),
    "review": (TaskState.IN_REVIEW, TaskState.AWAITING_APPROVAL),
}


async def task_list(office: Office, project: Project, person: str, asked: List, number: int) -> dict[str, Any]:
    """One page of the tasks that are asked for, newest first, and how many there are; pages count from 0. Beyond the
    end it is the last page."""
    open_ones = tuple(state for state in TaskState if state not in ENDED)
    states = VIEWS.get(asked.view, open_ones if asked.view == "open" else tuple(TaskState))
    wanted: dict[str, Any] = {
        "mine": person if asked.view == "mine" else None,
        "owner": asked.owner,
        "words": asked.words.split(),
    }
    async with office.db.read() as session:
        rows, total = await task_lists.page(session, project.key, states, **wanted, first=number * LISTED, count=LISTED)
        if not rows and total:
            number = (total - 1) // LISTED
            rows, total = await task_lists.page(
                session, project.key, states, **wanted, first=number * LISTED, count=LISTED
            )
    return {
        "asked": asked,
        "project": project.key,
        "rows": rows,
        "total": total,
        "first": number * LISTED,
        "page": number,
        "pages": -(-total // LISTED),
    }


async def status(office: Office, key: str, task_id: str) -> dict[str, Any]:
    """One task's card, for whoever asked."""
    async with office.db.read() as session:
        row = await find(session, key, task_id)
        return await card_facts(office, session, row.pk)


async def overview(office: Office, project: Project) -> dict[str, Any]:
    """How each provider is, the tasks by state, what is at work, and what waits for what."""
    async with office.db.read() as session:
        providers = await healths(office, session)
        rows = await tasks.in_project(session, project.key)
    return {
        "project": project.key,
        "providers": [(name, type(state).__name__.lower(), state) for name, state in providers.items()],
        "states": Counter(row.state for row in rows),
        "at_work": [row for row in rows if row.state in RUNNING and row.waits_for is None][:OVERVIEWED],
        "waiting": [row for row in rows if row.waits_for and row.state != TaskState.BLOCKED][:OVERVIEWED],
        "with_people": [row for row in rows if row.state in WITH_PEOPLE][:OVERVIEWED],
    }


async def why(office: Office, key: str, task_id: str) -> dict[str, Any]:
    """Every event of a task, oldest first, and its calls."""
    async with office.db.read() as session:
        row = await find(session, key, task_id)
        return {
            "row": row,
            "events": await tasks.events(session, row.pk),
            "calls": await ledger.calls_of(session, row.pk),
        }


async def quote(office: Office, project: Project, request: AssignRequest) -> dict[str, Any]:
    """What would be done and what it may cost, before anything is paid: route, conflicts, place in the queue."""
    now = office.now()
    async with office.db.read() as session:
        history = await learned(session, project, office.price, now)
        rows = await tasks.in_project(session, project.key)
    chosen = route_request(office, project, request, history)
    asked = Task(
        project=project.key, id="new", text=request.text, route=chosen, priority=request.priority, files=request.files,
        after=tuple(ref.id for ref in request.after), created_at=now, updated_at=now,
    )  # fmt: skip
    others = [tasks.as_task(row) for row in rows]
    decisions = ready([*others, asked], project.concurrency)
    place = next(n for n, decision in enumerate(decisions, 1) if decision.task.id == "new")
    mine = decisions[place - 1]
    budget = request.token_budget or project.limits.task.get(chosen.rung, 0)
    return {
        "request": request,
        "route": chosen,
        "budget": budget,
        "expected_microusd": expected_cost(office, project, chosen),
        "coordinator": {"tokens": DAILY_TOKENS, "microusd": coordinator_cost(office, project)}
        if is_unsure(chosen)
        else None,
        "conflict": _conflict(asked, others),
        "model": project.models.get(chosen.rung, "a person"),
        "waits": mine.why if isinstance(mine, Wait) else None,
        "place": place,
    }


def _conflict(asked: Task, others: list[Task]) -> str | None:
    """The open task that may change one of the same files, and which."""
    shared = ((other.id, may_share(asked.files, other.files)) for other in others)
    return next((f"{task_id} may change {path} too" for task_id, path in shared if path), None)


async def find(session: Any, key: str, task_id: str) -> TaskRow:
    """A task by id. Raises UserMistake."""
    row = await tasks.find(session, key, task_id)
    if row is None:
        raise await sprints.no_task(session, key, task_id)
    return row
