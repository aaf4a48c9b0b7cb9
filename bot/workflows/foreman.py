"""The foreman: starts what may run, and makes sure that every task in a stage has its workflow.

It decides nothing (domain.order does) and remembers nothing that matters: after a crash its next round finds everything
again in the tasks' rows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.batching import latest
from bot.domain.order import Start, Wait, ready
from bot.domain.task import STAGED, Rung, TaskState
from bot.store import attempts, ledger, tasks
from bot.store.tables import TaskRow
from bot.workflows import batch, budget_alerts
from bot.workflows.attempts import block, needs_approval
from bot.workflows.budget_waits import review_waits, waits
from bot.workflows.manual import hand_over_work
from bot.workflows.office import ORCH, Office, Visit, readable
from bot.workflows.provider_rests import rests
from bot.workflows.stages import Stages

log = logging.getLogger("orch.foreman")

#: How long work that another process queued may stay unseen, in seconds.
ROUND_SECONDS = 1.0
#: How often it is looked whether a stage or a call was left behind, in seconds.
LOOK_SECONDS = 15.0
#: No call is open for longer (settings: a call's time-out is an hour at most).
LONGEST_CALL = timedelta(hours=2)


class Foreman:
    """One per process that runs stages."""

    def __init__(self, office: Office, stages: Stages) -> None:
        self._office = office
        self._stages = stages
        self._look_after = 0.0  # monotonic time of the next look
        self._started: set[str] = set()  # visits of tasks that are still in that stage; saves asking DBOS again

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            failed = True
            with self._office.troubles.at("foreman"):
                await self.round()
                failed = False
            if failed:
                await asyncio.sleep(ROUND_SECONDS)
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._office.work.wait()
            except TimeoutError:
                pass
            self._office.work.clear()

    async def round(self) -> None:
        """Start every stage that has no workflow yet, then what may run now. In this order, since most rounds are for
        a task that went from one stage to the next."""
        rows = await self._not_ended()
        visits = await self._start_stages(rows)
        if await self._dispatch(rows):
            visits = await self._start_stages(await self._not_ended())
        if time.monotonic() >= self._look_after:
            self._look_after = time.monotonic() + LOOK_SECONDS
            await self._look_after_lost(visits)

    async def _not_ended(self) -> Sequence[TaskRow]:
        """The tasks that there is something to do for; not of a project that is configured no more."""
        async with self._office.db.read() as session:
            return [row for row in await tasks.not_ended(session) if row.project in self._office.projects]

    async def _start_stages(self, rows: Sequence[TaskRow]) -> Sequence[Visit]:
        """The visits of all tasks in stages, each of them started."""
        visits = [Visit.of(row) for row in rows if row.state in STAGED]
        self._started &= {visit.id for visit in visits}
        for visit in visits:
            if visit.id in self._started:
                continue
            with self._office.troubles.at(f"foreman {visit.project} {visit.task_id}"):
                if await may_begin(self._office, visit):
                    await self._stages.start(visit)
                    self._started.add(visit.id)
        return visits

    async def _look_after_lost(self, visits: Sequence[Visit]) -> None:
        """No task stands in a stage that nobody works on, and no call keeps a reservation that nobody will settle."""
        for visit in visits:
            with self._office.troubles.at(f"foreman {visit.project} {visit.task_id}, left"):
                if await self._stages.has_ended(visit):
                    await self._stages.give_to_person(visit, "its stage ended without an outcome (the log says why)")
        async with self._office.db.read() as session:
            named = await ledger.visits_with_open_calls(session)
        over = [visit for visit in named if await self._stages.is_over(visit)]
        if over:  # a live call's workflow is not over, so none of these will be settled by anyone else
            async with self._office.db.begin() as session:
                left = await ledger.open_of(session, over)
                await budget_alerts.close_left(self._office, session, left, "its stage ended without settling it")
        async with self._office.db.begin() as session:
            left = await ledger.left_since(session, self._office.now() - LONGEST_CALL)
            await budget_alerts.close_left(
                self._office, session, left, "the model was asked, and its answer never came"
            )

    async def _dispatch(self, rows: Sequence[TaskRow]) -> bool:
        """Whether some task was queued, and so may stand in a stage now."""
        found = False
        for key in self._office.projects:
            with self._office.troubles.at(f"foreman {key}"):
                found |= await self._dispatch_project(key, [row for row in rows if row.project == key])
        return found

    async def _dispatch_project(self, key: str, rows: Sequence[TaskRow]) -> bool:
        queued = any(row.state == TaskState.QUEUED for row in rows)
        if queued:
            async with self._office.db.begin() as session:
                await dispatch(self._office, session, key)
            self._office.mail.set()
        if any(batch.is_in_batch(row) for row in rows):
            async with self._office.db.begin() as session:
                await batch.pull_out_what_is_due(self._office, session, key)
        return queued


async def dispatch(office: Office, session: AsyncSession, key: str) -> None:
    """Ask domain.order what the project's queued tasks do now, and do that."""
    project = office.projects[key]
    await tasks.lock_project(session, key)
    rows = {row.task_id: row for row in await tasks.in_project(session, key)}
    named = {name for row in rows.values() for name in row.after} - set(rows)
    found = {**rows, **{row.task_id: row for row in await tasks.by_ids(session, key, named)}}
    every = [task for row in found.values() if (task := readable(office, row))]
    short = await waits(office, session, project, [rows[task.id] for task in every if task.id in rows])
    why_not = {task_id: stuck.why for task_id, stuck in short.items()}
    lost = set(found) - {task.id for task in every}  # whoever waits for one of them goes on waiting
    why_not |= {
        task.id: f"waiting for {name}, which cannot be read" for task in every for name in task.after if name in lost
    }
    batched = await ledger.in_batches(session, key)
    resting, counted = await rests(office, session, project), latest(project, every)
    for decision in ready(every, project.concurrency, resting, why_not, batched, counted):
        hurries = decision.hurries if isinstance(decision, Wait) else ()
        if isinstance(decision, Wait) and not hurries and rows[decision.task.id].waits_for == decision.why:
            continue  # said already: most decisions, where many tasks wait
        with office.troubles.at(f"foreman {key} {decision.task.id}, queued"):
            async with session.begin_nested():
                for name in hurries:
                    why = f"{decision.task.id} is more urgent and waits for it"
                    await batch.pull_out(office, session, await tasks.lock(session, rows[name].pk), who=ORCH, why=why)
                await _do(office, session, rows[decision.task.id], decision)


