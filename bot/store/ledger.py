"""The ledger: what paid calls reserved and used, and the counters that hold the budgets (R-BUD-4).

A call is an intent first: `intent` (reserved) -> `sent` -> `settled` | `refused` (nothing owed) | `unknown` (charged at
its full reservation). Each move is one conditional UPDATE, so that a replayed step can never send or settle twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from bot.domain.batching import LONGEST_SECONDS
from bot.domain.budget import Level, Limit
from bot.domain.calls import Usage
from bot.store import outbox
from bot.store.statements import insert, took_effect
from bot.store.tables import CallRow, CounterRow, TaskRow

#: States of a call that still holds its reservation.
OPEN = ("intent", "sent")
#: What was asked, what was answered, and what the answer's edits came to.
BODIES = (CallRow.request, CallRow.reply, CallRow.applied)
#: What a call counts for: used, or reserved while it is open.
TAKEN_TOKENS = case((CallRow.state.in_(OPEN), CallRow.reserved_tokens), else_=CallRow.used_tokens)
TAKEN_MICROUSD = case((CallRow.state.in_(OPEN), CallRow.reserved_microusd), else_=CallRow.cost_microusd)


async def levels(session: AsyncSession, limits: Sequence[Limit]) -> tuple[Level, ...]:
    """Where each counter stands, in the order given."""
    query = select(CounterRow).where(CounterRow.scope.in_([limit.scope for limit in limits]))
    rows = await session.scalars(query.execution_options(populate_existing=True))  # others may have raised them
    found = {row.scope: row for row in rows}
    return tuple(_level(limit, found.get(limit.scope)) for limit in limits)


def _level(limit: Limit, row: CounterRow | None) -> Level:
    if row is None:
        return Level(limit=limit)
    return Level(
        limit=limit,
        used_tokens=row.used_tokens,
        reserved_tokens=row.reserved_tokens,
        used_microusd=row.used_microusd,
        reserved_microusd=row.reserved_microusd,
    )


async def reserve(session: AsyncSession, limits: Sequence[Limit], tokens: int, microusd: int) -> Limit | None:
    """Reserve in every counter; None when all of them had room. Else the first limit that refused: the caller
    must then roll back, since earlier counters were raised already. One conditional UPDATE per counter."""
    ordered = sorted(limits, key=lambda item: item.scope)  # one order, so that two calls cannot deadlock
    zeros = {"used_tokens": 0, "reserved_tokens": 0, "used_microusd": 0, "reserved_microusd": 0}
    await session.execute(
        insert(session, CounterRow)
        .values([{"scope": limit.scope, **zeros} for limit in ordered])
        .on_conflict_do_nothing(index_elements=["scope"])
    )
    for limit in ordered:
        fits = CounterRow.used_tokens + CounterRow.reserved_tokens + tokens <= limit.tokens
        if limit.microusd is not None:
            fits &= CounterRow.used_microusd + CounterRow.reserved_microusd + microusd <= limit.microusd
        raised = (
            update(CounterRow)
            .where(CounterRow.scope == limit.scope, fits)
            .values(
                reserved_tokens=CounterRow.reserved_tokens + tokens,
                reserved_microusd=CounterRow.reserved_microusd + microusd,
            )
        )
        if not await took_effect(session, raised):
            return limit
    return None


async def claim(session: AsyncSession, call_id: str) -> bool:
    """Move `intent` -> `sent`; True for exactly one caller ever, who may then send it."""
    moved = update(CallRow).where(CallRow.id == call_id, CallRow.state == "intent").values(state="sent")
    return await took_effect(session, moved)


async def settle(
    session: AsyncSession,
    call: CallRow,
    state: str,
    *,
    at: datetime,
    usage: Usage | None = None,
    cost_microusd: int = 0,
    only: str | None = None,
) -> bool:
    """Close a call and move its counters from reserved to used. `settled` uses `usage`, `unknown` its reservation,
    `refused` nothing. False when it was closed already, or is not in the state `only`."""
    used = {"settled": usage.total if usage else 0, "unknown": call.reserved_tokens, "refused": 0}[state]
    cost = {"settled": cost_microusd, "unknown": call.reserved_microusd, "refused": 0}[state]
    counted = usage or Usage()
    closed = (
        update(CallRow)
        .where(CallRow.id == call.id, CallRow.state.in_((only,) if only else OPEN))
        .values(
            state=state,
            settled_at=at,
            used_tokens=used,
            cost_microusd=cost,
            input_tokens=counted.input,
            output_tokens=counted.output,
            thinking_tokens=counted.thinking,
            cache_write_tokens=counted.cache_write,
            cache_read_tokens=counted.cache_read,
        )
    )
    if not await took_effect(session, closed):
        return False
    await _count(session, call, used, cost, held=(call.reserved_tokens, call.reserved_microusd))
    return True


async def _count(session: AsyncSession, call: CallRow, used: int, cost: int, held: tuple[int, int] = (0, 0)) -> None:
    """Add (tokens, micro-dollars) to what was used in each of the call's counters, and give free what it held."""
    for scope in sorted(call.scopes):  # one order, so that two calls cannot deadlock
        await session.execute(
            update(CounterRow)
            .where(CounterRow.scope == scope)
            .values(
                reserved_tokens=CounterRow.reserved_tokens - held[0],
                reserved_microusd=CounterRow.reserved_microusd - held[1],
                used_tokens=CounterRow.used_tokens + used,
                used_microusd=CounterRow.used_microusd + cost,
            )
        )


