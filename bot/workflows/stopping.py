"""Ends calls and checks that nobody waits for any more: a person stopped the task, took it over or moved it.

`while_wanted` starts such work and remembers it beside its visit. `end_what_is_unwanted` compares the visits with the
tasks' rows: after each commit of this process, and twice a second, since the click may have come to another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot.store import tasks
from bot.workflows.office import Office, Superseded, Visit

log = logging.getLogger("orch.stopping")

T = TypeVar("T")

#: How long a stop that was made in another process may stay unseen, in seconds; and the least between two looks.
LOOK_SECONDS, PAUSE_SECONDS = 0.5, 0.02


class Stopped(Superseded):
    """The task left its stage while this was under way, so it was ended."""


async def while_wanted(office: Office, visit: Visit, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, for as long as the task stays in this stage. Raises Stopped, once it has been cancelled."""
    job = asyncio.create_task(work)
    office.under_way[job] = visit
    office.stops.set()
    try:
        return await job
    except asyncio.CancelledError:
        own = asyncio.current_task()
        if job in office.under_way or (own and own.cancelling()):  # it is the process that ends
            raise
        raise Stopped(visit.id) from None
    finally:
        office.under_way.pop(job, None)


async def end_what_is_unwanted(office: Office) -> None:
    """Look until cancelled; without anything under way, wait."""
    while True:
        try:
            async with asyncio.timeout(LOOK_SECONDS if office.under_way else None):
                await office.stops.wait()
        except TimeoutError:
            pass
        office.stops.clear()
        pause = LOOK_SECONDS
        with office.troubles.at("stopping"):
            await look(office)
            pause = PAUSE_SECONDS
        await asyncio.sleep(pause)


async def look(office: Office) -> None:
    """Cancel what is under way for a task that has left the stage."""
    jobs = dict(office.under_way)
    if not jobs:
        return
    async with office.db.read() as session:
        stages = await tasks.stages_of(session, {visit.pk for visit in jobs.values()})
    for job, visit in jobs.items():
        if job in office.under_way and stages.get(visit.pk) != (visit.stage, visit.entry):
            del office.under_way[job]
            log.info("%s: what was under way is ended, since the task moved on", visit.id)
            job.cancel()
