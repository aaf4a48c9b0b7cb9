"""One paid call, at most once (DESIGN, "At most once, nothing lost"; R-BUD-4).

reserve + intent row   one transaction      refused -> Unaffordable (bot/workflows/reserving.py)
claim the intent       one conditional UPDATE; on a replay it is taken already -> `unknown`, never sent again
send                   one request on the wire
settle                 one transaction with the reply
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dbos import DBOS
from sqlalchemy.exc import DBAPIError

from bot.domain import prices
from bot.domain.calls import ModelReply, ModelRequest, NoResult, Purpose, ReviewReply
from bot.domain.providers import backoff_seconds
from bot.domain.task import Rung
from bot.errors import ModelError, ModelOutcomeUnknown, ModelRefusedCall
from bot.store import ledger, outbox, tasks
from bot.store.database import outlasted
from bot.store.tables import CallRow, TaskRow
from bot.workflows.attempts import tell_thread
from bot.workflows.batch import batched
from bot.workflows.budget_alerts import show_unknown
from bot.workflows.office import Office, Visit
from bot.workflows.reserving import LEFT, Failed, Unaffordable, reserve_call
from bot.workflows.stopping import Stopped, while_wanted

log = logging.getLogger("orch.calls")

#: Why a call that was cut off is unknown.
CUT = "the task was stopped while the call was under way; it may have been billed"


@dataclass(frozen=True)
class Answered:
    """The call settled; its reply is in the ledger row."""

    call_id: str


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
            return failed(sent)
    return Failed(why, unknown=False, outcome="busy")


def failed(sent: Sent) -> Failed:
    """What a request without an answer means for its attempt. Orch's own end says nothing about the provider."""
    if sent.why == LEFT:
        return Failed(sent.why, unknown=True, outcome="interrupted")
    return Failed(sent.why, unknown=sent.state == "unknown", passing=sent.retryable)


async def send_call(office: Office, visit: Visit, call_id: str, rung: Rung) -> Sent:
    """Send an intent that nobody sent, and settle it. Safe to run again."""
    call, mine = await _claimed(office, visit, call_id)
    if not mine:
        again = call.retryable or (call.batch and call.state == "refused")
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
        closed = await _close(office, call_id, "refused", error)
        return closed._replace(retryable=closed.retryable or call.batch)  # no batch was to be had: asked at once
    except ModelOutcomeUnknown as error:
        return await _close(office, call_id, "unknown", error)
    except DBAPIError:  # of a batch, which is gone on with
        raise
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
            await show_unknown(office, session, [call])
        await session.refresh(call)
    return call, mine


@outlasted
async def _close(office: Office, call_id: str, state: Literal["refused", "unknown"], error: ModelError) -> Sent:
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.error, call.retryable = str(error), error.retryable
        await ledger.settle(session, call, state, at=office.now())
        await outbox.want_card(session, await session.get_one(TaskRow, call.task_pk))  # it tells what was spent
        if state == "unknown":
            await show_unknown(office, session, [call])
    office.mail.set()
    return Sent(state, str(error), error.retryable, error.retry_after_seconds)


@outlasted
async def _cut_off(office: Office, visit: Visit, call_id: str) -> Sent:
    """The task was stopped while the provider worked: the call may be billed, so its reservation counts as used."""
    async with office.db.begin() as session:
        row = await tasks.lock(session, visit.pk)
        call = await session.get_one(CallRow, call_id)
        call.error = CUT
        await ledger.settle(session, call, "unknown", at=office.now())
        await tell_thread(office, session, row, f"cut-{call_id}", "thread/call_cut", call=call)
        await outbox.want_card(session, row)  # it said what was under way
        await show_unknown(office, session, [call])
    office.mail.set()
    return Sent("unknown", CUT, False)


@outlasted
async def _settle(office: Office, call_id: str, reply: ModelReply | ReviewReply) -> Sent:
    """The answer is paid for, so it waits for a database that is away."""
    async with office.db.begin() as session:
        call = await session.get_one(CallRow, call_id)
        call.reply = reply.model_dump(mode="json")
        call.answered_by = reply.model
        cost = prices.cost(reply.usage, office.price(call.model, call.day).of(call.batch))
        await ledger.settle(session, call, "settled", at=office.now(), usage=reply.usage, cost_microusd=cost)
        await outbox.want_card(session, await session.get_one(TaskRow, call.task_pk))
    office.mail.set()
    return Sent("settled", "", False)