async def correct(session: AsyncSession, call: CallRow, tokens: int) -> bool:
    """Charge `tokens` for a call whose outcome is unknown, and the same share of what its reservation could cost.
    False, and nothing changed, where it is not, or was corrected before."""
    cost = -(-call.reserved_microusd * tokens // call.reserved_tokens) if call.reserved_tokens else 0
    more, more_cost = tokens - call.used_tokens, cost - call.cost_microusd  # before the update changes the object too
    moved = (
        update(CallRow)
        .where(CallRow.id == call.id, CallRow.state == "unknown")
        .values(state="corrected", used_tokens=tokens, cost_microusd=cost)
    )
    if not await took_effect(session, moved):
        return False
    await _count(session, call, more, more_cost)
    return True


async def close_left(session: AsyncSession, calls: Iterable[CallRow], *, at: datetime, why: str) -> Sequence[CallRow]:
    """Close those of the calls that are open, since nobody works on them any more: what was not sent owes nothing, what
    was sent is unknown. Returns them."""
    left = [call for call in calls if call.state in OPEN]
    for call in left:
        call.error = call.error or why
        await settle(session, call, "refused", at=at, only="intent")
        await settle(session, call, "unknown", at=at)
        await outbox.want_card(session, await session.get_one(TaskRow, call.task_pk))
    return left


async def left_since(session: AsyncSession, before: datetime) -> Sequence[CallRow]:
    """Open calls from before `before`; one that the provider has in a batch is given a day and some hours more."""
    late = or_(CallRow.batch_id.is_(None), CallRow.created_at < before - timedelta(seconds=LONGEST_SECONDS))
    query = select(CallRow).where(CallRow.state.in_(OPEN), CallRow.created_at < before, late)
    return (await session.scalars(query)).all()


async def in_batches(session: AsyncSession, project: str) -> frozenset[str]:
    """Ids of the tasks that wait for a provider's batch."""
    query = select(TaskRow.task_id).join(CallRow, CallRow.task_pk == TaskRow.pk)
    query = query.where(TaskRow.project == project, CallRow.state == "sent", CallRow.batch_id.is_not(None))
    return frozenset((await session.scalars(query)).all())


async def visits_with_open_calls(session: AsyncSession) -> Sequence[str]:
    """The stage workflows that an open call names as its own."""
    query = select(CallRow.visit).where(CallRow.state.in_(OPEN), CallRow.visit != "").distinct()
    return (await session.scalars(query)).all()


async def open_of(session: AsyncSession, visits: Collection[str]) -> Sequence[CallRow]:
    """The open calls of these stage workflows."""
    return (await session.scalars(select(CallRow).where(CallRow.state.in_(OPEN), CallRow.visit.in_(visits)))).all()


async def calls_of(
    session: AsyncSession, task_pk: int, attempt: int | None = None, *, whole: bool = False
) -> Sequence[CallRow]:
    """A task's calls, oldest first. Their BODIES only with `whole`: they are long, and cards and budgets need none."""
    query = select(CallRow).where(CallRow.task_pk == task_pk).order_by(CallRow.attempt, CallRow.number)
    if not whole:
        query = query.options(*(defer(body, raiseload=True) for body in BODIES))
    if attempt is not None:
        query = query.where(CallRow.attempt == attempt)
    return (await session.scalars(query)).all()


async def spent(session: AsyncSession, task_pk: int) -> tuple[int, int]:
    """(tokens, micro-dollars) that a task has used, reservations of running calls included."""
    query = select(func.sum(TAKEN_TOKENS), func.sum(TAKEN_MICROUSD)).where(CallRow.task_pk == task_pk)
    tokens, cost = (await session.execute(query)).one()
    return int(tokens or 0), int(cost or 0)


async def outputs_of(session: AsyncSession, project: str, purpose: str, rung: str, most: int) -> Sequence[int]:
    """Output tokens of the project's newest answered calls of this kind."""
    query = select(CallRow.output_tokens).where(
        CallRow.state == "settled", CallRow.purpose == purpose, CallRow.rung == rung,
        CallRow.id.startswith(f"{project}/", autoescape=True),
    )  # fmt: skip
    return (await session.scalars(query.order_by(CallRow.created_at.desc(), CallRow.id).limit(most))).all()


async def used_by_rung(session: AsyncSession, task_pks: Collection[int]) -> dict[str, int]:
    """Rung -> tokens that the calls of these tasks used or still reserve."""
    query = select(CallRow.rung, func.sum(TAKEN_TOKENS)).where(CallRow.task_pk.in_(task_pks)).group_by(CallRow.rung)
    return {rung: int(used or 0) for rung, used in (await session.execute(query)).all()}
