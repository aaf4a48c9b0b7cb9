"""One paid call, at most once (DESIGN, "At most once, nothing lost"; R-BUD-4).

reserve + intent row   one transaction      refused -> Unaffordable
claim the intent       one conditional UPDATE; on a replay it is taken already -> `unknown`, never sent again
send                   one request on the wire
settle                 one transaction with the reply
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.batching import may_wait
from bot.domain.budget import (
    MAX_OUTPUT_TOKENS,
    MIN_OUTPUT_TOKENS,
    Grant,
    Limit,
    LimitName,
    Refused,
    first_red,
    limits_of_call,
    padded,
    size_call,
)
from bot.domain.calls import ModelReply, ModelRequest, NoResult, Purpose, ReviewReply
from bot.domain.coordinator import MAX_ANSWER_TOKENS, coordinator_limit
from bot.domain.escalation import Outcome
from bot.domain.project import Project
from bot.domain.providers import backoff_seconds
from bot.domain.splitting import MAX_PROPOSAL_TOKENS
from bot.domain.task import Rung
from bot.errors import ModelError, ModelOutcomeUnknown, ModelRefusedCall
from bot.store import ledger, limit_orders, outbox, tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows import budget_alerts
from bot.workflows.attempts import tell_thread
from bot.workflows.batch import batched
from bot.workflows.office import ORCH, Office, Visit, current
from bot.workflows.provider_rests import hindrance
from bot.workflows.stopping import Stopped, while_wanted

log = logging.getLogger("orch.calls")

#: Why a call that nobody waits for any more is closed.
LEFT = "Orch was interrupted while the call was under way; it may have been billed"
#: Why a call that was cut off is unknown.
CUT = "the task was stopped while the call was under way; it may have been billed"
#: A reservation that lost a race is sized again so often before it counts as refused.
RACES = 5


@dataclass(frozen=True)
class Answered:
    """The call settled; its reply is in the ledger row."""

    call_id: str


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


class Sent(NamedTuple):
    """What became of one request. `retryable`: it failed for a passing reason of the provider's."""

    state: Literal["settled", "refused", "unknown"]
    why: str
    retryable: bool
    retry_after_seconds: float | None = None


