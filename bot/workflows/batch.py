"""A call that waits in the provider's batch: handed over once, looked after across restarts, settled once (R-BUD-5).

The batch's id stands in the call's row, so after a crash the same batch is asked for, and none is sent twice. Only a
crash between the provider's taking it and the row leaves its outcome unknown. Where the task is stopped, or wanted now,
the batch is cancelled; what the provider answered by then is paid for and used.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.batching import LONGEST_SECONDS, latest, longest, waits_until
from bot.domain.calls import ModelReply, ModelRequest, NoResult, ReviewReply
from bot.domain.project import Project
from bot.domain.task import Rung, TaskState
from bot.errors import ModelError, ModelOutcomeUnknown
from bot.ports import Batches
from bot.store import tasks
from bot.store.database import outlasted
from bot.store.tables import CallRow, TaskRow
from bot.workflows.office import ORCH, Office, Visit, readable

log = logging.getLogger("orch.batch")

#: How soon a click shows; seconds.
LOOK_SECONDS = 0.5
IN_BATCH = "in a batch, at half the price: the answer comes within a day"


class _Wish(NamedTuple):
    """What the task's row says of the wait."""

    wanted: bool  # the task still waits for the answer
    patient: bool  # and nobody is in a hurry


async def batched(
    office: Office, visit: Visit, call: CallRow, request: ModelRequest
) -> ModelReply | ReviewReply | NoResult:
    """Hand the call over, unless that was done, and wait for its outcome. Raises ModelRefusedCall, or
    ModelOutcomeUnknown where the provider does not say what became of it."""
    batches = office.batches[Rung(call.rung)]
    batch_id = call.batch_id
    if batch_id is None:
        batch_id = await batches.submit(request, call.purpose)
        await _taken(office, visit, call.id, batch_id)
    until = call.created_at + timedelta(seconds=LONGEST_SECONDS)
    patient_until = call.created_at + longest(office.projects[visit.project], call.purpose)
    cancelled = False
    while office.now() < until:
        outcome = await _outcome(batches, batch_id, call)
        if outcome is not None:
            return outcome
        cancelled = await _wait(office, visit, batches, batch_id, patient_until, cancelled=cancelled)
    raise ModelOutcomeUnknown("The provider never said what became of a batch. It is counted in full.", retryable=True)


async def pull_out(office: Office, session: AsyncSession, row: TaskRow, *, who: str, why: str) -> None:
    """Have the task's batch cancelled and its call made at the usual price, unless the answer is there by then. Nothing
    where that was done already. The caller holds the row."""
    if not is_in_batch(row):
        return
    row.priority, row.waits_for = ("normal" if row.priority == "low" else row.priority), None
    await tasks.note(session, row, at=office.now(), who=who, kind="run_now", why=why)


async def due_in(office: Office, session: AsyncSession, project: Project) -> dict[str, datetime]:
    """domain.batching.latest of a project's tasks."""
    if not project.batch_by_deadline:
        return {}
    rows = await tasks.in_project(session, project.key)
    return latest(project, [task for row in rows if (task := readable(office, row))])


async def pull_out_what_is_due(office: Office, session: AsyncSession, key: str) -> None:
    """Those in batches whose answers can be waited for no longer, by their deadlines."""
    project = office.projects[key]
    due = await due_in(office, session, project)
    for row in await tasks.in_project(session, key):
        if not is_in_batch(row):
            continue
        until = waits_until(project, tasks.as_task(row), due)
        if until is None or until <= office.now():
            locked = await tasks.lock(session, row.pk)
            await pull_out(office, session, locked, who=ORCH, why="its deadline leaves no more time to wait")


def is_in_batch(row: TaskRow) -> bool:
    """Whether the task waits for a batch, and nobody is in a hurry."""
    return row.waits_for == IN_BATCH and row.state in (TaskState.RUNNING, TaskState.IN_REVIEW)


@outlasted
async def _taken(office: Office, visit: Visit, call_id: str, batch_id: str) -> None:
    async with office.db.begin(durable=True) as session:
        row = await tasks.lock(session, visit.pk)
        (await session.get_one(CallRow, call_id)).batch_id = batch_id
        if _wish(row, visit).wanted:
            row.waits_for = IN_BATCH
            await tasks.note(session, row, at=office.now(), who=ORCH, kind="batched", why=IN_BATCH,
                             detail={"call": call_id, "batch": batch_id})  # fmt: skip
    office.nudge()


async def _outcome(batches: Batches, batch_id: str, call: CallRow) -> ModelReply | ReviewReply | NoResult | None:
    """None where it is not known yet: a failure to ask says nothing about the batch."""
    try:
        return await batches.collect(batch_id, call.id, call.purpose)
    except ModelError as error:
        log.warning("%s: could not be asked for: %s", batch_id, error)
        return None


async def _wait(
    office: Office, visit: Visit, batches: Batches, batch_id: str, patient_until: datetime, *, cancelled: bool
) -> bool:
    """Wait until the provider is to be asked again, or a person wants no batch; whether it is cancelled by now."""
    rounds = max(1, round(office.patience.batch_poll_seconds / LOOK_SECONDS))
    for _round in range(1 if cancelled else rounds):
        await asyncio.sleep(min(LOOK_SECONDS, office.patience.batch_poll_seconds))
        if cancelled:
            continue
        async with office.db.read() as session:
            wish = _wish(await session.get_one(TaskRow, visit.pk), visit)
        if not (wish.wanted and wish.patient and office.now() < patient_until):
            try:
                await batches.cancel(batch_id)
            except ModelError as error:
                log.warning("%s: could not be cancelled: %s", batch_id, error)
                return False
            return True
    return cancelled


def _wish(row: TaskRow, visit: Visit) -> _Wish:
    wanted = row.entry == visit.entry and row.state == visit.stage
    return _Wish(wanted, row.waits_for == IN_BATCH)
