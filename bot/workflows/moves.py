"""What people do that changes who works on a task: take over, reassign, block, unblock (R-ESC-8, R-APR)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import card
from bot.domain.approvals import MAY, Action, Person, merge_hindrance, roles_of
from bot.domain.assign import AssignRequest
from bot.domain.routing import ROWS
from bot.domain.task import ENDED, GIVEN_UP, RESUMED, Route, Rung, TaskState, TaskType
from bot.errors import UserMistake
from bot.store import attempts, ledger, tasks, verdicts
from bot.store.parts import parts_of
from bot.store.tables import TaskRow
from bot.workflows.attempts import block, forget_head, move_to
from bot.workflows.deeds import Deed, can_click, doing, need_right, state_words
from bot.workflows.intake import route_request
from bot.workflows.kept import resume
from bot.workflows.manual import hand_over_work, retire
from bot.workflows.merge import merge_facts
from bot.workflows.office import ORCH, Office

#: Who may give a task to which rung (R-APR): each costs or binds whom that row of the table names.
NEEDED: dict[Rung, Action] = {
    Rung.HAIKU: Action.RETRY,
    Rung.GEMINI: Action.RETRY,
    Rung.SONNET: Action.ESCALATE,
    Rung.OPUS: Action.OPUS,
    Rung.MANUAL: Action.TAKE_OVER,
}


async def take_over(office: Office, deed: Deed) -> None:
    """Finish a task by hand: it is with this person from now on, and nobody pays for it any more."""
    async with doing(office, deed, Action.TAKE_OVER) as (session, row):
        await can_click(office, session, row, deed, card.TAKE_OVER)
        if row.state == TaskState.WITH_HUMAN and row.owner == deed.person.id:
            return  # a double click
        await _give_to(office, session, row, deed.person.id, deed.person.id, "taken_over", "taken over by a person")


async def hand_to(office: Office, deed: Deed, person: Person) -> None:
    """Give a task to a person, who does it by hand: manual work is handed over by its owner or a lead. Raises
    UserMistake."""
    if person.barred:
        raise UserMistake(f"{deed.task_id} cannot go to {person.name}: {person.barred}.")
    async with doing(office, deed, Action.SEE) as (session, row):
        manual = row.state == TaskState.WITH_HUMAN or row.route["rung"] == Rung.MANUAL
        need_right(office, deed, Action.HAND_OVER if manual else Action.TAKE_OVER, row)
        _need_open(row, ended_too=GIVEN_UP)
        if row.state == TaskState.WITH_HUMAN and row.owner == person.id:
            raise UserMistake(f"{row.task_id} is with {person.name} already.")
        await _give_to(office, session, row, person.id, deed.person.id, "reassigned", "given to a person")


async def move(office: Office, deed: Deed, rung: Rung) -> None:
    """Give a task to a rung, from a fresh start and with what was learned. The security floor holds (R-SEC-1)."""
    async with doing(office, deed, NEEDED[rung]) as (session, row):
        _need_open(row, ended_too=GIVEN_UP)
        if rung is Rung.MANUAL:
            await _give_to(office, session, row, row.owner, deed.person.id, "reassigned", "given to its owner")
            return
        await refuse_split(session, row)
        why = f"reassigned to {rung} by a person"
        await give_to_rung(office, session, row, rung, deed.person.id, "reassigned", why)


async def give_to_rung(
    office: Office, session: AsyncSession, row: TaskRow, rung: Rung, who: str, kind: str, why: str
) -> None:
    """Queue a task at this rung, from a fresh start. A person who may do so gives it to opus, and so approves one
    attempt there (R-ESC-8). Raises UserMistake where the rung may not, or cannot, do it."""
    need_fit(office, row, rung)
    now = office.now()
    if rung is Rung.OPUS:
        row.opus_approved_by = who
    move_to(office, row, rung, why, "R-ESC-8")
    row.base_commit = row.start_commit = None
    await attempts.end(session, row, at=now, outcome="interrupted", why=why)
    await forget_head(office, session, row)
    detail = {"rule": "R-ESC-8"}
    if row.state == TaskState.QUEUED:
        row.waits_for = None
        await tasks.note(session, row, at=now, who=who, kind=kind, why=why, detail=detail)
    else:
        await tasks.step(session, row, TaskState.QUEUED, at=now, who=who, kind=kind, why=why, detail=detail)


async def stop_for(office: Office, deed: Deed, reason: str) -> None:
    """Say that a task cannot go on, and why: it is blocked, and its owner is told."""
    async with doing(office, deed, Action.STOP) as (session, row):
        await hold_up(office, session, row, reason, who=deed.person.id)


async def hold_up(office: Office, session: AsyncSession, row: TaskRow, reason: str, *, who: str) -> None:
    """Block a task for a reason that somebody who may stop it gave. The caller holds the row. Raises UserMistake."""
    _need_open(row)
    reason = office.redact(reason)
    if row.state == TaskState.BLOCKED:
        before = await tasks.standing_event(session, row)
        row.waits_for = reason
        await tasks.note(session, row, at=office.now(), who=who, kind="blocked", why=reason, detail=before.detail)
        return
    if row.state == TaskState.WITH_HUMAN:
        await retire(office, session, row, "blocked", by=who, why=reason)
    detail: dict[str, object] = {"rule": "R-ESC-8", **await resume(session, row)}
    await block(office, session, row, reason, who=who, detail=detail)


async def unblock(office: Office, deed: Deed) -> None:
    """Say that what blocked a task is solved: it is queued again, with all that it has learned."""
    async with doing(office, deed, Action.RETRY) as (session, row):
        if row.state != TaskState.BLOCKED:
            raise UserMistake(f"{row.task_id} is {state_words(row)}, so nothing has to be unblocked.")
        solved = row.waits_for or "what blocked it"
        await back_to_work(office, session, row, deed.person.id, "unblocked", f"solved: {solved}")


async def back_to_work(office: Office, session: AsyncSession, row: TaskRow, who: str, kind: str, why: str) -> None:
    """Go on with a task that stood still: with its commit, where that is kept and was not at fault, so that nothing is
    paid for again and its approvals stand (R-APR-1); with its attempt, where that was paid for; else from the queue."""
    stage = (await tasks.standing_event(session, row)).detail.get("resume") if row.state == TaskState.BLOCKED else None
    if stage == TaskState.RUNNING:
        await attempts.go_on(session, row)
        await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=who, kind=kind, why=why)
        return
    if stage not in RESUMED or row.head_commit is None:
        row.base_commit = row.start_commit = None
        await _renew_approval(office, session, row, who)
        await forget_head(office, session, row)
        await tasks.step(session, row, TaskState.QUEUED, at=office.now(), who=who, kind=kind, why=why)
        return
    merging = stage == TaskState.MERGING
    to = TaskState.AWAITING_APPROVAL if merging else TaskState(stage)
    await attempts.go_on(session, row)
    await tasks.step(session, row, to, at=office.now(), who=who, kind=kind, why=why)
    if merging and merge_hindrance(await merge_facts(office, session, row)) is None:
        await tasks.step(session, row, TaskState.MERGING, at=office.now(), who=who, kind=kind,
                         why="its approvals stand")  # fmt: skip


async def _renew_approval(office: Office, session: AsyncSession, row: TaskRow, who: str) -> None:
    """An approval of opus was for the attempt that stopping ended, unless nothing was sent for it: the next one needs
    another, which those who may give it give by asking for it (R-ESC-8)."""
    if row.opus_approved_by is None:
        return
    calls = await ledger.calls_of(session, row.pk, row.attempt)
    if not any(call.state not in ("intent", "refused") and call.purpose != "triage" for call in calls):
        return
    may = roles_of(who, office.projects[row.project].team, tasks.as_task(row)) & MAY[Action.OPUS]
    row.opus_approved_by = who if may else None


async def refuse_split(session: AsyncSession, row: TaskRow) -> None:
    """Raises UserMistake for a task that goes on as its parts."""
    parts = await parts_of(session, row)
    if parts:
        raise UserMistake(f"{row.task_id} was split into {', '.join(parts)}; they go on in its place.")


async def _give_to(
    office: Office, session: AsyncSession, row: TaskRow, owner: str, who: str, kind: str, why: str
) -> None:
    now = office.now()
    await attempts.end(session, row, at=now, outcome="interrupted", why=why)
    await verdicts.void_approvals(session, row.pk, now)
    row.owner = owner
    move_to(office, row, Rung.MANUAL, why, "R-ESC-8")
    if row.state in GIVEN_UP:
        await refuse_split(session, row)
        await tasks.step(session, row, TaskState.QUEUED, at=now, who=who, kind="retried", why=why)
    if row.state not in (TaskState.QUEUED, TaskState.BLOCKED):  # every stage, and the hands of another person
        await tasks.step(session, row, TaskState.BLOCKED, at=now, who=ORCH, kind="stopped", why=why)
    await hand_over_work(office, session, row, who=who, kind=kind, why=why)


def _need_open(row: TaskRow, ended_too: Collection[TaskState] = ()) -> None:
    if row.state in ENDED and row.state not in ended_too:
        raise UserMistake(f"{row.task_id} is {state_words(row)} already.")
    if row.state == TaskState.MERGING:
        raise UserMistake(f"{row.task_id} is being merged at this moment; it is too late for that.")


def need_fit(office: Office, row: TaskRow, rung: Rung) -> None:
    """Raises UserMistake where the rung may not, or cannot, do this task: asked of the router, as at the start."""
    security = Route.model_validate(row.route).code_critical
    if rung is Rung.HAIKU and security:
        raise UserMistake(
            f"{row.task_id} is security-critical, and such work never goes to haiku (R-SEC-1); it was left as it is."
        )
    request = AssignRequest(
        text=row.text, files=tuple(row.files), type=TaskType(row.route["type"]), model=rung, security=security
    )
    try:
        chosen = route_request(office, office.projects[row.project], request)
    except UserMistake:  # its words are for who writes a new task
        kind = ROWS[TaskType(row.route["type"])]
        reason = "it changes no files" if rung is Rung.GEMINI and kind.manual != "yes" else kind.reason
        raise UserMistake(
            f"{rung} cannot do {kind.kind}: {reason} ({kind.rule}). {row.task_id} was left as it is."
        ) from None
    if chosen.rung is not rung:
        raise UserMistake(f"{chosen.reason} {row.task_id} was left as it is.")
