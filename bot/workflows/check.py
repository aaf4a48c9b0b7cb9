"""The `checking` stage: free checks in the sandbox, before anybody pays for a review (R-PAR-4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.change import CheckRun
from bot.domain.task import TaskState
from bot.store import tasks, verdicts
from bot.store.tables import TaskRow
from bot.workflows.attempts import attempt_failed
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.stopping import while_wanted

#: What a set-up worktree's name ends in.
SETUP_TREE = "-base"


async def check(office: Office, visit: Visit) -> None:
    """The stage. Ends in `in_review`, in a repair or another attempt, or with a person."""
    runs = await office.step(check_head, visit)
    await office.tx(finish_check, visit, runs)


async def check_head(office: Office, visit: Visit) -> tuple[CheckRun, ...]:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
    if row.entry != visit.entry or row.head_commit is None or row.base_commit is None:
        raise Superseded(visit.id)
    return await run_checks(office, row, row.head_commit)


async def run_checks(office: Office, row: TaskRow, commit: str) -> tuple[CheckRun, ...]:
    """Run the project's and the task's checks on a commit, in the task's own worktree. Raises Stopped."""
    project = office.projects[row.project]
    commands = (*project.checks, *row.checks)
    if not commands:
        return ()
    repository = office.repositories[row.project]
    setup_source = (
        await repository.worktree(setup_tree(row.task_id), row.base_commit or commit) if project.setup else None
    )
    worktree = await repository.worktree(row.task_id, commit)
    run = office.checks.run(worktree, commands, setup=project.setup, setup_source=setup_source or worktree)
    return await while_wanted(office, Visit.of(row), run)


def setup_tree(task_id: str) -> str:
    """The name of the worktree that holds a task's base commit, for the set-up commands."""
    return f"{task_id}{SETUP_TREE}"


def failing(runs: Sequence[CheckRun]) -> CheckRun | None:
    """The first check that ran and did not pass."""
    return next((run for run in runs if run.status in ("failed", "timed_out")), None)


def failure_words(run: CheckRun) -> tuple[str, str]:
    """(why in one line, what the next call is told) for a failed check."""
    ended = "took too long" if run.status == "timed_out" else f"ended with {run.exit_code}"
    last = next((line.strip() for line in reversed(run.tail.splitlines()) if line.strip()), "")
    return f"`{run.command}` {ended}" + (f": {last[:160]}" if last else ""), f"$ {run.command}  ({ended})\n{run.tail}"


async def finish_check(office: Office, session: AsyncSession, visit: Visit, runs: tuple[CheckRun, ...]) -> None:
    """Record the runs and go on. Raises Superseded."""
    row = await current(session, visit)
    now = office.now()
    await verdicts.record_checks(session, row, row.head_commit or "", runs, now)
    failed = failing(runs)
    if failed:
        why, lesson = failure_words(failed)
        await attempt_failed(office, session, row, outcome="checks", why=why, lesson=lesson)
        return
    not_run = [run for run in runs if run.status == "not_run"]
    words = "checks passed" if runs and not not_run else "checks were not run"
    why = f"{words}: {not_run[0].tail[:200]}" if not_run else words if runs else "no checks are configured"
    await tasks.step(session, row, TaskState.IN_REVIEW, at=now, who=ORCH, why=why)