async def paid_call(
    office: Office,
    visit: Visit,
    *,
    purpose: Purpose,
    rung: Rung,
    request: ModelRequest,
    counted: int,
    base: str | None = None,
) -> Answered | Unaffordable | Failed:
    """Make one call of a stage. `counted`: input tokens as the provider counted them. What the provider refused for
    a passing reason is asked again after a wait; what may have been billed is not, but the wait is the same. `base`:
    the commit that its edits are for, where it is to make some."""
    tries = 1 if purpose == "triage" else office.patience.tries
    why = ""
    for try_no in range(1, tries + 1):
        reserved = await office.tx(reserve_call, visit, purpose, rung, request, counted, base)
        if not isinstance(reserved, str):
            return reserved
        sent = Sent(*await office.step(send_call, visit, reserved, rung))
        why = sent.why
        if sent.state == "settled":
            return Answered(reserved)
        if sent.retryable and (sent.state == "unknown" or try_no < tries):
            await DBOS.sleep_async(backoff_seconds(try_no, sent.retry_after_seconds, reserved, office.patience))
        if sent.state == "unknown" or not sent.retryable:
            return Failed(why, unknown=sent.state == "unknown", passing=sent.retryable)
    return Failed(why, unknown=False, outcome="busy")


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
    limits = await _limits(session, project, row, purpose, rung, project.day(now))
    most = _most_output(project, purpose, rung)
    earlier = await ledger.calls_of(session, row.pk, row.attempt)
    await ledger.close_left(session, earlier, at=now, why=LEFT)  # a stage that was lost with its checkpoints
    if rests := await hindrance(office, session, project, rung):
        return Failed(rests, unknown=False, outcome="rest")
    number = len(earlier) + 1
    row.waits_for = None  # for a batch that gave no answer
    batch = may_wait(row.priority, purpose, rung, enabled=project.batch_low_priority and office.batches is not None,
                     left_unanswered=any(call.batch_id and call.state == "refused" for call in earlier))  # fmt: skip
    price = office.price(request.model, project.day(now)).of(batch)
    begun = any(call.reserved_tokens and call.purpose != "triage" for call in earlier)
    for _race in range(RACES):
        levels = await ledger.levels(session, limits)
        least = min(most, MIN_OUTPUT_TOKENS)
        sized = size_call(counted, levels, most, least, price)
        red = first_red(levels, project.limits.red) if not begun else None  # R-BUD-3: no new attempt
        if isinstance(sized, Refused) or red is not None:
            refused = (
                sized if isinstance(sized, Refused) else Refused(level=red or levels[0], needed=padded(counted) + least)
            )
            return await _unaffordable(office, session, row, purpose, refused, red=not isinstance(sized, Refused))
        call = _intent(visit, row.attempt, number, purpose, rung, request, sized, limits)
        call.batch = batch
        call.reserved_microusd = prices.worst_cost(padded(counted), sized.max_output, price)
        call.day, call.created_at, call.visit = project.day(now), now, visit.id
        async with session.begin_nested() as savepoint:
            lost_to = await ledger.reserve(session, limits, sized.reserve_tokens, call.reserved_microusd)
            if lost_to is not None:
                await savepoint.rollback()
                continue
            session.add(call)
        row.base_commit = base or row.base_commit
        if purpose != "triage":
            row.needs_tokens = row.needs_microusd = 0
        await budget_alerts.after_reservation(
            office, session, project, limits, sized.reserve_tokens, call.reserved_microusd
        )
        await tasks.note(
            session, row, at=now, who=ORCH, kind=f"call_{purpose}", why=f"{purpose} call {number} to {rung}",
            detail={"call": call.id, "reserved_tokens": call.reserved_tokens},
        )  # fmt: skip
        return call.id
    return Unaffordable(why="other tasks reserved the rest of the budget at the same moment", own=False)


async def _limits(
    session: AsyncSession, project: Project, row: TaskRow, purpose: Purpose, rung: Rung, day: date
) -> tuple[Limit, ...]:
    """The counters that the call counts against; the coordinator's questions have one of their own (R-BUD-6)."""
    limits = limits_of_call(
        await limit_orders.limits_on(session, project.limits, row.project, row.sprint, day),
        project=row.project,
        task=row.task_id,
        attempt=row.attempt,
        sprint=row.sprint,
        rung=rung,
        day=day,
        budget=row.token_budget if purpose in ("edit", "repair") or rung is Rung.OPUS else 0,
        approved=rung is Rung.OPUS and row.opus_approved_by is not None,  # R-ESC-8
    )
    return (coordinator_limit(row.project, day), *limits) if purpose == "triage" else limits


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


def _intent(
    visit: Visit, attempt: int, number: int, purpose: Purpose, rung: Rung, request: ModelRequest, sized: Grant,
    limits: tuple[Limit, ...],
) -> CallRow:  # fmt: skip
    call_id = f"{visit.project}/{visit.task_id}/{attempt}/{number}"
    ready = request.model_copy(update={"max_output": sized.max_output, "call_id": call_id})
    return CallRow(
        id=call_id,
        task_pk=visit.pk,
        attempt=attempt,
        number=number,
        purpose=purpose,
        rung=rung.value,
        model=request.model,
        state="intent",
        scopes=[limit.scope for limit in limits],
        reserved_tokens=sized.reserve_tokens,
        request=ready.model_dump(mode="json"),
    )


