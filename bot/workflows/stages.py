"""The one durable workflow, `stage`: it runs what a task's state asks for, under a deterministic id.

Short stages, not one long workflow (DESIGN). The task's row is the truth: a stage ends by writing the next state, and
the foreman starts what that state asks for. A start that was made before is a no-op; one that was lost is made up for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

from dbos import DBOS, SetWorkflowID
from dbos._error import DBOSException  # not exported
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.task import Route, TaskState
from bot.errors import OrchError
from bot.store import ledger
from bot.store.tables import TaskRow
from bot.workflows.attempts import block
from bot.workflows.budget_alerts import close_left
from bot.workflows.check import check
from bot.workflows.edit import edit
from bot.workflows.failover import resume_work_of
from bot.workflows.kept import apply_kept, carry, kept, resume
from bot.workflows.merge import merge
from bot.workflows.office import Office, Superseded, Visit, current
from bot.workflows.report import report, tell_kept
from bot.workflows.returned import gone_words
from bot.workflows.review import review
from bot.workflows.split import split
from bot.workflows.triage import needs_triage, triage

log = logging.getLogger("orch.stages")

#: Failures of what Orch works with, rather than of Orch: the same work may go well later.
OUTSIDE = (OrchError, OSError, DBAPIError)
#: DBOS's words for a workflow that runs, or will.
GOING_ON = frozenset({"PENDING", "ENQUEUED", "DELAYED"})

Stage = Callable[[Office, Visit], Awaitable[None]]

STAGES: dict[str, Stage] = {
    TaskState.RUNNING: edit,
    TaskState.CHECKING: check,
    TaskState.IN_REVIEW: review,
    TaskState.MERGING: merge,
    TaskState.SPLITTING: split,
}
#: What else the running stage may be for.
WORK: dict[str, Stage] = {"report": report, "answer": apply_kept, "commit": carry, "told": tell_kept}


class Stages:
    """Starts visits and looks after them. One per process that runs stages."""

    def __init__(self, office: Office, run_stage: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self._office = office
        self._run_stage = run_stage
        self._begun: set[str] = set()  # visits that DBOS goes on with since the start; to start them draws a warning

    async def start(self, visit: Visit) -> None:
        """Start a visit; a no-op for one that was started before."""
        if visit.id in self._begun:
            return
        with SetWorkflowID(visit.id):
            await DBOS.start_workflow_async(
                self._run_stage, visit.pk, visit.project, visit.task_id, visit.attempt, visit.stage, visit.entry
            )

    async def adopt(self) -> None:
        """Go on with what an earlier process under another executor id began, where that one is dead for certain: on
        SQLite, which is for one process. (DBOS goes on with this executor's own, `failover` with the others'.)"""
        going_on = await DBOS.list_workflows_async(status=["PENDING", "ENQUEUED"], name="stage", load_input=False)
        self._begun.update(each.workflow_id for each in going_on)
        if self._office.db.sole:
            begun_by = {each.executor_id for each in going_on if each.status == "PENDING" and each.executor_id}
            for name in begun_by - {DBOS.executor_id}:
                await resume_work_of(name)

    async def has_ended(self, visit: Visit) -> bool:
        """Whether the visit's workflow will not run any more: it ended, or only an older Orch could go on with it."""
        return await self.is_over(visit.id)

    async def is_over(self, workflow_id: str) -> bool:
        """The same, by the workflow's id."""
        status = await DBOS.get_workflow_status_async(workflow_id)
        if status is None:
            return False
        outdated = self._office.db.sole and status.app_version not in (None, DBOS.application_version)
        return outdated or status.status not in GOING_ON

    async def give_to_person(self, visit: Visit, why: str) -> None:
        """Block the task, if it is still in this visit's stage."""
        try:
            async with self._office.db.begin() as session:
                await block_visit(self._office, session, visit, why)
        except Superseded:
            return
        log.error("%s: %s", visit.id, why)
        self._office.nudge()


def register_stages(office: Office) -> Stages:
    """Register the workflow with DBOS (before its launch)."""

    @DBOS.workflow(name="stage")
    async def run_stage(pk: int, project: str, task_id: str, attempt: int, stage: str, entry: int) -> None:
        visit = Visit(pk, project, task_id, attempt, stage, entry)
        try:
            await _work(office, visit)
        except Superseded:
            log.info("%s: left, since the task moved on", visit.id)
        except DBOSException:
            raise
        except Exception as error:
            gone = visit.project not in office.projects
            defect = not gone and not isinstance(error, OUTSIDE)
            why = f"a defect in Orch: {type(error).__name__}: {error}" if defect else outside_words(error)
            why = gone_words(stage) if gone else why
            log.log(logging.ERROR if defect else logging.WARNING, "%s: %s", visit.id, why, exc_info=defect)
            await _give_to_person(office, visit, office.redact(why), defect=defect)
        finally:
            office.nudge()

    return Stages(office, run_stage)


async def _work(office: Office, visit: Visit) -> None:
    work = await office.step(kind_of_work, visit) if visit.stage == TaskState.RUNNING else ""
    if work == "unclear":
        if not await triage(office, visit):
            return
        work = await office.step(kind_of_work, visit)
    await WORK.get(work, STAGES[visit.stage])(office, visit)


async def kind_of_work(
    office: Office, visit: Visit
) -> Literal["unclear", "report", "answer", "commit", "told", "change"]:
    """What the running stage is for: an answer (gemini's rung, R-RT-3), or a change; `unclear`: the coordinator is to
    be asked first (R-BUD-6); `answer`, `commit` and `told`: it goes on with what was paid for."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        if found := await kept(session, row):
            return found
        if await needs_triage(session, row):
            return "unclear"
    return "report" if Route.model_validate(row.route).is_report else "change"


def outside_words(error: Exception) -> str:
    """What failed outside of Orch, for a person."""
    match error:
        case OSError(strerror=str(said)):
            return f"the machine that Orch runs on failed: {said}. See to it, then retry; nothing is paid for again."
        case DBAPIError(orig=said):
            first = str(said).strip().partition("\n")[0]
            return f"Orch's database failed: {first}. See to it, then retry; nothing is paid for again."
    return str(error)


async def _give_to_person(office: Office, visit: Visit, why: str, *, defect: bool) -> None:
    try:
        await office.tx(block_visit, visit, why, defect=defect)
    except Superseded:
        log.info("%s: left, since the task moved on", visit.id)


async def block_visit(office: Office, session: AsyncSession, visit: Visit, why: str, *, defect: bool = False) -> None:
    """Hand the task to a person, who goes on where it stopped by Retry. What fails by a defect would fail again, so
    that there an attempt begins anew. Raises Superseded."""
    row = await current(session, visit)
    calls = await ledger.calls_of(session, row.pk, row.attempt)
    await close_left(office, session, calls, why)
    anew = defect and row.state == TaskState.RUNNING
    detail = {} if anew else await resume(session, row)
    await block(office, session, row, why, detail={**detail, "defect": visit.entry} if defect else detail)
