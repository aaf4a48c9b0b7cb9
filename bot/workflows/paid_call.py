"""One paid call, at most once (DESIGN, "At most once, nothing lost"; R-BUD-4).

reserve + intent row   one transaction      refused -> Unaffordable
claim the intent       one conditional UPDATE; on a replay it is taken already -> `unknown`, never sent again
send                   one request on the wire
settle                 one transaction with the reply
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.budget import MAX_OUTPUT_TOKENS, Grant, Limit, Refused, day_is_red, limits_of_call, padded, size_call
from bot.domain.calls import ModelReply, ModelRequest, Purpose, ReviewReply
from bot.domain.task import Rung
from bot.errors import ModelOutcomeUnknown, ModelRefusedCall
from bot.store import ledger, sprints, tasks
from bot.store.tables import CallRow
from bot.workflows.office import ORCH, Office, Visit, current

log = logging.getLogger("orch.calls")

#: Why a call that nobody waits for any more is closed.
LEFT = "Orch was interrupted while the call was under way; it may have been billed"
#: How often a call that the provider refused for a passing reason is made again, and the waits before (seconds).
WAITS = (1.0, 4.0)
#: A reservation that lost a race is sized again so often before it counts as refused.
RACES = 5


@dataclass(frozen=True)
class Answered:
    """The call settled; its reply is in the ledger row."""

    call_id: str


@dataclass(frozen=True)
class Unaffordable:
    """No limit was touched and nothing was sent. `own` = it is the task's own budget that is too small."""

    why: str
    own: bool


@dataclass(frozen=True)
class Failed:
    """No answer. `unknown` = it may have been billed, and is charged in full."""

    why: str
    unknown: bool


async def paid_call(
    office: Office, visit: Visit, *, purpose: Purpose, rung: Rung, request: ModelRequest, counted: int
) -> Answered | Unaffordable | Failed:
    """Make one call of a stage. `counted`: input tokens as the provider counted them."""
    why = ""
    for wait in (0.0, *WAITS):
        if wait:
            await DBOS.sleep_async(wait)
        reserved = await office.tx(reserve_call, visit, purpose, rung, request, counted)
        if isinstance(reserved, Unaffordable):
            return reserved
        state, why, retryable = await office.step(send_call, visit, reserved, rung)
        if state == "settled":
            return Answered(reserved)
        if state == "unknown" or not retryable:
            return Failed(why, unknown=state == "unknown")
    return Failed(why, unknown=False)


async def reserve_call(
    office: Office,
    session: AsyncSession,
    visit: Visit,
    purpose: Purpose,
    rung: Rung,
    request: ModelRequest,
    counted: int,
) -> str | Unaffordable:
    """Write the intent with its reservation; returns its id. Raises Superseded."""
    row = await current(session, visit)
    project = office.projects[row.project]
    now = office.now()
    limits = limits_of_call(
        await sprints.limits_in(session, project.limits, row.project, row.sprint),  # R-BUD-2
        project=row.project,
        task=row.task_id,
        attempt=row.attempt,
        sprint=row.sprint,
        rung=rung,
        day=project.day(now),
        budget=row.token_budget if purpose in ("edit", "repair") else 0,
    )
    price = office.price(request.model, project.day(now))
    most = min(MAX_OUTPUT_TOKENS, project.limits.task[rung]) if purpose in ("review", "report") else MAX_OUTPUT_TOKENS
    earlier = await ledger.calls_of(session, row.pk, row.attempt)
    await ledger.close_left(session, earlier, at=now, why=LEFT)  # a stage that was lost with its checkpoints
    number = len(earlier) + 1
    for _race in range(RACES):
        levels = await ledger.levels(session, limits)
        sized = size_call(counted, levels, most)
        red = day_is_red(levels, project.limits.red) if number == 1 else None  # R-BUD-3: no new attempt
        if isinstance(sized, Refused) or red is not None:
            return _unaffordable(sized if isinstance(sized, Refused) else None, red.limit if red else None)
        call = _intent(visit, row.attempt, number, purpose, rung, request, sized, limits)
        call.reserved_microusd = prices.worst_cost(padded(counted), sized.max_output, price)
        call.day, call.created_at = project.day(now), now
        async with session.begin_nested() as savepoint:
            lost_to = await ledger.reserve(session, limits, sized.reserve_tokens, call.reserved_microusd)
            if lost_to is not None:
                await savepoint.rollback()
                continue
            session.add(call)
        await tasks.note(
            session, row, at=now, who=ORCH, kind=f"call_{purpose}", why=f"{purpose} call {number} to {rung}",
            detail={"call": call.id, "reserved_tokens": call.reserved_tokens},
        )  # fmt: skip
        return call.id
    return Unaffordable(why="other tasks reserved the rest of the budget at the same moment", own=False)


def _unaffordable(refused: Refused | None, red: Limit | None) -> Unaffordable:
    if refused is not None:
        return Unaffordable(why=refused.text, own="/attempt/" in refused.level.limit.scope)
    assert red is not None
    return Unaffordable(why=f"{red.name} are at their red mark; no new attempt starts", own=False)


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


async def send_call(
    office: Office, visit: Visit, call_id: str, rung: Rung
) -> tuple[Literal["settled", "refused", "unknown"], str, bool]:
    """Send an intent that nobody sent, and settle it; returns (state, why, retryable). Safe to run again."""
    call, mine = await _claimed(office, visit, call_id)
    if not mine:
        return call.state, call.error, call.retryable  # type: ignore[return-value]
    request = ModelRequest.model_validate(call.request)
    try:
        reply = await (
            office.reviewer.review(request) if call.purpose == "review" else office.models[rung].send(request)
        )
    except ModelRefusedCall as error:
        return await _close(office, call_id, "refused", str(error), error.retryable)
    except ModelOutcomeUnknown as error:
        return await _close(office, call_id, "unknown", str(error), False)
    except Exception as error:  # a defect; the call may have been made, and its reservation must not stay open
        log.exception("%s failed", call_id)
        return await _close(office, call_id, "unknown", f"a defect in Orch: {type(error).__name__}", False)
    return await _settle(office, call_id, reply)


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
        elif call.state == "sent":  # a crash fell between sending and settling
            call.error = LEFT
            await ledger.settle(session, call, "unknown", at=office.now())
        await session.refresh(call)
    return call, mine


async def _close(
    office: Office, call_id: str, state: Literal["refused", "unknown"], why: str, retryable: bool
) -> tuple[Literal["refused", "unknown"], str, bool]:
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.error, call.retryable = why, retryable
        await ledger.settle(session, call, state, at=office.now())
    return state, why, retryable


async def _settle(
    office: Office, call_id: str, reply: ModelReply | ReviewReply
) -> tuple[Literal["settled"], str, bool]:
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.reply = reply.model_dump(mode="json")
        call.answered_by = reply.model
        cost = prices.cost(reply.usage, office.price(call.model, call.day))
        await ledger.settle(session, call, "settled", at=office.now(), usage=reply.usage, cost_microusd=cost)
    return "settled", "", False