async def _do(office: Office, session: AsyncSession, found: TaskRow, decision: Start | Wait) -> None:
    if isinstance(decision, Wait) and found.waits_for == decision.why:
        return
    row = await tasks.lock(session, found.pk)
    if row.state != TaskState.QUEUED:
        return
    if isinstance(decision, Wait):
        row.waits_for = decision.why
        await tasks.note(session, row, at=office.now(), who=ORCH, kind="waiting", why=decision.why)
    else:
        await _begin(office, session, row)


async def _begin(office: Office, session: AsyncSession, row: TaskRow) -> None:
    rung = Rung(row.route["rung"])
    if rung is Rung.MANUAL:
        await hand_over_work(office, session, row, who=ORCH, kind="with_human", why="a person does this")
        return
    if await attempts.is_open(session, row):
        await tasks.step(session, row, TaskState.RUNNING, at=office.now(), who=ORCH, kind="goes_on",
                         why=f"attempt {row.attempt} goes on with what it has")  # fmt: skip
        return
    if needs_approval(row):
        await block(office, session, row, "opus needs a person's approval", detail={"propose": "opus"})
        return
    await attempts.start(session, row, office.now())
    await tasks.step(session, row, TaskState.RUNNING, at=office.now(), who=ORCH, kind="attempt",
                     why=f"attempt {row.attempt} at {rung}")  # fmt: skip


async def may_begin(office: Office, visit: Visit) -> bool:
    """Whether a stage may begin. A review waits while gemini rests, since nobody stands in for it (R-SEC-4), and while
    there is no budget for it."""
    if visit.stage != TaskState.IN_REVIEW:
        return True
    project = office.projects[visit.project]
    async with office.db.read() as session:
        rest = (await rests(office, session, project, but=visit.pk)).get(Rung.GEMINI)
        task = await session.get_one(TaskRow, visit.pk)
        waits_for = task.waits_for
        if batch.is_in_batch(task):
            return True  # it has begun, in this process or in one that is gone
        why = await review_waits(office, session, project, task)
    why = rest.why if rest and rest.probes <= 0 else why
    if why != waits_for:
        async with office.db.begin() as session:
            row = await tasks.lock(session, visit.pk)
            if row.entry != visit.entry or row.state != visit.stage:
                return False
            row.waits_for = why
            kind, said = ("waiting", why) if why else ("resumed", "gemini is asked again")
            await tasks.note(session, row, at=office.now(), who=ORCH, kind=kind, why=said)
        office.mail.set()
    return why is None
