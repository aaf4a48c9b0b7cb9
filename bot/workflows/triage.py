"""The coordinator's one small call, at the start of the first attempt of a task that is still unclear (R-BUD-6).

It stands here and not at the intake, so that a command is answered at once and the call is durable like any other."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import ModelReply, ModelRequest
from bot.domain.coordinator import MAX_FILES, MAX_TEXT, is_unsure, read_answer, refine, unrefined
from bot.domain.routing import RouteRequest
from bot.domain.task import Route, Rung, TaskState
from bot.errors import ModelError
from bot.store import attempts, ledger, tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows.counting import counted
from bot.workflows.intake import priced, route_policy
from bot.workflows.learning import learned
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, paid_call


@dataclass(frozen=True)
class Question:
    """A classification ready to be paid for; `hindrance` where it cannot be."""

    request: ModelRequest
    counted: int
    hindrance: str = ""


async def triage(office: Office, visit: Visit) -> bool:
    """Ask the coordinator what kind of work this is. False: a person's, and the visit is over."""
    question = await office.step(prepare_triage, visit)
    if question.hindrance:
        return await office.tx(finish_triage, visit, None, question.hindrance)
    outcome = await paid_call(
        office, visit, purpose="triage", rung=Rung.HAIKU, request=question.request, counted=question.counted
    )
    if isinstance(outcome, Answered):
        return await office.tx(finish_triage, visit, outcome.call_id, "")
    return await office.tx(finish_triage, visit, None, outcome.why)


async def needs_triage(session: AsyncSession, row: TaskRow) -> bool:
    """Whether the task is still unclear, and nobody was asked yet."""
    if not is_unsure(Route.model_validate(row.route)):
        return False
    return not any(call.purpose == "triage" for call in await ledger.calls_of(session, row.pk))


async def prepare_triage(office: Office, visit: Visit) -> Question:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
    if row.entry != visit.entry:
        raise Superseded(visit.id)
    project = office.projects[row.project]
    facts = {"text": row.text.strip()[:MAX_TEXT], "files": row.files[:MAX_FILES]}
    request = ModelRequest(
        model=project.coordinator or project.models[Rung.HAIKU],
        system=office.render.text("prompts/triage_system", {}),
        messages=({"role": "user", "content": office.redact(office.render.text("prompts/triage", facts))},),
    )
    try:
        return Question(request, await counted(office, visit, office.models[Rung.HAIKU], request))
    except ModelError as error:
        return Question(request, 0, str(error))


async def finish_triage(
    office: Office, session: AsyncSession, visit: Visit, call_id: str | None, hindrance: str
) -> bool:
    """Refine the route, or keep to the safer rung. False: it is a person's work now. Raises Superseded."""
    row = await current(session, visit)
    project = office.projects[row.project]
    was = Route.model_validate(row.route)
    answer = None
    if call_id is not None:
        reply = ModelReply.model_validate((await session.get_one(CallRow, call_id)).reply)
        answer = read_answer(reply.text)
        hindrance = "its answer could not be read"
    if answer is None:
        chosen = unrefined(was, f"the coordinator could not tell: {hindrance.rstrip('.')}")
    else:
        asked = RouteRequest(text=row.text, files=tuple(row.files))
        history = await learned(session, project, office.price, office.now())
        chosen = refine(was, answer, asked, route_policy(project, history))
    if row.token_budget == project.limits.task.get(was.rung, 0):  # nobody asked for another
        row.token_budget = project.limits.task.get(chosen.rung, 0)
    row.route = priced(office, project, chosen, row.token_budget).model_dump(mode="json")
    await attempts.move(session, row)
    await tasks.note(session, row, at=office.now(), who=ORCH, kind="triage", why=chosen.reason,
                     detail={"rule": chosen.rule, "rung": chosen.rung.value, "type": chosen.type.value})  # fmt: skip
    if chosen.rung is not Rung.MANUAL:
        return True
    await attempts.end(session, row, at=office.now(), outcome="interrupted", why="it is a person's work")
    await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=ORCH, why=chosen.reason)
    return False
