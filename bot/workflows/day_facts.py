"""The facts of the day's posts, read in the transaction that acts on them (domain.day)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import merge_hindrance, own_approval
from bot.domain.budget import Level
from bot.domain.day import DayFacts, Stuck, Waiting
from bot.domain.day_plan import Room
from bot.domain.escalation import Stop, next_step, proposed_in
from bot.domain.project import Project
from bot.domain.sprint import number_of
from bot.domain.task import GIVEN_UP, PAID, UNDER_REVIEW, TaskState
from bot.store import attempts, sprints, tasks, verdicts
from bot.store.tables import TaskRow
from bot.store.tasks import Stay
from bot.workflows.attempts import escalation_policy
from bot.workflows.budget_levels import levels_on
from bot.workflows.merge import merge_facts
from bot.workflows.office import ORCH, Office
from bot.workflows.provider_rests import rests

#: After these the rules have no next step: it was good, or somebody stopped it.
NO_FAILURE = ("passed", "interrupted")


class Gathered(NamedTuple):
    """The facts, and where today's counters stand (budget_levels.levels_on)."""

    facts: DayFacts
    levels: dict[str, Level]


async def gather(office: Office, session: AsyncSession, project: Project) -> Gathered:
    """The caller holds the project's lock."""
    now = office.now()
    today = project.day(now)
    rows = await tasks.in_project(session, project.key)
    watched = [row for row in rows if row.state in (TaskState.BLOCKED, *UNDER_REVIEW)]
    stays = await tasks.stays(session, TaskRow.pk.in_([row.pk for row in watched]))
    open_ids = {row.task_id for row in rows}
    named = {name for row in rows for name in row.after} - open_ids
    ended = await tasks.by_ids(session, project.key, named)
    sprint = await sprints.open_now(session, project.key)
    number = number_of(sprint)
    levels = await levels_on(session, project, number, today)
    tomorrow = await levels_on(session, project, number, project.working_days.from_(today + timedelta(days=1)))
    first = sprint.first_day if sprint else None
    facts = DayFacts(
        now=now,
        tasks=tuple(tasks.as_task(row) for row in rows),
        lost=tuple(row.task_id for row in ended if row.state in GIVEN_UP),
        stuck=tuple([await _stuck(office, session, row, stays[row.pk]) for row in rows if row.state == "blocked"]),
        reviews=tuple(
            [await _waiting(project, session, row, stays[row.pk]) for row in rows if row.state in UNDER_REVIEW]
        ),
        approved=tuple([tasks.as_task(row) for row in rows if await _may_merge(office, session, row)]),
        resting=frozenset(await rests(office, session, project)),
        room=_room(project, levels),
        tomorrow=_room(project, tomorrow),
        sprint=sprint.number if sprint else None,
        sprint_day=project.working_days.number(first, today) if first else 0,
        review_sla=project.review_sla,
    )
    return Gathered(facts, levels)


async def _stuck(office: Office, session: AsyncSession, row: TaskRow, stay: Stay) -> Stuck:
    blocked = await tasks.newest_of(session, row.pk, ("blocked",))
    by = blocked.who if blocked else ORCH
    history = await attempts.ended(session, row.pk)
    failed = bool(history) and history[-1].outcome not in NO_FAILURE
    step = next_step(history, escalation_policy(office, row, history)) if failed else None
    detail = stay.stands.detail
    day_gone = failed and history[-1].outcome == "day" and isinstance(step, Stop)
    return Stuck(
        task=tasks.as_task(row),
        why=row.waits_for or stay.stands.why,
        since=stay.entered.at,
        blocked_by="" if by == ORCH else by,
        wants_tokens=bool(detail.get("budget")) or day_gone,
        wants_review=detail.get("resume") == TaskState.IN_REVIEW and row.head_commit is not None,
        reviews_tried=await verdicts.reviews_without_verdict(session, row.pk, row.head_commit),
        proposed=proposed_in(detail),
        was_proposed_split=bool(detail.get("proposal")),
        next=step,
    )


async def _waiting(project: Project, session: AsyncSession, row: TaskRow, stay: Stay) -> Waiting:
    """R-APR: whose approval could still count."""
    task, team = tasks.as_task(row), project.team
    given = await verdicts.approvals(session, row.pk)
    may = team.who_approves if not row.route["security"] else (*team.who_approves_security, *team.who_approves)
    able = [each for each in dict.fromkeys(may) if each not in given and own_approval(each, team, task) is None]
    return Waiting(task=task, since=stay.entered.at, why=row.waits_for or "", people=tuple(able))


async def _may_merge(office: Office, session: AsyncSession, row: TaskRow) -> bool:
    if row.state != TaskState.AWAITING_APPROVAL:
        return False
    return merge_hindrance(await merge_facts(office, session, row)) is None


def _room(project: Project, levels: Mapping[str, Level]) -> Room:
    """What new attempts may take: up to the red mark of a day (R-BUD-3), and all of the sprint."""
    left = {
        name: max(0, int(level.limit.tokens * (1 if name == "sprint" else project.limits.red)) - level.taken)
        for name, level in levels.items()
    }
    return Room(rungs={rung: left[rung] for rung in PAID}, day=left["day"], sprint=left["sprint"])
