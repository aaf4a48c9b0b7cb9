"""Answers and commits that were paid for and then held up by something else. They are used, and not paid for again.

- A queued task whose attempt is open goes on with that attempt: with an answer whose edits could not be applied (say,
  the disk was full), or with a commit that had to wait for a file of another task (R-PAR-2), or whose files the branch
  changed before it was merged (R-APR-1).
- A review's or report's answer that could not be recorded is recorded later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import ModelRequest
from bot.domain.task import RESUMED, TaskState
from bot.errors import MergeConflict
from bot.store import attempts, ledger, tasks, verdicts
from bot.store.tables import CallRow, TaskRow
from bot.workflows.attempts import take_next_step, tell_thread
from bot.workflows.change import Result, go_on, through_gate
from bot.workflows.edit import apply_reply, finish_edit
from bot.workflows.office import ORCH, Office, Superseded, Visit, current

#: Events by which a commit came to wait until it can be brought onto the branch.
WAITED = ("file_held", "outdated")
#: So often a review's answer may fail by a defect of Orch, which may lie in it; then another one is asked for.
DEFECTS = 2


@dataclass(frozen=True)
class Carried:
    """The kept commit on today's branch. `conflict`: why it could not be brought there."""

    base: str
    result: Result | None
    conflict: str = ""


async def kept(session: AsyncSession, row: TaskRow) -> Literal["answer", "commit", "told", ""]:
    """What the running stage goes on with, where it does not begin with a call."""
    call = await _paid(session, row)
    if call is None:
        return ""
    if call.purpose == "report":
        return "told"
    if call.applied is None:
        return "answer"
    last = await tasks.newest_of(session, row.pk, ("attempt", "repair", *WAITED))
    return "commit" if last is not None and last.kind in WAITED else ""


async def resume(session: AsyncSession, row: TaskRow) -> dict[str, Any]:
    """What a task that is blocked now goes on with by Retry, for the event's detail: its stage, where that works on
    a commit; its attempt, where that was paid for."""
    if row.state in RESUMED:
        return {"resume": row.state}
    paid = row.state in (TaskState.RUNNING, TaskState.QUEUED) and await _paid(session, row)
    return {"resume": TaskState.RUNNING.value} if paid else {}


async def _paid(session: AsyncSession, row: TaskRow) -> CallRow | None:
    """The call that the open attempt goes on from: its newest, if it was answered."""
    if not await attempts.is_open(session, row):
        return None
    calls = await ledger.calls_of(session, row.pk, row.attempt, whole=True)
    made = [call for call in calls if call.purpose in ("edit", "repair", "report") and call.state != "refused"]
    return made[-1] if made and made[-1].state == "settled" else None


async def paid_verdict(session: AsyncSession, row: TaskRow, request: ModelRequest) -> str | None:
    """The call that answered this very question about this very diff, and whose verdict was then not recorded."""
    calls = await ledger.calls_of(session, row.pk, row.attempt, whole=True)
    call = next((call for call in reversed(calls) if call.purpose == "review" and call.state != "refused"), None)
    if call is None or call.state != "settled" or call.settled_at is None:
        return None
    asked = ModelRequest.model_validate(call.request)
    if (asked.model, asked.system, asked.messages) != (request.model, request.system, request.messages):
        return None
    recorded = await verdicts.newest_review(session, row.pk)
    if recorded is not None and recorded.at >= call.settled_at:
        return None
    since = [event for event in await tasks.events(session, row.pk) if event.at >= call.settled_at]
    defects = {event.detail.get("defect") for event in since} - {None}  # by the stage entries that failed
    return call.id if len(defects) < DEFECTS else None


async def apply_kept(office: Office, visit: Visit) -> None:
    """Go on with an answer that was not applied."""
    base, call_id = await office.step(kept_answer, visit)
    result = await office.step(apply_reply, visit, base, call_id)
    await office.tx(finish_edit, visit, base, call_id, result, ())


async def kept_answer(office: Office, visit: Visit) -> tuple[str, str]:
    """(the commit that its edits are for, its call's id). Raises Superseded."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        call = await _paid(session, row)
    if row.entry != visit.entry or call is None:
        raise Superseded(visit.id)
    return row.base_commit or "", call.id


async def carry(office: Office, visit: Visit) -> None:
    """Go on with a commit that had to wait: on today's branch, through the gate, to the checks."""
    carried = await office.step(carry_over, visit)
    await office.tx(finish_carry, visit, carried)


async def carry_over(office: Office, visit: Visit) -> Carried:
    """The commit's change on today's branch, which may have moved meanwhile, and what the gate says of it there."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        call = await _paid(session, row)
    base, head = row.base_commit, row.head_commit
    if row.entry != visit.entry or call is None or base is None or head is None:
        raise Superseded(visit.id)
    repository = office.repositories[row.project]
    onto = await repository.refresh()
    if onto != base:
        message = f"{row.task_id}: attempt {row.attempt}"
        when = call.settled_at or call.created_at  # recorded, so that a replay makes the same commit
        try:
            head = await repository.build_candidate(base, head, onto, message, squash=True, when=when)
        except MergeConflict as error:
            return Carried(onto, None, str(error))
        await repository.worktree(row.task_id, head)  # the task's branch keeps it
    return Carried(onto, await through_gate(office, row, onto, head, (), ""))


async def finish_carry(office: Office, session: AsyncSession, visit: Visit, carried: Carried) -> None:
    """Go on with it; where it conflicts with the branch, the attempt was in vain. Raises Superseded."""
    await tasks.lock_project(session, visit.project)
    row = await current(session, visit)
    if carried.result is None:
        why = f"the same lines were changed meanwhile: {carried.conflict}"
        await attempts.end(session, row, at=office.now(), outcome="interrupted", why=why)
        await tell_thread(office, session, row, f"attempt-{row.attempt}", "thread/attempt_failed",
                          attempt=row.attempt, rung=row.route["rung"], why=why, lesson="")  # fmt: skip
        row.start_commit = None  # whose base is the old one
        await take_next_step(office, session, row, lesson="", who=ORCH)
        return
    call = await _paid(session, row)
    assert call is not None and call.applied is not None
    call.applied = {**call.applied, "head": carried.result.head}  # a repair builds on it
    await go_on(office, session, row, carried.base, carried.result)
