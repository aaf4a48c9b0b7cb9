"""What keeps tasks from going on, from facts and `now` alone (R-SEC-5, R-ESC-7). No I/O, no memory.

Work that progresses, and work that has ended, is never called stuck. A blocker's key stays the same for as long as its
cause does, so that whoever remembers keys knows a new blocker from an old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from bot.domain.approvals import who_is_asked
from bot.domain.project import Project
from bot.domain.providers import Provider
from bot.domain.spans import exact
from bot.domain.task import ENDED, GIVEN_UP, Frozen, Rung, Task, TaskState


class Kind(StrEnum):
    """Why a task does not go on."""

    ATTEMPTS = "attempts"  # exhausted, with no automatic step left
    CHECKS = "checks"  # failing, with no automatic step left (R-ESC-7)
    VERDICT = "verdict"  # the review gave none
    BUDGET = "budget"
    PROVIDER = "provider"  # refuses its calls, or has rested for long
    PERSON = "person"  # somebody said so
    CI = "ci"  # CI says that it failed
    SPLIT = "split"  # a proposal waits for a decision
    STOPPED = "stopped"  # anything else that stopped it
    REVIEW = "review"  # takes longer than policy.review_sla_minutes
    APPROVAL = "approval"  # waits for people
    DEADLINE = "deadline"  # at risk, or passed
    OVERDUE = "overdue"  # as the same, of work that is with a person
    DEPENDENCY = "dependency"  # what it waits for is blocked, or will never be finished


class Standing(Frozen):
    """One open task, as the store knows it."""

    task: Task
    entered: int = 0  # id of the event with which it came into its state
    entered_at: datetime
    why: str = ""  # it stands still, or waits
    rule: str = ""
    by: str = ""  # the person who blocked it
    kind: str = ""  # of the event that says why
    propose: Rung | None = None
    split: bool = False
    budget: bool = False
    resume: str = ""  # the state that it goes on with, where its commit is kept
    last_outcome: str = ""  # of its last attempt (domain.escalation.Outcome)
    tried: tuple[str, ...] = ()  # a line for each attempt
    approved_by: tuple[str, ...] = ()  # this head commit
    told: tuple[str, ...] = ()  # who knows already, the channel's id among them


class Blocker(Frozen):
    """One task that waits for a person."""

    key: str
    task: Task
    kind: Kind
    since: datetime  # the clock runs from here
    critical: bool = False
    first: tuple[str, ...] = ()  # who is told at once
    by: str = ""  # who knows, since they said so themselves
    reason: str
    tried: tuple[str, ...] = ()
    propose: Rung | None = None  # the recommended escalation
    split: bool = False
    follows: str = ""  # the task whose blocker's clock runs for this one too
    told: tuple[str, ...] = ()


#: How long work takes until it is merged, people's share included: a deadline nearer than this is at risk.
EXPECTED_WORK: Mapping[Rung, timedelta] = {
    Rung.HAIKU: timedelta(minutes=30),
    Rung.SONNET: timedelta(minutes=45),
    Rung.GEMINI: timedelta(minutes=10),
    Rung.OPUS: timedelta(minutes=60),
    Rung.MANUAL: timedelta(hours=4),
}
#: The same for what is left in the later states.
LEFT: Mapping[TaskState, timedelta] = {
    TaskState.IN_REVIEW: timedelta(minutes=20),
    TaskState.AWAITING_APPROVAL: timedelta(minutes=15),
    TaskState.MERGING: timedelta(minutes=2),
}
#: The share of policy.blocker_sla_minutes for which a resting provider is waited for in silence.
REST_SHARE = 0.25
_OF_OUTCOME = {"checks": Kind.CHECKS, "day": Kind.BUDGET, "provider": Kind.PROVIDER, "busy": Kind.PROVIDER}


def blockers(
    standings: Sequence[Standing],
    ended: Mapping[str, TaskState],
    resting: Mapping[Rung, datetime],
    project: Project,
    now: datetime,
) -> tuple[Blocker, ...]:
    """Every blocker of one project's open tasks. `ended`: the states of the ended tasks that they wait for; `resting`:
    the rungs whose provider keeps failing, and since when."""
    by_id = {standing.task.id: standing for standing in standings}
    found: list[Blocker] = []
    for each in standings:
        mine = (
            _standing_still(each, project)
            or _in_review(each, project, resting, now)
            or _awaiting_approval(each, project)
            or _dependency(each, by_id, ended)
            or _resting(each, project, resting, now)
        )
        due = _deadline(each, by_id, now, stands=mine is not None)
        found += [blocker for blocker in (mine, due) if blocker]
    return tuple(found)


def _standing_still(each: Standing, project: Project) -> Blocker | None:
    if each.task.state is not TaskState.BLOCKED:
        return None
    opus = each.propose is Rung.OPUS  # whoever may say yes to it is told as well (R-ESC-6, R-ESC-8)
    first = (each.task.owner, *((project.team.leads or project.team.approvers) if opus else ()))
    return _blocker(each, _kind(each), "blocked", each.entered_at, each.why, first=first, by=each.by, told=each.told)


def _kind(each: Standing) -> Kind:
    if each.by and each.kind != "split_proposed":
        return Kind.PERSON
    answers = (
        (each.kind == "split_proposed", Kind.SPLIT),
        (each.rule == "R-RT-4", Kind.CI),
        (each.resume == TaskState.IN_REVIEW, Kind.VERDICT),
        (each.budget or each.rule == "R-BUD-3", Kind.BUDGET),
        (each.last_outcome in _OF_OUTCOME, _OF_OUTCOME.get(each.last_outcome, Kind.STOPPED)),
        (each.rule.startswith("R-ESC"), Kind.ATTEMPTS),
    )
    return next((kind for holds, kind in answers if holds), Kind.STOPPED)


def _in_review(each: Standing, project: Project, resting: Mapping[Rung, datetime], now: datetime) -> Blocker | None:
    """A review that takes too long. While its provider rests, that is the blocker."""
    since = each.entered_at + project.review_sla
    if each.task.state is not TaskState.IN_REVIEW or now < since or Rung.GEMINI in resting:
        return None
    return _blocker(each, Kind.REVIEW, "review", since, f"its review has taken {exact(now - each.entered_at)}")


def _awaiting_approval(each: Standing, project: Project) -> Blocker | None:
    task = each.task
    if task.state is not TaskState.AWAITING_APPROVAL:
        return None
    first = tuple(who for who in who_is_asked(project.team, task) if who not in each.approved_by)
    have = f"; approved by {len(each.approved_by)} of 2" if task.route.security else ""
    return _blocker(each, Kind.APPROVAL, "approval", each.entered_at, f"its change is ready{have}", first=first)


def _dependency(each: Standing, by_id: Mapping[str, Standing], ended: Mapping[str, TaskState]) -> Blocker | None:
    """What waits for a task that will not be finished. Where that one is only blocked, its own clock runs; the owner
    of this one hears of it once, if they are somebody else."""
    task = each.task
    if task.state is not TaskState.QUEUED:
        return None
    for name in task.after:
        if ended.get(name) in GIVEN_UP:
            reason = f"waits for {name}, which was {'rejected' if ended[name] is TaskState.FAILED else 'stopped'}"
            return _blocker(each, Kind.DEPENDENCY, f"after-{name}", each.entered_at, reason)
        other = by_id.get(name)
        if other and other.task.state is TaskState.BLOCKED and other.task.owner != task.owner:
            since = max(each.entered_at, other.entered_at)
            reason = f"waits for {name}, which is blocked: {other.why}"
            return _blocker(each, Kind.DEPENDENCY, f"after-{name}-{other.entered}", since, reason, follows=name)
    return None


def _resting(each: Standing, project: Project, resting: Mapping[Rung, datetime], now: datetime) -> Blocker | None:
    """A provider that has rested for long. Before that the task waits in silence, since it goes on by itself."""
    in_review = each.task.state is TaskState.IN_REVIEW
    down = resting.get(Rung.GEMINI if in_review else each.task.route.rung)
    if down is None or not (in_review or each.task.state is TaskState.QUEUED) or not _waits_for_provider(each):
        return None
    since = max(down, each.entered_at) + project.blocker_sla * REST_SHARE
    if now < since:
        return None
    return _blocker(each, Kind.PROVIDER, f"provider-{int(down.timestamp())}", since, each.why)


def _waits_for_provider(each: Standing) -> bool:
    return each.why.startswith(tuple(f"waiting for {provider}" for provider in Provider))


def _deadline(each: Standing, by_id: Mapping[str, Standing], now: datetime, *, stands: bool) -> Blocker | None:
    """A deadline that cannot be kept as things stand, or was not. A task that stands still anyway is only told of
    when it has passed."""
    due = each.task.deadline
    if due is None:
        return None
    work = expected(each, by_id)
    since = due if stands else max(due - work, each.task.created_at)
    if now < since:
        return None
    passed = f"was due {exact(now - due)} ago"
    reason = passed if now >= due else f"is due in {exact(due - now)}, with about {exact(work)} of work to go"
    kind = Kind.OVERDUE if each.task.state is TaskState.WITH_HUMAN else Kind.DEADLINE
    return _blocker(each, kind, f"due-{int(due.timestamp())}", since, reason)


def expected(each: Standing, by_id: Mapping[str, Standing], known: dict[str, timedelta] | None = None) -> timedelta:
    """How long until it is merged, what it waits for included. `known`: what was worked out on the way."""
    known = {} if known is None else known
    task = each.task
    known[task.id] = timedelta()  # a cycle, refused at load, would end here
    before = [by_id[name] for name in task.after if name in by_id]
    times = [known[other.task.id] if other.task.id in known else expected(other, by_id, known) for other in before]
    known[task.id] = LEFT.get(task.state, EXPECTED_WORK[task.route.rung]) + max(times, default=timedelta())
    return known[task.id]


def _blocker(
    each: Standing,
    kind: Kind,
    cause: str,
    since: datetime,
    reason: str,
    *,
    first: tuple[str, ...] = (),
    by: str = "",
    follows: str = "",
    told: tuple[str, ...] = (),
) -> Blocker:
    task = each.task
    assert task.state not in ENDED
    entry = "" if kind in (Kind.DEADLINE, Kind.OVERDUE) else f"/{each.entered}"
    return Blocker(
        key=f"{task.project}/{task.id}/{cause}{entry}",
        task=task,
        kind=kind,
        since=since,
        critical=task.priority == "critical" or each.last_outcome == "audit",  # R-DAY-4
        first=tuple(dict.fromkeys(who for who in first or (task.owner,) if who)),
        by=by,
        reason=reason,
        tried=each.tried,
        propose=each.propose,
        split=each.split,
        follows=follows,
        told=told,
    )


def tried_lines(attempts: Sequence[tuple[str, str]]) -> list[str]:
    """Attempts as (rung, what came of it), oldest first: those that ended in the same way one after another share a
    line, as in "haiku twice, sonnet: a test failed"."""
    lines: list[str] = []
    for why, run in groupby(attempts, key=lambda each: each[1]):
        counts = [(rung, len(list(same))) for rung, same in groupby(rung for rung, _ in run)]
        named = ", ".join(f"{rung}{_times(number)}" for rung, number in counts)
        lines.append(f"{named}: {why}")
    return lines


def _times(number: int) -> str:
    return {1: "", 2: " twice"}.get(number, f" {number} times")
