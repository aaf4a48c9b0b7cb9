"""The `merging` stage: build, check and land the exact commit (DESIGN, "Merge"; R-APR-1, R-SEC-4)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import MergeFacts, counting_approvals, merge_hindrance, survives_rebuild
from bot.domain.change import CheckRun
from bot.domain.commit_message import merge_message
from bot.domain.coverage import reported
from bot.domain.task import TaskState
from bot.errors import BaseMoved, ChatError, MergeConflict, RepositoryError, TreeDirty
from bot.store import attempts, ledger, tasks, verdicts
from bot.store.tables import TaskRow
from bot.workflows.attempts import block, take_next_step, tell_thread, wait_outdated
from bot.workflows.check import failing, failure_words, run_checks, setup_tree
from bot.workflows.office import ORCH, Office, Superseded, Visit, current

#: A branch that moves between building and landing is met by building again; so often, then a person looks.
REBUILDS = 5


@dataclass(frozen=True)
class Built:
    """The merge candidate and its checks; or why there is none."""

    commit: str
    onto: str
    runs: tuple[CheckRun, ...]
    trouble: Literal["", "conflict", "same_files"] = ""
    why: str = ""


@dataclass(frozen=True)
class Landed:
    """How moving the branch ended."""

    how: Literal["landed", "moved", "dirty"]
    why: str = ""


async def merge(office: Office, visit: Visit) -> None:
    """The stage. Ends in `merged`, back with the approvers, in another attempt, or with a person.

    One merge of a project at a time in a process: side by side they would move the branch under each other, and each
    would be built and checked again, up to REBUILDS times. Other processes are met by compare-and-swap."""
    async with office.merges[visit.project]:
        await _merge(office, visit)


async def _merge(office: Office, visit: Visit) -> None:
    barred = await office.step(barred_by_now, visit)
    for _rebuild in range(REBUILDS):
        words = await office.tx(may_still_merge, visit, barred)
        if words is None:
            return
        built = await office.step(build, visit, *words)
        if built.trouble or failing(built.runs):
            await office.tx(finish_unbuilt, visit, built)
            return
        landed = await office.step(land, visit, built.commit, built.onto)
        if landed.how != "moved":
            await office.tx(finish_merge, visit, built, landed)
            if landed.how == "landed":
                await office.step(tidy, visit)
            return
    await office.tx(give_up, visit)


async def barred_by_now(office: Office, visit: Visit) -> tuple[str, ...]:
    """Who approved, and may do nothing any more: a guest by now, deactivated, of another workspace."""
    async with office.db.read() as session:
        people = await verdicts.approvals(session, visit.pk)
    return await barred_among(office, people)


async def barred_among(office: Office, people: Iterable[str]) -> tuple[str, ...]:
    """Those of them who may do nothing. Where Slack cannot say, they stand as they did when they approved."""
    barred = []
    for person in people:
        with contextlib.suppress(ChatError):
            if (await office.chat.person(person)).barred:
                barred.append(person)
    return tuple(barred)


async def may_still_merge(
    office: Office, session: AsyncSession, visit: Visit, barred: tuple[str, ...]
) -> tuple[str, datetime] | None:
    """Ask the gate once more; the commit's message and time, or None when the task went back to its approvers."""
    row = await current(session, visit)
    facts = await merge_facts(office, session, row, barred)
    hindrance = merge_hindrance(facts)
    if hindrance:
        await tasks.step(session, row, TaskState.AWAITING_APPROVAL, at=office.now(), who=ORCH, why=hindrance)
        return None
    review = await verdicts.newest_review(session, row.pk)
    calls = await ledger.calls_of(session, row.pk)
    written_by = next((c.answered_by for c in reversed(calls) if c.purpose in ("edit", "repair") and c.answered_by), "")
    message = merge_message(
        facts.task,
        written_by,
        requested_by=row.requester,
        approved_by=counting_approvals(facts),
        reviewed_by=review.model if review else None,
    )
    return message, office.now()


