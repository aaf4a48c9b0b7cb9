"""Failover: a survivor goes on with the workflows of a replica that died.

DBOS resumes by itself only what the same replica began. A replica is gone when its lock is free at two looks in a row:
one whose connection broke takes it again in between. The survivor holds the lock while it takes the work over, so that
no other survivor does so and the dead replica cannot start again meanwhile.
"""

from __future__ import annotations

import asyncio
import logging

from dbos import DBOS

from bot.store.replicas import Replica

log = logging.getLogger("orch.failover")

LOOK_SECONDS = 5.0


class Failover:
    """One per process that runs stages, where there may be several."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._missed: set[str] = set()  # whose lock was free at the last look

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("looking for replicas that are gone failed; the next look tries again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Take over the work of the replicas that were gone at the last look and are now."""
        begun = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        others = {each.executor_id for each in begun if each.executor_id} - {self._replica.name}
        missed = set[str]()
        for name in sorted(others):
            async with self._replica.instead_of(name) as gone:
                if gone and name in self._missed:
                    await resume_work_of(name)
                elif gone:
                    missed.add(name)
        self._missed = missed


async def resume_work_of(name: str) -> None:
    """Go on with every workflow that this replica had begun. Only for one that is gone for certain."""
    begun = await DBOS.list_workflows_async(status="PENDING", executor_id=name, load_input=False, load_output=False)
    for each in begun:
        log.warning("%s was begun by %s, which is gone; going on with it", each.workflow_id, name)
        await DBOS.resume_workflow_async(each.workflow_id)
