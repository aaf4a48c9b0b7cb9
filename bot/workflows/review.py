"""The `in_review` stage: gemini's verdict on the exact diff (R-RT-3, R-SEC-4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import who_could_approve
from bot.domain.calls import ModelRequest, ReviewReply, Verdict
from bot.domain.escalation import MOST_LOST
from bot.domain.lessons import of_findings
from bot.domain.task import Rung, TaskState
from bot.store import attempts, ledger, outbox, replies, tasks, verdicts
from bot.store.tables import CallRow, ReviewRow, TaskRow
from bot.workflows.attempts import attempt_failed, block, tell_thread
from bot.workflows.counting import counted, prepared
from bot.workflows.kept import paid_verdict
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, paid_call
from bot.workflows.provider_rests import is_resting
from bot.workflows.reserving import LEFT, Failed, Unaffordable

#: A review without a verdict, or without an answer, is asked for once more, then a person has to look.
TRIES = 2


@dataclass(frozen=True)
class Prepared:
    request: ModelRequest
    counted: int
    patch: str
    answered: str | None = None  # the call that was asked this already, and paid for


async def review(office: Office, visit: Visit) -> None:
    """The stage. Ends in `awaiting_approval`, in another attempt, or with a person."""
    ready = await prepared(office, visit, "review", prepare_review)
    if isinstance(ready, Failed):
        await office.tx(finish_unreviewed, visit, ready)
        return
    outcome = (
        Answered(ready.answered)
        if ready.answered
        else await paid_call(
            office, visit, purpose="review", rung=Rung.GEMINI, request=ready.request, counted=ready.counted
        )
    )
    if isinstance(outcome, Answered):
        await office.tx(finish_review, visit, outcome.call_id, ready.patch)
    else:
        await office.tx(finish_unreviewed, visit, outcome)


async def prepare_review(office: Office, visit: Visit) -> Prepared:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        runs = await verdicts.checks_of(session, visit.pk, row.head_commit)
        said = [reply.text for reply in await replies.for_call(session, row)]
    if row.entry != visit.entry or row.head_commit is None or row.base_commit is None:
        raise Superseded(visit.id)
    project = office.projects[row.project]
    change = await office.repositories[row.project].change(row.base_commit, row.head_commit)
    patch = office.redact(change.patch)
    facts = {"row": row, "patch": patch, "runs": runs, "security": bool(row.route["security"]), "said": said}
    request = ModelRequest(
        model=project.reviewer(security=bool(row.route["security"])),
        system=office.render.text("prompts/review_system", {}),
        messages=({"role": "user", "content": office.redact(office.render.text("prompts/review", facts))},),
    )
    async with office.db.read() as session:
        answered = await paid_verdict(session, row, request)
    count = 0 if answered else await counted(office, visit, office.reviewer, request)
    return Prepared(request, count, patch, answered)


async def finish_review(office: Office, session: AsyncSession, visit: Visit, call_id: str, patch: str) -> None:
    """Record the verdict for this head commit and go on. Raises Superseded."""
    row = await current(session, visit)
    call = await session.get_one(CallRow, call_id)
    reply = ReviewReply.model_validate(call.reply)
    verdict = reply.verdict
    session.add(
        ReviewRow(
            task_pk=row.pk,
            head_commit=row.head_commit,
            rung=Rung.GEMINI.value,
            model=reply.model,
            verdict=verdict.model_dump(mode="json") if verdict else None,
            why_none=reply.why_none,
            at=office.now(),
        )
    )
    if verdict is None:
        await _no_verdict(office, session, row, reply.why_none)
        return
    await tell_thread(office, session, row, f"review-{row.entry}", "thread/review", verdict=verdict, model=reply.model)
    if verdict.verdict == "approve":
        await _approved(office, session, row, verdict, patch)
        return
    critical = any(finding.severity == "critical" for finding in verdict.findings)
    await attempt_failed(office, session, row, outcome="critical" if critical else "findings",
                         why=_worst(verdict), lesson=of_findings(verdict.findings, verdict.missing_cases))  # fmt: skip


async def _approved(office: Office, session: AsyncSession, row: TaskRow, verdict: Verdict, patch: str) -> None:
    now = office.now()
    await attempts.end(session, row, at=now, outcome="passed", why=f"reviewed: {verdict.quality_score:g}/10")
    key = f"diff/{row.project}/{row.task_id}/{row.head_commit}"
    title = f"{row.task_id}: the change {(row.head_commit or '')[:10]}"
    upload = {"name": f"{row.task_id}.diff", "title": title, "content": patch}
    await outbox.want(session, key, "upload", row.channel, upload, now, task_pk=row.pk)
    why = f"gemini approved it with {verdict.quality_score:g}/10"
    await tasks.step(session, row, TaskState.AWAITING_APPROVAL, at=now, who=ORCH, why=why)
    approvers = who_could_approve(office.projects[row.project].team, tasks.as_task(row))
    await tell_thread(office, session, row, f"approve-{row.head_commit}", "thread/ready", approvers=approvers)


async def _no_verdict(office: Office, session: AsyncSession, row: TaskRow, why: str) -> None:
    """No verdict is never an approval: ask once more, then a person decides."""
    reviews = await verdicts.reviews_without_verdict(session, row.pk, row.head_commit)
    why = f"the review gave no verdict ({why})"
    if reviews < TRIES:
        await tasks.step(session, row, TaskState.IN_REVIEW, at=office.now(), who=ORCH, kind="review_again", why=why)
    else:
        await block(office, session, row, f"{why}, {reviews} times", detail={"rule": "R-SEC-4", "resume": "in_review"})


async def finish_unreviewed(
    office: Office, session: AsyncSession, visit: Visit, outcome: Unaffordable | Failed
) -> None:
    """No review: while gemini rests it waits, and is asked for again by itself; nobody stands in (R-SEC-4). What Orch's
    own end cut off is asked for again too, as an attempt is (R-ESC-4)."""
    row = await current(session, visit)
    why = f"the review could not be made: {outcome.why}"
    passing = isinstance(outcome, Failed) and outcome.passing
    short = isinstance(outcome, Unaffordable)  # may_begin holds it back until there is room
    resting = passing and await is_resting(office, session, Rung.GEMINI)
    if short or resting or (passing and not await _lost_too_often(office, session, row)):
        kind = "review_waits" if short or resting else "review_again"
        await tasks.step(session, row, TaskState.IN_REVIEW, at=office.now(), who=ORCH, kind=kind, why=why)
        return
    await block(office, session, row, why, detail={"rule": "R-SEC-4", "resume": "in_review"})


async def _lost_too_often(office: Office, session: AsyncSession, row: TaskRow) -> bool:
    """Whether a review of the running attempt was asked for in vain so often that a person has to look: each time it
    was refused several times over, or its outcome stayed unknown."""
    calls = [c for c in await ledger.calls_of(session, row.pk, row.attempt) if c.purpose == "review"]
    refused = sum(call.state == "refused" and call.retryable for call in calls)
    unknown = sum(call.state == "unknown" and call.retryable for call in calls)
    left = sum(call.error == LEFT for call in calls)
    return unknown + refused / office.patience.tries >= TRIES or left >= MOST_LOST


def _worst(verdict: Verdict) -> str:
    order = ("critical", "high", "medium", "low")
    findings = sorted(verdict.findings, key=lambda f: order.index(f.severity))
    return f"the review asked for changes: {findings[0].message[:200]}" if findings else "the review asked for changes"
