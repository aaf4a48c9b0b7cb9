"""What a task's new commit comes to: the gate, the security floor, the files that others hold, then the checks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.edits import ToolResult
from bot.domain.escalation import Outcome
from bot.domain.file_holds import Holds
from bot.domain.gate import GatePolicy, GateVerdict, inspect, raised
from bot.domain.order import HOLDING
from bot.domain.task import Route, Rung, TaskState, TaskType
from bot.store import tasks
from bot.store.tables import TaskRow
from bot.workflows.attempts import attempt_failed, tell_thread, wait_for_file
from bot.workflows.office import ORCH, Office


@dataclass(frozen=True)
class Result:
    """What a call's edits came to. `failed` None = the commit goes on to the checks."""

    head: str | None
    results: tuple[ToolResult, ...]
    failed: Outcome | None
    why: str
    critical_reasons: tuple[str, ...] = ()  # of the gate, for every commit that was made
    approval_reasons: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()


async def through_gate(
    office: Office, row: TaskRow, base: str, head: str, results: tuple[ToolResult, ...], refused: str
) -> Result:
    """What the commit comes to. Security-critical code of haiku's goes first: not even a repair is haiku's (R-SEC-1).
    `refused`: an edit did not apply."""
    project = office.projects[row.project]
    change = await office.repositories[row.project].change(base, head)
    policy = GatePolicy(
        declared=tuple(row.files),
        security_paths=project.security_paths,
        routine=row.route["rung"] != Rung.HAIKU or row.route["type"] in (TaskType.SETUP, TaskType.CONFIG),
        known_secrets=office.secrets,
    )
    verdict = await asyncio.to_thread(inspect, change, policy)  # megabytes take seconds
    touched = tuple(file.path for file in change.files)
    failed: Outcome | None = None
    why = ""
    if verdict.critical_reasons and row.route["rung"] == Rung.HAIKU:  # R-ESC-5
        failed, why = "security", f"{verdict.critical_reasons[0]}, which haiku may not write (R-SEC-1)"
    elif refused or verdict.refused:
        failed, why = "refused", refused or "; ".join(r.text for r in verdict.refused[:5])
    return Result(head, results, failed, why, verdict.critical_reasons, verdict.approval_reasons, touched)


async def go_on(office: Office, session: AsyncSession, row: TaskRow, base: str, result: Result) -> None:
    """Record the commit and go on: to the checks, to a repair, or to the next step. The caller holds the project."""
    row.base_commit, row.head_commit = base, result.head
    await _raise_floor(office, session, row, result)
    if result.failed:
        await attempt_failed(office, session, row, outcome=result.failed, why=result.why, lesson=result.why)
        return
    if not row.files:
        row.touched = list(dict.fromkeys((*row.touched, *result.touched)))
        others = [tasks.as_task(other) for other in await tasks.in_project(session, row.project)]
        holder = Holds(other for other in others if other.state in HOLDING).first(tasks.as_task(row))
        if holder:  # R-PAR-2
            await wait_for_file(office, session, row, f"{holder[0].id} holds {holder[1]}, which this change touches")
            return
    why = f"attempt {row.attempt} made a commit"
    await tasks.step(session, row, TaskState.CHECKING, at=office.now(), who=ORCH, why=why,
                     detail={"head": result.head})  # fmt: skip


async def _raise_floor(office: Office, session: AsyncSession, row: TaskRow, result: Result) -> None:
    """What the gate saw makes it a security task from now on, of which kind and why is said in the thread."""
    seen = GateVerdict(critical_reasons=result.critical_reasons, approval_reasons=result.approval_reasons)
    if not seen.security_reasons:
        return
    before = Route.model_validate(row.route)
    after = raised(before, seen)
    row.security_reasons = list(seen.security_reasons)
    if (after.security, after.code_critical) == (before.security, before.code_critical):
        return
    row.route = after.model_dump(mode="json")
    kind = "critical" if after.code_critical else "approvals"
    await tell_thread(office, session, row, f"raised-{kind}", "thread/raised", route=after,
                      reasons=seen.critical_reasons or seen.approval_reasons)  # fmt: skip
