"""The first half of a paid call: its worst case is reserved in every limit, and its intent written, in one transaction
(DESIGN, "At most once, nothing lost"; R-BUD-4). bot/workflows/paid_call.py sends what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.batching import may_batch, may_begin
from bot.domain.budget import (
    MAX_OUTPUT_TOKENS,
    MIN_OUTPUT_TOKENS,
    Grant,
    Level,
    Limit,
    LimitName,
    Limits,
    Refused,
    first_red,
    limits_of_call,
    padded,
    size_call,
    takes_the_rest,
    usual_output,
)
from bot.domain.calls import ModelRequest, Purpose
from bot.domain.coordinator import MAX_ANSWER_TOKENS, coordinator_limit
from bot.domain.escalation import Outcome
from bot.domain.prices import Price
from bot.domain.project import Project
from bot.domain.splitting import MAX_PROPOSAL_TOKENS
from bot.domain.task import Rung
from bot.store import ledger, limit_orders, tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows import budget_alerts
from bot.workflows.batch import due_in
from bot.workflows.office import ORCH, Office, Visit, current
from bot.workflows.provider_rests import hindrance

#: Why a call that nobody waits for any more is closed.
LEFT = "Orch was interrupted while the call was under way; it may have been billed"
#: So many of the newest calls tell what one of their kind takes.
LATELY = 20
#: A reservation that lost a race is sized again so often before it counts as refused.
RACES = 5


@dataclass(frozen=True)
class Unaffordable:
    """No limit was touched and nothing was sent. `own` = it is the task's own budget that is too small; `limit` = the
    one that is."""

    why: str
    own: bool
    limit: LimitName | None = None


@dataclass(frozen=True)
class Failed:
    """No answer. `unknown` = it may have been billed, and is charged in full. `outcome`: of the attempt."""

    why: str
    unknown: bool
    outcome: Outcome = "provider"
    passing: bool = True  # it may go better later


@dataclass(frozen=True)
class _Wanted:
    """A call that is to be paid for."""

    visit: Visit
    attempt: int
    number: int
    purpose: Purpose
    rung: Rung
    request: ModelRequest
    counted: int
    batch: bool
    price: Price
    limits: tuple[Limit, ...]
    most_output: int
    begun: bool  # its attempt has made a call already
    day: date
    at: datetime


async def reserve_call(
    office: Office,
    session: AsyncSession,
    visit: Visit,
    purpose: Purpose,
    rung: Rung,
    request: ModelRequest,
    counted: int,
    base: str | None = None,
) -> str | Unaffordable | Failed:
    """Write the intent with its reservation; returns its id. No call is made while its provider rests. Raises
    Superseded."""
    row = await current(session, visit)
    project = office.projects[row.project]
    now = office.now()
    earlier = await ledger.calls_of(session, row.pk, row.attempt)
    await budget_alerts.close_left(office, session, earlier, LEFT)  # a stage that was lost with its checkpoints
    if rests := await hindrance(office, session, project, rung):
        return Failed(rests, unknown=False, outcome="rest")
    row.waits_for = None  # for a batch that gave no answer
    day = project.day(now)
    batch = await _may_wait(office, session, row, purpose, rung, earlier)
    wanted = _Wanted(
        visit=visit, attempt=row.attempt, number=len(earlier) + 1, purpose=purpose, rung=rung, request=request,
        counted=counted, batch=batch, price=office.price(request.model, day).of(batch),
        limits=await _limits(session, project, row, purpose, rung, day),
        most_output=_most_output(project, purpose, rung),
        begun=any(call.reserved_tokens and call.purpose != "triage" for call in earlier), day=day, at=now,
    )  # fmt: skip
    return await _reserved(office, session, row, wanted, base)


async def _reserved(
    office: Office, session: AsyncSession, row: TaskRow, wanted: _Wanted, base: str | None
) -> str | Unaffordable:
    """The intent's id once every counter holds its reservation, though others reserve at the same moment."""
    project, purpose = office.projects[row.project], wanted.purpose
    for _race in range(RACES):
        levels = await ledger.levels(session, wanted.limits)
        sized = _sized(wanted, levels)
        if isinstance(sized, Grant) and purpose != "triage" and takes_the_rest(sized, levels):
            sized = _sized(wanted, levels, await _usual_output(session, project, row, wanted))
        red = first_red(levels, project.limits.red) if not wanted.begun else None  # R-BUD-3: no new attempt
        if isinstance(sized, Refused):
            return await _unaffordable(office, session, row, purpose, sized, red=False)
        if red is not None:
            needed = padded(wanted.counted) + min(wanted.most_output, MIN_OUTPUT_TOKENS)
            return await _unaffordable(office, session, row, purpose, Refused(level=red, needed=needed), red=True)
        call = _intent(wanted, row, sized)
        if await _held(session, wanted.limits, call):
            row.base_commit = base or row.base_commit
            await _written(office, session, row, wanted, call)
            return call.id
    return Unaffordable(why="other tasks reserved the rest of the budget at the same moment", own=False)


async def _may_wait(
    office: Office, session: AsyncSession, row: TaskRow, purpose: Purpose, rung: Rung, earlier: Sequence[CallRow]
) -> bool:
    """Whether the call goes into a batch. Not where one of its attempt came back from there without an answer, or a
    person was in a hurry."""
    project = office.projects[row.project]
    if rung not in office.batches or not may_batch(project, purpose, rung):  # as a rule, and it costs nothing to ask
        return False
    if any(call.batch and call.state == "refused" for call in earlier):
        return False
    due = await due_in(office, session, project)
    begins = may_begin(project, tasks.as_task(row), due, purpose, rung, office.now())
    return begins and not await tasks.was_hurried(session, row.pk)


