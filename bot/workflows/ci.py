"""A result of CI reaches its task (R-RT-4): a pass finishes it, a failure blocks it and tells its owner.

The delivery, what it does and that it is done are one transaction: a sender that got no answer sends again, and what
was counted before is only answered.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import ci
from bot.domain.ci import CiResult
from bot.domain.command_values import task_ref
from bot.domain.task import CI, TaskState
from bot.errors import UserMistake
from bot.store import inbox, tasks
from bot.store.tables import InboxRow, TaskRow
from bot.workflows import manual
from bot.workflows.attempts import block, tell_thread
from bot.workflows.office import Office


class Answer(NamedTuple):
    """What became of a result. `known`: it was counted before; `refused`: the task cannot take it, as `why` says."""

    what: Literal["done", "blocked", "known", "unknown", "refused"]
    task: str = ""  # its id
    why: str = ""


async def take(office: Office, result: CiResult) -> Answer:
    """Count a result whose signature was checked."""
    try:
        ref = task_ref(result.task)
    except UserMistake as mistake:
        return Answer("unknown", why=str(mistake))
    key = ref.project or result.project or (next(iter(office.projects)) if len(office.projects) == 1 else None)
    if key is None:
        return Answer("unknown", why=f"Say which project {ref.id} belongs to: {', '.join(office.projects)}.")
    async with office.db.begin() as session:
        found = await tasks.find(session, key, ref.id) if key in office.projects else None
        if found is None:
            return Answer("unknown", why=f"There is no task {ref.id} in {key}.")
        answer = await _count(office, session, await tasks.lock(session, found.pk), result)
    office.nudge()
    return answer


async def _count(office: Office, session: AsyncSession, row: TaskRow, result: CiResult) -> Answer:
    key = f"ci:{result.delivery}"
    said = {"project": row.project, "task": row.task_id, "result": result.result, "url": result.url}
    if before := await inbox.find(session, key):
        return _again(row, before, said, result)
    stands = await tasks.standing_event(session, row)
    why_not = ci.hindrance(tasks.as_task(row), by_ci=row.state == TaskState.BLOCKED and stands.who == CI)
    if why_not:
        return Answer("refused", row.task_id, f"{row.task_id} {why_not}.")
    if not await inbox.take(session, key, "ci", said, office.now()):  # for another task, at this very moment
        before = await inbox.find(session, key)
        assert before is not None
        return _again(row, before, said, result)
    await inbox.done(session, key, office.now())
    if result.result == "pass":
        await _passed(office, session, row, result)
        return Answer("done", row.task_id)
    await _failed(office, session, row, result)
    return Answer("blocked", row.task_id)


def _again(row: TaskRow, before: InboxRow, said: dict[str, str], result: CiResult) -> Answer:
    """This delivery came before: the same again, or another result under its id."""
    if before.payload == said:
        return Answer("known", row.task_id)
    why = f"Delivery {result.delivery} was another result; each needs an id of its own."
    return Answer("refused", row.task_id, why)


async def _passed(office: Office, session: AsyncSession, row: TaskRow, result: CiResult) -> None:
    if row.state == TaskState.BLOCKED:  # by an earlier failure
        why = "CI ran again and passed"
        await tasks.step(session, row, TaskState.WITH_HUMAN, at=office.now(), who=CI, kind="unblocked", why=why)
    last = ci.tail(office.redact(result.log), 1, ci.REASON_CHARACTERS)
    seen = " · ".join(part for part in ("passed", last, result.url) if part)
    await manual.finish(office, session, row, who=CI, by="CI", seen=seen)


async def _failed(office: Office, session: AsyncSession, row: TaskRow, result: CiResult) -> None:
    log = office.redact(result.log)  # before anything is cut, since half a secret would not be known for one
    shown = ci.tail(log, ci.REASON_LINES, ci.REASON_CHARACTERS)
    why = "\n".join(part for part in (f"CI says that it failed {result.url}".rstrip(), shown) if part)
    detail: dict[str, object] = {"rule": "R-RT-4", "url": result.url}
    if row.state == TaskState.BLOCKED:
        row.waits_for = why
        await tasks.note(session, row, at=office.now(), who=CI, kind="blocked", why=why, detail=detail)
    else:
        await manual.retire(office, session, row, "blocked", by=CI, why=why)
        await block(office, session, row, why, who=CI, detail=detail)
    facts = {"url": result.url, "log": ci.tail(log, ci.TAIL_LINES, ci.TAIL_CHARACTERS)}
    await tell_thread(office, session, row, f"ci-{result.delivery}", "thread/ci_failed", **facts)