async def merge_facts(office: Office, session: AsyncSession, row: TaskRow, barred: tuple[str, ...] = ()) -> MergeFacts:
    """All that the merge gate looks at, read in this transaction."""
    review = await verdicts.newest_review(session, row.pk)
    approved = bool(review and review.verdict and review.verdict["verdict"] == "approve" and review.rung == "gemini")
    runs = await verdicts.checks_of(session, row.pk, row.head_commit)
    return MergeFacts(
        task=tasks.as_task(row),
        team=office.projects[row.project].team,
        approvals=await verdicts.approvals(session, row.pk),
        reviewed_head=review.head_commit if review and approved else None,
        checks_green=all(run.status == "passed" for run in runs),
        checks_not_run=any(run.status == "not_run" for run in runs),
        barred=barred,
    )


async def build(office: Office, visit: Visit, message: str, when: datetime) -> Built:
    """Build the candidate on today's branch without a checkout, and run the checks on it (R-PAR-4)."""
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
    base, head = row.base_commit, row.head_commit
    if base is None or head is None:
        raise Superseded(visit.id)
    project = office.projects[row.project]
    repository = office.repositories[row.project]
    onto = await repository.refresh()
    if onto != base:
        ours = [f.path for f in (await repository.change(base, head)).files]
        theirs = [f.path for f in (await repository.change(base, onto)).files]
        if not survives_rebuild(ours, theirs):
            return Built("", onto, (), "same_files", f"{project.branch} changed the same files meanwhile")
    squash = project.merge == "squash"
    try:
        commit = await repository.build_candidate(base, head, onto, message, squash=squash, when=when)
    except MergeConflict as error:
        return Built("", onto, (), "conflict", str(error))
    return Built(commit, onto, await run_checks(office, row, commit))


async def land(office: Office, visit: Visit, commit: str, onto: str) -> Landed:
    """Move the branch by compare-and-swap. Run again after a crash, it finds the branch moved and is content."""
    repository = office.repositories[visit.project]
    try:
        await repository.advance(commit, onto)
    except BaseMoved as error:
        return Landed("landed") if await repository.contains(commit) else Landed("moved", str(error))
    except TreeDirty as error:
        return Landed("dirty", str(error))
    except RepositoryError:  # say, the network broke after the push
        if await repository.contains(commit):
            return Landed("landed")
        raise
    return Landed("landed")


async def tidy(office: Office, visit: Visit) -> None:
    """The task's worktrees and branch are needed no more."""
    await office.repositories[visit.project].drop(visit.task_id, setup_tree(visit.task_id))


async def finish_merge(office: Office, session: AsyncSession, visit: Visit, built: Built, landed: Landed) -> None:
    row = await current(session, visit)
    now = office.now()
    branch = office.projects[row.project].branch
    if landed.how == "dirty":
        await tasks.step(session, row, TaskState.AWAITING_APPROVAL, at=now, who=ORCH, kind="not_merged", why=landed.why)
        await tell_thread(office, session, row, f"dirty-{row.entry}", "thread/not_merged", why=landed.why)
        return
    await verdicts.record_checks(session, row, built.commit, built.runs, now)
    row.merge_commit = built.commit
    await tasks.step(session, row, TaskState.MERGED, at=now, who=ORCH, why=f"merged as {built.commit[:10]} on {branch}",
                     detail={"commit": built.commit, "onto": built.onto, "coverage": reported(built.runs)})  # fmt: skip
    await tell_thread(office, session, row, "merged", "thread/merged", commit=built.commit, branch=branch)


async def finish_unbuilt(office: Office, session: AsyncSession, visit: Visit, built: Built) -> None:
    """Conflicts and failures go back to the task, on the moved base."""
    row = await current(session, visit)
    failed = failing(built.runs)
    why, lesson = failure_words(failed) if failed else (built.why, built.why)
    await attempts.reopen_as(session, row, "checks" if failed else "interrupted", why)
    await tell_thread(office, session, row, f"unmerged-{row.entry}", "thread/not_merged", why=why)
    if built.trouble == "same_files":
        await wait_outdated(office, session, row, why)
        return
    row.start_commit = None  # it is on the old base
    await take_next_step(office, session, row, lesson=lesson, who=ORCH)


async def give_up(office: Office, session: AsyncSession, visit: Visit) -> None:
    row = await current(session, visit)
    branch = office.projects[row.project].branch
    await block(office, session, row, f"{branch} moved {REBUILDS} times while the merge was being built",
                detail={"resume": TaskState.MERGING})  # fmt: skip
