"""The `running` stage: one edit call, or the attempt's one repair call (DESIGN, "Context and edits"; R-ESC-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import MIN_OUTPUT_TOKENS
from bot.domain.calls import ModelReply, ModelRequest
from bot.domain.context import Packed, likely_files, pack
from bot.domain.edits import apply_edits, edited_paths
from bot.domain.escalation import Outcome
from bot.domain.task import Rung
from bot.ports import Repository
from bot.store import ledger, replies, tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows.attempts import attempt_failed, block
from bot.workflows.budget_waits import wait_for_budget
from bot.workflows.change import Result, go_on, through_gate
from bot.workflows.counting import counted, prepared
from bot.workflows.office import Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, paid_call
from bot.workflows.prompt import first_request
from bot.workflows.reserving import Failed, Unaffordable
from bot.workflows.steering import tell_heard

#: A model that says so at the start of its answer has given up (R-ESC-4).
BEYOND = "BEYOND:"
#: The share of a budget that the first prompt may take; the rest is for the answer and one repair.
PROMPT_SHARE = 0.6
CANDIDATE_FILES = 12


@dataclass(frozen=True)
class Prepared:
    """A call ready to be paid for."""

    purpose: Literal["edit", "repair"]
    rung: Rung
    base: str
    request: ModelRequest
    counted: int
    heard: tuple[int, ...] = ()  # the replies in the task's thread that it carries


async def edit(office: Office, visit: Visit) -> None:
    """The stage. Ends in `checking`, in another attempt, or with a person."""
    ready = await prepared(office, visit, "edit", prepare_edit)
    if isinstance(ready, Failed):
        await office.tx(finish_unanswered, visit, ready)
        return
    outcome = await paid_call(
        office,
        visit,
        purpose=ready.purpose,
        rung=ready.rung,
        request=ready.request,
        counted=ready.counted,
        base=ready.base,
    )
    if isinstance(outcome, Answered):
        result = await office.step(apply_reply, visit, ready.base, outcome.call_id)
        await office.tx(finish_edit, visit, ready.base, outcome.call_id, result, ready.heard)
    else:
        await office.tx(finish_unanswered, visit, outcome)


async def prepare_edit(office: Office, visit: Visit) -> Prepared:
    """Build the request and have the provider count it (free)."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        calls = await ledger.calls_of(session, visit.pk, visit.attempt, whole=True)
        first = next((c for c in calls if c.purpose == "edit" and c.applied is not None), None)
        said = await replies.for_call(session, row, unheard=first is not None)
        stands, taken_back = await replies.told_in_attempt(session, row)
    if row.entry != visit.entry:
        raise Superseded(visit.id)
    heard, words = tuple(reply.id for reply in said), tuple(reply.text for reply in said)
    rung = Rung(row.route["rung"])
    repository = office.repositories[row.project]
    base = row.base_commit or await repository.refresh()
    start = row.start_commit or base
    if first is not None:
        begun = ModelRequest.model_validate(first.request)
        if taken_back:  # the conversation goes on as if that had not been said
            begun, _ = await _first_request(office, row, rung, repository, start, tuple(stands))
        request = _repair_request(office, row, begun, first, words)
        count = await counted(office, Visit.of(row), office.models[rung], request)
        return Prepared("repair", rung, base, request, count, heard)
    request, count = await _first_request(office, row, rung, repository, start, words)
    return Prepared("edit", rung, base, request, count, heard)


async def _first_request(
    office: Office, row: TaskRow, rung: Rung, repository: Repository, start: str, said: tuple[str, ...]
) -> tuple[ModelRequest, int]:
    """The request and its tokens: what matters is packed into the budget; where the provider counts more than there is
    room for, it is packed once more."""
    paths = await repository.list_files(start)
    contents = await repository.read_files(start, likely_files(row.text, row.files, paths, CANDIDATE_FILES))
    contents = {path: office.redact(text) for path, text in contents.items()}
    allowance = int(row.token_budget * PROMPT_SHARE)
    room = row.token_budget - 2 * MIN_OUTPUT_TOKENS
    notes = (*row.learned, *said)
    for _again in range(2):
        packed = pack(row.text, row.files, paths, contents, _checks(office, row), notes, max(0, allowance))
        request = _request(office, row, rung, packed, said)
        count = await counted(office, Visit.of(row), office.models[rung], request)
        if count <= room:
            break
        allowance = min(allowance, packed.estimated_tokens) - (count - room)
    return request, count


def _checks(office: Office, row: TaskRow) -> tuple[str, ...]:
    return (*office.projects[row.project].checks, *row.checks)


def _request(office: Office, row: TaskRow, rung: Rung, packed: Packed, said: tuple[str, ...]) -> ModelRequest:
    system = office.render.text("prompts/edit_system", {})
    return first_request(office, row, rung, system, packed, checks=row.checks, said=said, edit_tools=True)