async def send_call(office: Office, visit: Visit, call_id: str, rung: Rung) -> Sent:
    """Send an intent that nobody sent, and settle it. Safe to run again."""
    call, mine = await _claimed(office, visit, call_id)
    if not mine:
        again = call.retryable or (call.batch_id is not None and call.state == "refused")
        return Sent(call.state, call.error, again)  # type: ignore[arg-type]
    request = ModelRequest.model_validate(call.request)
    reply: ModelReply | ReviewReply | NoResult
    try:
        if call.batch:  # it is cancelled and settled by the provider's word, not cut off
            reply = await batched(office, visit, call, request)
        else:
            reply = await while_wanted(office, visit, _asked(office, call, rung, request))
    except Stopped:
        return await _cut_off(office, visit, call_id)
    except ModelRefusedCall as error:
        return await _close(office, call_id, "refused", error)
    except ModelOutcomeUnknown as error:
        return await _close(office, call_id, "unknown", error)
    except Exception as error:  # a defect; the call may have been made, and its reservation must not stay open
        log.exception("%s failed", call_id)
        why = f"a defect in Orch: {type(error).__name__}"
        return await _close(office, call_id, "unknown", ModelOutcomeUnknown(why, retryable=False))
    if isinstance(reply, NoResult):
        no_answer = ModelRefusedCall(reply.why, retryable=False)  # which says nothing about the provider's health
        return (await _close(office, call_id, "refused", no_answer))._replace(retryable=True)
    return await _settle(office, call_id, reply)


async def _asked(office: Office, call: CallRow, rung: Rung, request: ModelRequest) -> ModelReply | ReviewReply:
    """The one request on the wire."""
    if call.purpose == "review":
        return await office.reviewer.review(request)
    return await office.models[rung].send(request)


async def _claimed(office: Office, visit: Visit, call_id: str) -> tuple[CallRow, bool]:
    """The call, and whether it is ours to send: once ever, and only while the task still waits for it."""
    mine = False
    async with office.db.begin(durable=True) as session:  # a claim that a power failure undid would be sent again
        row = await tasks.lock(session, visit.pk)
        call = await session.get_one(CallRow, call_id)
        if call.state == "intent" and (row.entry != visit.entry or row.state != visit.stage):
            call.error = "the task was stopped before the call was made"
            await ledger.settle(session, call, "refused", at=office.now())
        elif call.state == "intent":
            mine = await ledger.claim(session, call_id)
        elif call.state == "sent" and call.batch_id:
            mine = True  # the provider still has it, or its answer
        elif call.state == "sent":  # a crash fell between sending and settling
            call.error = LEFT
            await ledger.settle(session, call, "unknown", at=office.now())
        await session.refresh(call)
    return call, mine


async def _close(office: Office, call_id: str, state: Literal["refused", "unknown"], error: ModelError) -> Sent:
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.error, call.retryable = str(error), error.retryable
        await ledger.settle(session, call, state, at=office.now())
        await outbox.want_card(session, await session.get_one(TaskRow, call.task_pk))  # it tells what was spent
    office.mail.set()
    return Sent(state, str(error), error.retryable, error.retry_after_seconds)


async def _cut_off(office: Office, visit: Visit, call_id: str) -> Sent:
    """The task was stopped while the provider worked: the call may be billed, so its reservation counts as used."""
    async with office.db.begin() as session:
        row = await tasks.lock(session, visit.pk)
        call = await session.get_one(CallRow, call_id)
        call.error = CUT
        await ledger.settle(session, call, "unknown", at=office.now())
        await tell_thread(office, session, row, f"cut-{call_id}", "thread/call_cut", call=call)
    office.mail.set()
    return Sent("unknown", CUT, False)


async def _settle(office: Office, call_id: str, reply: ModelReply | ReviewReply) -> Sent:
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.reply = reply.model_dump(mode="json")
        call.answered_by = reply.model
        cost = prices.cost(reply.usage, office.price(call.model, call.day).of(call.batch))
        await ledger.settle(session, call, "settled", at=office.now(), usage=reply.usage, cost_microusd=cost)
        await outbox.want_card(session, await session.get_one(TaskRow, call.task_pk))
    office.mail.set()
    return Sent("settled", "", False)
