"""What a project paid for, call by call, as domain.saving measures it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from bot.domain.calls import Usage
from bot.domain.routing import ROWS
from bot.domain.saving import REHEARSAL, Spent
from bot.domain.task import Rung, TaskType
from bot.store.ledger import BODIES
from bot.store.tables import AttemptRow, CallRow, TaskRow


async def paid_calls(
    session: AsyncSession, project: str, since: date | None = None, until: date | None = None
) -> tuple[Spent, ...]:
    """The calls of a project that were paid for on these days of its own (both included), oldest first. Refused ones
    owe nothing, and what is under way is not known yet: neither is among them."""
    most_output = CallRow.request["max_output"].as_integer()
    query = (
        select(CallRow, most_output, AttemptRow.rung, AttemptRow.outcome, TaskRow.route["type"].as_string())
        .join(TaskRow, TaskRow.pk == CallRow.task_pk)
        .outerjoin(AttemptRow, and_(AttemptRow.task_pk == CallRow.task_pk, AttemptRow.number == CallRow.attempt))
        .where(TaskRow.project == project, CallRow.state.in_(("settled", "unknown", "corrected")))
        .order_by(CallRow.created_at, CallRow.id)
        .options(*(defer(body) for body in BODIES))
    )
    query = query.where(CallRow.day >= since) if since else query
    query = query.where(CallRow.day <= until) if until else query
    return tuple(_spent(*found) for found in (await session.execute(query)).all())


def _spent(call: CallRow, most_output: int | None, worker: str | None, outcome: str | None, kind: str) -> Spent:
    unknown = call.state != "settled"
    charged = call.used_tokens if call.state == "corrected" else call.reserved_tokens
    output = min(most_output or 0, call.reserved_tokens) * charged // max(1, call.reserved_tokens)
    reserved = Usage(input=charged - output, output=output)
    used = Usage(
        input=call.input_tokens,
        output=call.output_tokens,
        thinking=call.thinking_tokens,
        cache_write=call.cache_write_tokens,
        cache_read=call.cache_read_tokens,
    )
    return Spent(
        rung=Rung(call.rung),
        model=call.model,
        purpose=call.purpose,
        day=call.day,
        usage=reserved if unknown else used,
        cost_microusd=call.cost_microusd,
        unknown=unknown,
        rehearsed=(call.answered_by or "").endswith(REHEARSAL),
        batch=call.batch,
        accepted=outcome == "passed",
        worker=Rung(worker or call.rung),
        haiku_first=ROWS[TaskType(kind)].haiku != "yes",
    )