def _repair_request(
    office: Office, row: TaskRow, begun: ModelRequest, first: CallRow, said: tuple[str, ...]
) -> ModelRequest:
    """The conversation that the first call began, the answers to its tool calls, what failed, and what people wrote
    since."""
    reply = ModelReply.model_validate(first.reply)
    results = [
        {"type": "tool_result", "tool_use_id": r["call_id"], "content": r["text"], "is_error": r["is_error"]}
        for r in (first.applied or {})["results"]
    ]
    words = office.render.text("prompts/repair", {"lesson": row.learned[-1] if row.learned else "", "said": said})
    answer = [dict(block) for block in reply.content] or [{"type": "text", "text": "(nothing)"}]
    return begun.model_copy(
        update={
            "call_id": "",
            "messages": (
                *begun.messages,
                {"role": "assistant", "content": answer},
                {"role": "user", "content": [*results, {"type": "text", "text": office.redact(words)}]},
            ),
        }
    )


async def apply_reply(office: Office, visit: Visit, base: str, call_id: str) -> Result:
    """Apply the edits of a settled call, commit them, and look at the change through the gate."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        call = await session.get_one(CallRow, call_id)
        calls = await ledger.calls_of(session, visit.pk, visit.attempt, whole=True)
    reply = ModelReply.model_validate(call.reply)
    if reply.text.lstrip().startswith(BEYOND) or reply.stop == "refusal":
        said = reply.text.strip().removeprefix(BEYOND).strip()[:300] or "the model refused the task"
        return Result(None, (), "beyond", said)
    if reply.stop == "max_tokens":  # the last call may be half of one
        return Result(None, (), "tokens", "the answer was cut off at its token limit")
    repository = office.repositories[row.project]
    earlier = next((c.applied["head"] for c in reversed(calls) if c.applied and c.applied["head"]), None)
    parent = earlier or row.start_commit or base
    paths = await repository.list_files(parent)
    known = await repository.read_files(parent, edited_paths(paths, reply.edits))
    applied = apply_edits(known, paths, reply.edits)
    head = earlier
    if applied.changes:
        message = f"{row.task_id}: attempt {row.attempt}"
        when = call.settled_at or call.created_at  # recorded, so that a replay makes the same commit
        head = await repository.commit_files(row.task_id, parent, applied.changes, message, when=when)
    if not head:
        why = applied.errors[0].text if applied.errors else "the model changed nothing"
        return Result(head, applied.results, "refused", why)
    refused = applied.errors[0].text if applied.errors else ""
    return await through_gate(office, row, base, head, applied.results, refused)


async def finish_edit(
    office: Office,
    session: AsyncSession,
    visit: Visit,
    base: str,
    call_id: str,
    result: Result,
    heard: tuple[int, ...],
) -> None:
    """Record the commit and go on: to the checks, to a repair, or to the next step. Raises Superseded."""
    await tasks.lock_project(session, visit.project)
    row = await current(session, visit)
    call = await session.get_one(CallRow, call_id)
    call.applied = {"head": result.head, "results": [r.model_dump(mode="json") for r in result.results]}
    await tell_heard(office, session, row, heard)
    await go_on(office, session, row, base, result)


async def finish_unanswered(
    office: Office, session: AsyncSession, visit: Visit, outcome: Unaffordable | Failed
) -> None:
    """No answer came. Raises Superseded."""
    row = await current(session, visit)
    match outcome:
        case Failed(why=why, outcome=lost):
            await attempt_failed(office, session, row, outcome=lost, why=why, lesson="")
        case Unaffordable(why=why, own=own, limit=limit):
            mended = await _repairing(session, row)
            usual = office.projects[row.project].limits.task.get(Rung(row.route["rung"]), 0)
            if mended:  # what the edit failed by stands: there is only nothing left to mend it with
                failed, first = mended
                await attempt_failed(office, session, row, outcome=failed, why=first, lesson="", may_repair=False)
            elif own and row.token_budget >= usual:  # R-ESC-1, R-ESC-2: more than a rung has for one attempt
                await attempt_failed(office, session, row, outcome="too_big", why=why, lesson="")
            elif limit == row.route["rung"] == Rung.HAIKU:  # R-ESC-5
                await attempt_failed(office, session, row, outcome="day", why=why, lesson="")
            elif own:
                hint = f"A lead can add to it: `/orch budget raise {row.task_id} TOKENS`. Or declare its `--files`."
                await block(office, session, row, f"{why}. {hint}", detail={"budget": True})
            else:
                await wait_for_budget(office, session, row, why)


async def _repairing(session: AsyncSession, row: TaskRow) -> tuple[Outcome, str] | None:
    """How the running attempt's edit failed, and why, where its repair was about to be paid for."""
    last = await tasks.newest_of(session, row.pk, ("repair", "attempt"))
    return (last.detail["outcome"], last.detail["why"]) if last and last.kind == "repair" else None
