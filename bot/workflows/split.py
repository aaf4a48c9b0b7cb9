"""Splitting a task into smaller ones (R-ESC-2, R-ESC-8): one paid call proposes, a person accepts, edits or refuses.

The `splitting` stage makes the proposal; while it is open the task is blocked, and the event that says so names the
call. Accepting makes the parts and ends the task in one transaction; their delivery keys make it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Action
from bot.domain.assign import AssignRequest
from bot.domain.calls import ModelReply, ModelRequest
from bot.domain.card import may_be_split
from bot.domain.context import pack
from bot.domain.history import History
from bot.domain.lessons import FROM_PERSON
from bot.domain.splitting import FEWEST, MOST, Part, Parts, parse_proposal
from bot.domain.task import ENDED, Route, Rung, TaskState
from bot.errors import UserMistake
from bot.store import attempts, replies, tasks, verdicts
from bot.store.parts import parts_key
from bot.store.tables import CallRow, EventRow, TaskRow
from bot.workflows.attempts import tell_thread
from bot.workflows.counting import counted, prepared
from bot.workflows.deeds import Deed, doing, state_words
from bot.workflows.intake import new_row, number_and_create, route_request
from bot.workflows.learning import learned
from bot.workflows.moves import refuse_split
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, paid_call
from bot.workflows.prompt import first_request
from bot.workflows.reserving import Failed

#: The share of one attempt at sonnet that the question may take; the files' contents beyond it are left out.
PROMPT_SHARE = 0.4


@dataclass(frozen=True)
class Question:
    request: ModelRequest
    counted: int


async def ask(office: Office, deed: Deed) -> None:
    """A person asks for a proposal. Raises UserMistake."""
    async with doing(office, deed, Action.SPLIT) as (session, row):
        if row.state == TaskState.SPLITTING:
            return  # a double click
        await refuse_split(session, row)
        if not may_be_split(tasks.as_task(row)):
            raise UserMistake(
                f"{row.task_id} is {state_words(row)} at {row.route['rung']}; only a change that waits or is blocked "
                "can be split."
            )
        stands = await tasks.standing_event(session, row)
        blocked = row.state == TaskState.BLOCKED
        before: dict[str, Any] = stands.detail if blocked else {}
        here = {"state": row.state, "why": row.waits_for or "", "detail": before}
        stood = before.get("stood", here)  # an open proposal is no state to come back to
        await tasks.step(session, row, TaskState.SPLITTING, at=office.now(), who=deed.person.id, kind="split_asked",
                         why="smaller tasks are asked for", detail={"rule": "R-ESC-2", "stood": stood})  # fmt: skip
        await tell_thread(office, session, row, f"split-asked-{row.entry}", "thread/split_asked", who=deed.person.id)


async def split(office: Office, visit: Visit) -> None:
    """The stage. Ends in `blocked` with an open proposal, or where the task stood before."""
    ready = await prepared(office, visit, "split", prepare_split)
    if isinstance(ready, Failed):
        await office.tx(stay, visit, ready.why)
        return
    outcome = await paid_call(
        office, visit, purpose="split", rung=Rung.SONNET, request=ready.request, counted=ready.counted
    )
    if isinstance(outcome, Answered):
        await office.tx(finish_split, visit, outcome.call_id)
    else:
        await office.tx(stay, visit, outcome.why)


async def prepare_split(office: Office, visit: Visit) -> Question:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        said = tuple(reply.text for reply in await replies.for_call(session, row))
    if row.entry != visit.entry:
        raise Superseded(visit.id)
    project = office.projects[row.project]
    repository = office.repositories[row.project]
    commit = await repository.refresh()
    paths = await repository.list_files(commit)
    contents = await repository.read_files(commit, [path for path in row.files if path in paths])
    contents = {path: office.redact(text) for path, text in contents.items()}
    checks = (*project.checks, *row.checks)
    allowance = int(project.limits.task[Rung.SONNET] * PROMPT_SHARE)
    packed = pack(row.text, row.files, paths, contents, checks, (*row.learned, *said), allowance)
    size = {"fewest": FEWEST, "most": MOST, "budget": project.limits.task[Rung.SONNET]}
    system = office.render.text("prompts/split_system", size)
    request = first_request(office, row, Rung.SONNET, system, packed, checks=row.checks, said=said)
    return Question(request, await counted(office, visit, office.models[Rung.SONNET], request))


async def finish_split(office: Office, session: AsyncSession, visit: Visit, call_id: str) -> None:
    """Show the proposal, or say that there is none. Raises Superseded."""
    row = await current(session, visit)
    parts = await proposed_parts(office, session, call_id)
    if isinstance(parts, str):
        await _stay(office, session, row, parts)
        return
    asked = await _asked(session, row)
    detail = {"rule": "R-ESC-2", "proposal": call_id, "stood": asked.detail["stood"]}
    why = f"a proposal of {len(parts)} smaller tasks waits in the thread"
    await tasks.step(session, row, TaskState.BLOCKED, at=office.now(), who=ORCH, kind="split_proposed", why=why,
                     detail=detail)  # fmt: skip
    await tell_thread(office, session, row, f"split-{call_id}", "thread/split_proposed",
                      parts=parts, call=call_id, who=asked.who)  # fmt: skip


async def stay(office: Office, session: AsyncSession, visit: Visit, why: str) -> None:
    """No proposal came. Raises Superseded."""
    await _stay(office, session, await current(session, visit), why)


async def proposed_parts(office: Office, session: AsyncSession, call_id: str) -> Parts | str:
    """What a settled call proposed; or why that is no proposal."""
    reply = ModelReply.model_validate((await session.get_one(CallRow, call_id)).reply)
    return parse_proposal(office.redact(reply.text), reply.stop == "end")


async def open_proposal(office: Office, deed: Deed, call_id: str) -> Parts:
    """The parts of a proposal that this person may still decide on. Raises UserMistake."""
    async with doing(office, deed, Action.SPLIT) as (session, row):
        return await _open(office, session, row, call_id)


async def refuse(office: Office, deed: Deed, call_id: str) -> None:
    """The task stays whole, and where it stood before. Raises UserMistake."""
    async with doing(office, deed, Action.SPLIT) as (session, row):
        await _open(office, session, row, call_id)
        stood = (await tasks.standing_event(session, row)).detail["stood"]
        why = "the split was refused"
        if stood["state"] == TaskState.QUEUED:
            await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=deed.person.id, kind="split_refused",
                             why=why)  # fmt: skip
            return
        row.waits_for = stood["why"]
        await tasks.note(session, row, at=office.now(), who=deed.person.id, kind="split_refused", why=why,
                         detail=stood["detail"])  # fmt: skip


async def accept(office: Office, deed: Deed, call_id: str, edited: Parts | None = None) -> list[str]:
    """Make the parts tasks, and end the task that they come from; returns their ids. `edited`: the person's own
    version of the proposal. Raises UserMistake."""
    async with doing(office, deed, Action.SPLIT, whole_project=True) as (session, row):
        parts = edited or await _open(office, session, row, call_id)
        if edited:
            await _open(office, session, row, call_id)
        project = office.projects[row.project]
        history = await learned(session, project, office.price, office.now())
        routes = [route_part(office, row, part, number, history) for number, part in enumerate(parts, 1)]
        ids: list[str] = []
        for part, (request, chosen) in zip(parts, routes, strict=True):
            made = new_row(office, project, request, chosen, row.requester,
                           f"{parts_key(row)}{len(ids) + 1}")  # fmt: skip
            made.sprint, made.day, made.deadline = row.sprint, row.day, row.deadline
            made.after = [ids[number - 1] for number in part.after] or list(row.after)
            made.criteria = list(part.criteria)
            made.learned = [lesson for lesson in row.learned if lesson.startswith(FROM_PERSON)]
            why = f"part {len(ids) + 1} of {row.task_id}, to {chosen.rung}: {chosen.reason}"
            await number_and_create(session, made, who=deed.person.id, why=why)
            ids.append(made.task_id)
        await _end(office, session, row, deed.person.id, ids, call_id)
        await tell_thread(office, session, row, "split-done", "thread/split_done", who=deed.person.id, ids=ids)
        return ids


def route_part(
    office: Office, row: TaskRow, part: Part, number: int, history: History | None = None
) -> tuple[AssignRequest, Route]:
    """A part as if it were assigned, and its route: by the same router, never below the whole's security (R-SEC-1).
    Raises UserMistake that names the part."""
    request = AssignRequest.model_validate(
        {
            "text": part.text,
            "files": part.files,
            "priority": row.priority,
            "checks": tuple(row.checks),
            "owner": row.owner,
            "security": Route.model_validate(row.route).code_critical,
        }
    )
    try:
        return request, route_request(office, office.projects[row.project], request, history)
    except UserMistake as mistake:
        raise UserMistake(f"Part {number}: {mistake}") from None


async def _open(office: Office, session: AsyncSession, row: TaskRow, call_id: str) -> Parts:
    """The parts of the proposal, if it is the one that the task waits for. Raises UserMistake."""
    await refuse_split(session, row)
    detail: dict[str, Any] = (await tasks.standing_event(session, row)).detail
    parts = await proposed_parts(office, session, call_id) if detail.get("proposal") == call_id else ""
    if row.state != TaskState.BLOCKED or isinstance(parts, str):
        raise UserMistake(f"That proposal is no longer open: {row.task_id} is {state_words(row)}.")
    return parts


async def _asked(session: AsyncSession, row: TaskRow) -> EventRow:
    events = await tasks.events(session, row.pk)
    return next(event for event in reversed(events) if event.kind == "split_asked")


async def _stay(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """The task stays whole, and goes back to where it stood."""
    asked = await _asked(session, row)
    stood = asked.detail["stood"]
    to = TaskState(stood["state"])
    detail = {**stood["detail"], "no_split": why}
    await tasks.step(session, row, to, at=office.now(), who=ORCH, kind="not_split", why=stood["why"] or why,
                     detail=detail)  # fmt: skip
    await tell_thread(
        office, session, row, f"not-split-{row.entry}", "thread/not_split", who=asked.who, why=why.rstrip(".")
    )


async def _end(office: Office, session: AsyncSession, row: TaskRow, who: str, ids: list[str], call_id: str) -> None:
    """End the task that was split; what waits for it waits for its parts from now on (R-PAR-3)."""
    now, listed = office.now(), ", ".join(ids)
    await verdicts.void_approvals(session, row.pk, now)
    await attempts.end(session, row, at=now, outcome="interrupted", why="split into smaller tasks")
    await tasks.step(session, row, TaskState.CANCELLED, at=now, who=who, kind="split", why=f"split into {listed}",
                     detail={"rule": "R-ESC-2", "parts": ids, "proposal": call_id})  # fmt: skip
    row.waits_for = f"split into {listed}"
    for found in await tasks.in_project(session, row.project):
        if row.task_id in found.after and found.state not in ENDED:
            other = await tasks.lock(session, found.pk)
            other.after = [each for name in other.after for each in (ids if name == row.task_id else [name])]
            why = f"waits for the parts of {row.task_id}: {listed}"
            await tasks.note(session, other, at=now, who=ORCH, kind="dependencies", why=why)
