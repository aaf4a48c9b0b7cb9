"""The step that builds a stage's request and has the provider count it. Counting is free, but a provider that cannot
count fails all the same: it is asked again after a wait, and each failure stands in the ledger, owing nothing, so that
a provider which keeps failing is seen to (domain.providers)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import ModelRequest, Purpose
from bot.domain.providers import backoff_seconds
from bot.domain.task import Rung
from bot.errors import ModelError
from bot.ports import ModelClient, Reviewer
from bot.store import ledger
from bot.store.tables import CallRow
from bot.workflows.office import Office, Visit, current
from bot.workflows.provider_rests import hindrance
from bot.workflows.reserving import Failed
from bot.workflows.stopping import while_wanted

T = TypeVar("T")


async def counted(office: Office, visit: Visit, client: ModelClient | Reviewer, request: ModelRequest) -> int:
    """Input tokens of the request, as the provider counts them. Raises ModelError and Stopped."""
    return await while_wanted(office, visit, client.count(request))


async def prepared(
    office: Office, visit: Visit, purpose: Purpose, prepare: Callable[[Office, Visit], Awaitable[T]]
) -> T | Failed:
    """What the step `prepare` gives, or how the provider failed at it. Raises ModelError where waiting is no use."""
    tries, why = office.patience.tries, ""
    for try_no in range(1, tries + 1):
        try:
            return await office.step(prepare, visit)
        except ModelError as error:
            if not error.retryable:
                raise
            why, retry_after = str(error), error.retry_after_seconds
        rests = await office.tx(note_uncounted, visit, purpose, why)
        if rests:
            return Failed(rests, unknown=False, outcome="rest")
        if try_no < tries:
            await DBOS.sleep_async(backoff_seconds(try_no, retry_after, f"{visit.id}/{try_no}", office.patience))
    return Failed(why, unknown=False, outcome="busy")


async def note_uncounted(office: Office, session: AsyncSession, visit: Visit, purpose: Purpose, why: str) -> str | None:
    """Write down that a request could not be counted; returns why no other may go out, if so. Raises Superseded."""
    row = await current(session, visit)
    project = office.projects[row.project]
    rung = {"review": Rung.GEMINI, "split": Rung.SONNET}.get(purpose, Rung(row.route["rung"]))
    number = len(await ledger.calls_of(session, row.pk, row.attempt)) + 1
    now = office.now()
    call = CallRow(
        id=f"{visit.project}/{visit.task_id}/{row.attempt}/{number}", task_pk=row.pk, attempt=row.attempt,
        number=number, purpose=purpose, rung=rung.value, model=project.models[rung], day=project.day(now),
        state="refused", scopes=[], reserved_tokens=0, reserved_microusd=0, request={}, error=f"not sent: {why}",
        retryable=True, created_at=now, settled_at=now,
    )  # fmt: skip
    session.add(call)
    await session.flush()
    return await hindrance(office, session, project, rung)
