"""What follows a failed attempt, or a blocker: the effects of domain.escalation's answers, in one transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.escalation import (
    LOST,
    MORE_URGENT,
    Again,
    Attempt,
    Outcome,
    Policy,
    Repair,
    Stop,
    after_failure,
    next_step,
)
from bot.domain.lessons import remember
from bot.domain.routing import ROWS
from bot.domain.task import Route, Rung, TaskState, TaskType
from bot.store import attempts, ledger, outbox, tasks, verdicts
from bot.store.tables import TaskRow
from bot.workflows.office import ORCH, Office
from bot.workflows.provider_rests import is_resting


async def attempt_failed(
    office: Office,
    session: AsyncSession,
    row: TaskRow,
    *,
    outcome: Outcome,
    why: str,
    lesson: str,
    may_repair: bool = True,
) -> None:
    """The running attempt failed: repair it, try again (perhaps on the next rung), or block (R-ESC)."""
    now = office.now()
    if outcome in ("provider", "busy") and await is_resting(office, session, Rung(row.route["rung"])):
        outcome = "rest"
    calls = await ledger.calls_of(session, row.pk, row.attempt)
    repaired = any(call.purpose == "repair" for call in calls) or not may_repair
    in_edit = row.state in (TaskState.RUNNING, TaskState.CHECKING)
    if isinstance(after_failure(outcome, repaired=repaired, can_repair=in_edit), Repair):
        row.learned = remember(row.learned, lesson)
        await tasks.step(session, row, TaskState.RUNNING, at=now, who=ORCH, kind="repair", why=f"repairing: {why}",
                         detail={"outcome": outcome, "why": why})  # fmt: skip
        return
    await attempts.end(session, row, at=now, outcome=outcome, why=why)
    if outcome != "rest":  # the card says whom it waits for
        await tell_thread(office, session, row, f"attempt-{row.attempt}", "thread/attempt_failed",
                          attempt=row.attempt, rung=row.route["rung"], why=why, lesson=lesson)  # fmt: skip
    await take_next_step(office, session, row, lesson=lesson, who=ORCH)


async def take_next_step(office: Office, session: AsyncSession, row: TaskRow, *, lesson: str, who: str) -> None:
    """Do what domain.escalation.next_step says after the last attempt."""
    history = await attempts.ended(session, row.pk)
    row.learned = remember(row.learned, lesson)
    match next_step(history, escalation_policy(office, row, history)):
        case Again(rung=rung, keep=keep, why=why, rule=rule) as again:
            move_to(office, row, rung, why, rule)
            row.route = {**row.route, "complexity": "high"} if again.complex else row.route
            row.priority = MORE_URGENT.get(row.priority, row.priority) if again.urgent else row.priority
            row.start_commit = row.head_commit if keep else row.start_commit if again.same_start else None
            if row.start_commit is None:
                row.base_commit = None
            await forget_head(office, session, row)
            await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=who, kind="next_attempt",
                             why=f"next attempt at {rung}: {why}", detail={"rule": rule})  # fmt: skip
        case Stop(why=why, rule=rule, propose=propose, split=split):
            row.opus_approved_by = None  # it was for one attempt (R-ESC-8)
            said = history[-1].signature.partition(": ")[2]
            why = why if not said or said in why else f"{why} ({said[:200]})"
            detail: dict[str, object] = {"rule": rule, "propose": propose, "split": split}
            await block(office, session, row, why, who=who, detail=detail)


def escalation_policy(office: Office, row: TaskRow, history: tuple[Attempt, ...]) -> Policy:
    """What holds for the task now. An approval of opus is for one attempt: it goes on where that one cost nothing, and
    where a person asked for changes (people.request_changes gives it anew)."""
    last = history[-1]
    unused = (last.outcome in LOST | {"rest"} and last.tokens == 0) or last.outcome == "person"
    return Policy(
        max_attempts=office.projects[row.project].max_attempts,
        security=Route.model_validate(row.route).code_critical,
        haiku_may=ROWS[TaskType(row.route["type"])].haiku != "no",
        opus_approved=row.opus_approved_by is not None and unused,
    )


def needs_approval(row: TaskRow) -> bool:
    """Whether its next attempt may not begin before a person says so (R-ESC-8)."""
    return row.route["rung"] == Rung.OPUS and row.opus_approved_by is None


async def wait_for_file(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """The change touches a file that another task holds: it waits in the queue, now knowing the file. Its attempt stays
    open, and goes on with this commit (workflows.kept)."""
    await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=ORCH, kind="file_held", why=why,
                     detail={"rule": "R-PAR-2"})  # fmt: skip


async def wait_outdated(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """The branch changed the same files, so that no approval holds for what would come out (R-APR-1): the attempt's
    commit is brought onto the branch (workflows.kept), and looked at anew."""
    await attempts.reopen_as(session, row, "interrupted", why)
    await attempts.go_on(session, row)
    await void_approvals(office, session, row)
    await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=ORCH, kind="outdated", why=why,
                     detail={"rule": "R-APR-1"})  # fmt: skip


def move_to(office: Office, row: TaskRow, rung: Rung, why: str, rule: str) -> None:
    """Put the task on another rung, for a reason that it carries from now on (R-RT-7); one that escalates gets the
    rung's default budget (R-ESC-8). A person's work has none."""
    if row.route["rung"] == rung:
        return
    reason = f"{why[:1].upper()}{why[1:].rstrip('.')}."
    row.route = {**row.route, "rung": rung.value, "reason": reason, "rule": rule}
    default = office.projects[row.project].limits.task.get(rung, 0)
    row.token_budget = 0 if rung is Rung.MANUAL else max(row.token_budget, default)
    if rung is not Rung.OPUS:
        row.opus_approved_by = None  # it was for opus, and comes back with nobody's click but a new one (R-ESC-8)


async def block(
    office: Office,
    session: AsyncSession,
    row: TaskRow,
    why: str,
    *,
    who: str = ORCH,
    detail: dict[str, object] | None = None,
) -> None:
    """The task needs a person: the card says why, and the lookout tells whoever looks after it."""
    await attempts.end(session, row, at=office.now(), outcome="interrupted", why=why)
    await tasks.step(session, row, TaskState.BLOCKED, at=office.now(), who=who, why=why, detail=detail)


async def tell_thread(
    office: Office, session: AsyncSession, row: TaskRow, key: str, template: str, **facts: object
) -> None:
    """Ask for a message in the task's thread, once per key."""
    message = office.render.message(template, {"row": row, **facts})
    key = f"thread/{row.project}/{row.task_id}/{key}"
    await outbox.want(session, key, "thread", row.channel, message, office.now(), task_pk=row.pk)


async def forget_head(office: Office, session: AsyncSession, row: TaskRow) -> None:
    """A new attempt makes a new commit: earlier approvals do not count for it, and that is said (R-APR-1)."""
    row.head_commit = None
    await void_approvals(office, session, row)


async def void_approvals(office: Office, session: AsyncSession, row: TaskRow) -> None:
    """Void them, and say so, if there are any."""
    voided = await verdicts.void_approvals(session, row.pk, office.now())
    if voided:
        await tell_thread(office, session, row, f"voided-{row.attempt}", "thread/approvals_voided", count=voided)
