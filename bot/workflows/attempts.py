"""What follows a failed attempt, or a blocker: the effects of domain.escalation's answers, in one transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.escalation import Again, Outcome, Repair, Stop, after_failure, next_step
from bot.domain.task import Rung, TaskState
from bot.store import ledger, outbox, tasks
from bot.store.tables import TaskRow
from bot.workflows.office import ORCH, Office

#: What the next attempt is told: the newest few lessons, each cut short, since budgets are small.
LESSONS = 3
LESSON_CHARS = 900


async def attempt_failed(
    office: Office, session: AsyncSession, row: TaskRow, *, outcome: Outcome, why: str, lesson: str, who: str = ORCH
) -> None:
    """The running attempt failed: repair it, try again (perhaps on the next rung), or block (R-ESC)."""
    now = office.now()
    calls = await ledger.calls_of(session, row.pk, row.attempt)
    repaired = any(call.purpose == "repair" for call in calls)
    in_edit = row.state in (TaskState.RUNNING, TaskState.CHECKING)
    if isinstance(after_failure(outcome, repaired=repaired, can_repair=in_edit), Repair):
        _learn(row, lesson)
        await tasks.step(session, row, TaskState.RUNNING, at=now, who=who, kind="repair", why=f"repairing: {why}")
        return
    await tasks.end_attempt(session, row, at=now, outcome=outcome, why=why)
    await tell_thread(office, session, row, f"attempt-{row.attempt}", "thread/attempt_failed",
                      attempt=row.attempt, rung=row.route["rung"], why=why, lesson=lesson)  # fmt: skip
    await take_next_step(office, session, row, lesson=lesson, who=who)


async def take_next_step(office: Office, session: AsyncSession, row: TaskRow, *, lesson: str, who: str) -> None:
    """Do what domain.escalation.next_step says after the last attempt."""
    project = office.projects[row.project]
    history = await tasks.history(session, row.pk)
    decision = next_step(history, project.max_attempts, security=bool(row.route["security"]))
    match decision:
        case Again(rung=rung, keep=keep, why=why, rule=rule):
            _learn(row, lesson)
            move_to(office, row, rung)
            row.start_commit = row.head_commit if keep else None
            if not keep:
                row.base_commit = None
            await _forget_head(office, session, row)
            await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=who, kind="next_attempt",
                             why=f"next attempt at {rung}: {why}", detail={"rule": rule})  # fmt: skip
        case Stop(why=why, rule=rule, propose=propose):
            _learn(row, lesson)
            await block(office, session, row, why, who=who, detail={"rule": rule, "propose": propose})


async def wait_for_file(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """The change touches a file that another task holds: throw it away and queue again, now knowing the file."""
    await tasks.end_attempt(session, row, at=office.now(), outcome="interrupted", why=why)
    row.base_commit = row.start_commit = None
    await _forget_head(office, session, row)
    await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=ORCH, kind="file_held", why=why,
                     detail={"rule": "R-PAR-2"})  # fmt: skip


def move_to(office: Office, row: TaskRow, rung: Rung) -> None:
    """Put the task on a rung; one that escalates gets the rung's default budget (R-ESC-8)."""
    if row.route["rung"] == rung:
        return
    row.route = {**row.route, "rung": rung.value}
    row.token_budget = max(row.token_budget, office.projects[row.project].limits.task.get(rung, 0))


async def block(
    office: Office,
    session: AsyncSession,
    row: TaskRow,
    why: str,
    *,
    who: str = ORCH,
    detail: dict[str, object] | None = None,
) -> None:
    """The task needs a person: the card says why, and its owner is told."""
    await tasks.end_attempt(session, row, at=office.now(), outcome="interrupted", why=why)
    await tasks.step(session, row, TaskState.BLOCKED, at=office.now(), who=who, why=why, detail=dict(detail or {}))
    message = office.render.message(
        "alerts/blocked", {"row": row, "why": why, "propose": (detail or {}).get("propose")}
    )
    await outbox.want(session, f"blocked/{row.project}/{row.task_id}/{row.entry}/{row.attempt}", "direct", row.owner,
                      message, office.now(), task_pk=row.pk)  # fmt: skip


async def tell_thread(
    office: Office, session: AsyncSession, row: TaskRow, key: str, template: str, **facts: object
) -> None:
    """Ask for a message in the task's thread, once per key."""
    message = office.render.message(template, {"row": row, **facts})
    key = f"thread/{row.project}/{row.task_id}/{key}"
    await outbox.want(session, key, "thread", row.channel, message, office.now(), task_pk=row.pk)


async def _forget_head(office: Office, session: AsyncSession, row: TaskRow) -> None:
    """A new attempt makes a new commit: earlier approvals do not count for it, and that is said (R-APR-1)."""
    row.head_commit = None
    voided = await tasks.void_approvals(session, row.pk, office.now())
    if voided:
        await tell_thread(office, session, row, f"voided-{row.attempt}", "thread/approvals_voided", count=voided)


def _learn(row: TaskRow, lesson: str) -> None:
    if lesson:
        row.learned = [*row.learned, lesson[-LESSON_CHARS:]][-LESSONS:]