def _sized(wanted: _Wanted, levels: tuple[Level, ...], usual: int = 0) -> Grant | Refused:
    least = min(wanted.most_output, MIN_OUTPUT_TOKENS)
    return size_call(wanted.counted, levels, wanted.most_output, least, wanted.price, usual)


async def _usual_output(session: AsyncSession, project: Project, row: TaskRow, wanted: _Wanted) -> int:
    """What such calls took lately, but no more than the configured limits have room for: a raise ends."""
    configured = _limits_within(project.limits, project, row, wanted.purpose, wanted.rung, wanted.day)
    room = min(limit.tokens for limit in configured if limit.kind) - padded(wanted.counted)
    lately = await ledger.outputs_of(session, project.key, wanted.purpose, wanted.rung, LATELY)
    return min(room, usual_output(lately))


async def _limits(
    session: AsyncSession, project: Project, row: TaskRow, purpose: Purpose, rung: Rung, day: date
) -> tuple[Limit, ...]:
    """The counters that the call counts against; the coordinator's questions have one of their own (R-BUD-6)."""
    held = await limit_orders.limits_on(session, project.limits, row.project, row.sprint, day)
    limits = _limits_within(held, project, row, purpose, rung, day)
    return (coordinator_limit(row.project, day), *limits) if purpose == "triage" else limits


def _limits_within(
    limits: Limits, project: Project, row: TaskRow, purpose: Purpose, rung: Rung, day: date
) -> tuple[Limit, ...]:
    return limits_of_call(
        limits,
        project=project.key,
        task=row.task_id,
        attempt=row.attempt,
        sprint=row.sprint,
        rung=rung,
        day=day,
        budget=row.token_budget if purpose in ("edit", "repair") or rung is Rung.OPUS else 0,
        approved=rung is Rung.OPUS and row.opus_approved_by is not None,  # R-ESC-8
    )


def _most_output(project: Project, purpose: Purpose, rung: Rung) -> int:
    """The most output that a call for this purpose asks for; tokens."""
    if purpose in ("edit", "repair"):
        return MAX_OUTPUT_TOKENS
    most = {"split": MAX_PROPOSAL_TOKENS, "triage": MAX_ANSWER_TOKENS}.get(purpose, MAX_OUTPUT_TOKENS)
    return min(most, project.limits.task[rung])


async def _unaffordable(
    office: Office, session: AsyncSession, row: TaskRow, purpose: Purpose, refused: Refused, *, red: bool
) -> Unaffordable:
    """Remember what the call needs, so that it is tried again when there is room, and tell the leads (R-BUD-3)."""
    limit = refused.level.limit
    if purpose != "triage":
        row.needs_tokens, row.needs_microusd = refused.needed, refused.needed_microusd
        await budget_alerts.after_refusal(office, session, office.projects[row.project], refused)
    why = f"{limit.name} are at their red mark; no new attempt starts" if red else refused.text
    return Unaffordable(why=why, own="/attempt/" in limit.scope, limit=limit.kind)


def _intent(wanted: _Wanted, row: TaskRow, sized: Grant) -> CallRow:
    call_id = f"{row.project}/{row.task_id}/{wanted.attempt}/{wanted.number}"
    keeps = wanted.request.cache_system and not wanted.batch  # which is worked on when the provider likes
    sized_so = {"max_output": sized.max_output, "call_id": call_id, "cache_system": keeps}
    ready = wanted.request.model_copy(update=sized_so)
    return CallRow(
        id=call_id,
        task_pk=row.pk,
        attempt=wanted.attempt,
        number=wanted.number,
        purpose=wanted.purpose,
        rung=wanted.rung.value,
        model=ready.model,
        state="intent",
        scopes=[limit.scope for limit in wanted.limits],
        reserved_tokens=sized.reserve_tokens,
        reserved_microusd=prices.worst_cost(padded(wanted.counted), sized.max_output, wanted.price),
        request=ready.model_dump(mode="json"),
        batch=wanted.batch,
        visit=wanted.visit.id,
        day=wanted.day,
        created_at=wanted.at,
    )


async def _held(session: AsyncSession, limits: tuple[Limit, ...], call: CallRow) -> bool:
    """Whether every limit had room for it; if not, no counter was touched."""
    async with session.begin_nested() as savepoint:
        lost_to = await ledger.reserve(session, limits, call.reserved_tokens, call.reserved_microusd)
        if lost_to is not None:
            await savepoint.rollback()
            return False
        session.add(call)
    return True


async def _written(office: Office, session: AsyncSession, row: TaskRow, wanted: _Wanted, call: CallRow) -> None:
    if wanted.purpose != "triage":
        row.needs_tokens = row.needs_microusd = 0
    await budget_alerts.after_reservation(
        office, session, office.projects[row.project], wanted.limits, call.reserved_tokens, call.reserved_microusd
    )
    await tasks.note(
        session, row, at=wanted.at, who=ORCH, kind=f"call_{call.purpose}",
        why=f"{call.purpose} call {call.number} to {call.rung}",
        detail={"call": call.id, "reserved_tokens": call.reserved_tokens},
    )  # fmt: skip
