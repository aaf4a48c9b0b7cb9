"""What people do to a task by a click or a command: asked of the domain, done in one transaction, recorded (R-APR-3).

Each function returns nothing and lets the card tell, or raises UserMistake with a private explanation.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import card
from bot.domain.approvals import Action, merge_hindrance, needs_checklist, refusal
from bot.domain.escalation import Outcome
from bot.domain.task import Rung, TaskState
from bot.errors import UserMistake
from bot.store import attempts, tasks, verdicts
from bot.store.tables import TaskRow
from bot.workflows import batch, manual
from bot.workflows.attempts import take_next_step, tell_thread
from bot.workflows.deeds import Deed, can_click, doing, need_head
from bot.workflows.merge import merge_facts
from bot.workflows.moves import back_to_work, give_to_rung, refuse_split
from bot.workflows.office import Office

#: Lines of a checklist that a form has room for.
MOST_LINES = 200


async def checklist(office: Office, deed: Deed, head: str) -> tuple[TaskRow, tuple[str, ...]] | None:
    """The task and the lines to tick before this approval (R-APR-2), or None where one click is enough. The lines
    are the project's own template checklists/merge, so that no one can lower them from Slack (R-SEC-4). Raises
    UserMistake where the click could not count anyway."""
    async with doing(office, deed, Action.APPROVE) as (session, row):
        if row.state != TaskState.AWAITING_APPROVAL or head != row.head_commit:
            return None  # `approve` says why not
        lines = await _lines_to_tick(office, session, row)
        return (row, lines) if lines else None


async def _lines_to_tick(office: Office, session: AsyncSession, row: TaskRow) -> tuple[str, ...]:
    if not needs_checklist(await merge_facts(office, session, row)):
        return ()
    lines = office.words_of(row.project).text("checklists/merge", {"row": row}).splitlines()
    wanted = tuple(line.strip() for line in (*lines, *row.criteria) if line.strip())
    if len(wanted) <= MOST_LINES:
        return wanted
    return (*wanted[: MOST_LINES - 1], f"The other {len(wanted) - MOST_LINES + 1} criteria of {row.task_id}")


async def approve(office: Office, deed: Deed, head: str, *, ticked: int = 0) -> None:
    """Consent to merge exactly this head commit; an ordinary task merges at once (R-APR-1, R-APR-2). `ticked`: how
    many lines of the checklist the person ticked."""
    async with doing(office, deed, Action.APPROVE) as (session, row):
        if not await can_click(office, session, row, deed, card.APPROVE, "approved", "merging"):
            return
        need_head(row, head or "none")
        if ticked < len(await _lines_to_tick(office, session, row)):
            raise UserMistake(f"The checklist of {row.task_id} is not ticked. Click *Approve merge* on its card again.")
        now = office.now()
        if await verdicts.approve(session, row, deed.person.id, now):
            why = f"approved {head[:10]}"
            await tasks.note(
                session,
                row,
                at=now,
                who=deed.person.id,
                kind="approved",
                why=why,
                detail={"head": head, "ticked": ticked},
            )
        hindrance = merge_hindrance(await merge_facts(office, session, row))
        if hindrance is None:
            await tasks.step(session, row, TaskState.MERGING, at=now, who=deed.person.id, why=f"approved {head[:10]}")
        else:
            await tell_thread(office, session, row, f"hindrance-{head}-{deed.person.id}", "thread/not_merged",
                              why=hindrance)  # fmt: skip


async def request_changes(office: Office, deed: Deed, head: str, reason: str) -> None:
    """Send this commit back: the reason feeds the next attempt, which builds on it."""
    async with doing(office, deed, Action.REQUEST_CHANGES) as (session, row):
        if not await can_click(office, session, row, deed, card.REQUEST_CHANGES, "next_attempt", "blocked"):
            return
        need_head(row, head)
        reason = office.redact(reason)
        await tell_thread(office, session, row, f"changes-{row.attempt}", "thread/changes_requested",
                          who=deed.person.id, reason=reason)  # fmt: skip
        await tasks.note(session, row, at=office.now(), who=deed.person.id, kind="changes_requested", why=reason,
                         detail={"head": row.head_commit})  # fmt: skip
        outcome: Outcome = "person"
        await attempts.reopen_as(session, row, outcome, reason)
        team = office.projects[row.project].team  # each attempt at opus is approved anew (R-ESC-8)
        row.opus_approved_by = None if refusal(Action.OPUS, deed.person, team, tasks.as_task(row)) else deed.person.id
        await take_next_step(office, session, row, lesson=f"A person asked for changes: {reason}", who=deed.person.id)


async def reject(office: Office, deed: Deed, head: str, reason: str) -> None:
    """End the task without merging it."""
    async with doing(office, deed, Action.REJECT) as (session, row):
        if not await can_click(office, session, row, deed, card.REJECT, "rejected"):
            return
        need_head(row, head)
        reason = office.redact(reason)
        await verdicts.void_approvals(session, row.pk, office.now())
        await tasks.step(
            session, row, TaskState.FAILED, at=office.now(), who=deed.person.id, kind="rejected", why=reason,
            detail={"head": row.head_commit},
        )  # fmt: skip
        await tell_thread(office, session, row, f"rejected-{row.attempt}", "thread/rejected",
                          who=deed.person.id, reason=reason)  # fmt: skip


async def cancel(office: Office, deed: Deed) -> None:
    """Stop a task; what it spent stays in the ledger, and `retry` queues it again."""
    async with doing(office, deed, Action.CANCEL) as (session, row):
        if not await can_click(office, session, row, deed, card.STOP, "cancelled"):
            return
        why = "stopped by a person"  # the event names them; reports show this text as it stands
        await attempts.end(session, row, at=office.now(), outcome="interrupted", why=why)
        if row.state == TaskState.WITH_HUMAN:
            await manual.retire(office, session, row, "stopped", by=deed.person.id)
        await tasks.step(session, row, TaskState.CANCELLED, at=office.now(), who=deed.person.id, why=why)


async def retry(office: Office, deed: Deed) -> None:
    """Queue a blocked, cancelled or failed task again; where only the review is missing, just that is made up for."""
    async with doing(office, deed, Action.RETRY) as (session, row):
        if not await can_click(office, session, row, deed, card.RETRY, "retried"):
            return
        await refuse_split(session, row)
        await back_to_work(office, session, row, deed.person.id, "retried", "retried by a person")


async def escalate(office: Office, deed: Deed, rung: Rung) -> None:
    """Move a blocked task to sonnet, or with an approver's click to opus (R-ESC-8)."""
    action = Action.OPUS if rung is Rung.OPUS else Action.ESCALATE
    async with doing(office, deed, action) as (session, row):
        button = card.TO_OPUS if rung is Rung.OPUS else card.TO_SONNET
        if not await can_click(office, session, row, deed, button, "escalated"):
            return
        await give_to_rung(office, session, row, rung, deed.person.id, "escalated", f"escalated to {rung} by a person")


async def run_now(office: Office, deed: Deed) -> None:
    """Pull a task out of the batch that it waits in: the batch is cancelled, and the call made at the usual price,
    unless the answer was there by then."""
    async with doing(office, deed, Action.RETRY) as (session, row):
        await can_click(office, session, row, deed, card.RUN_NOW)
        why = "wanted now"
        await batch.pull_out(office, session, row, who=deed.person.id, why=why)
