"""The daily stand-up as a value: every element of R-REP-1, in its order. Templates say it."""

from __future__ import annotations

from datetime import date

from bot.domain import outlook as judge
from bot.domain.budget import Level, percent
from bot.domain.forecast import Forecast, forecast
from bot.domain.outlook import Outlook, Pace
from bot.domain.report_facts import Facts, PlannedFact, TaskFact
from bot.domain.shortening import first_line, shortened
from bot.domain.task import GIVEN_UP, Frozen, TaskState

#: How much of the way lies behind a task in each state: the stages edit, check, review, approval and merge.
PERCENT: dict[TaskState, int] = {
    TaskState.QUEUED: 0,
    TaskState.SPLITTING: 0,
    TaskState.RUNNING: 0,
    TaskState.WITH_HUMAN: 0,
    TaskState.CHECKING: 20,
    TaskState.IN_REVIEW: 40,
    TaskState.AWAITING_APPROVAL: 60,
    TaskState.MERGING: 80,
}
#: A title in a report has at most so many characters.
TITLE = 80
#: So many of the next day's tasks are called its priorities.
PRIORITIES = 5


class Line(Frozen):
    """One task in a report."""

    id: str
    title: str
    model: str  # the rung: haiku, sonnet, gemini, opus, manual
    tokens: int = 0
    stage: str = ""  # its state in words
    percent: int | None = None
    why: str = ""
    owner: str = ""


class Usage(Frozen):
    """One budget: tokens used and reserved, of how many."""

    name: str
    used: int
    reserved: int = 0
    budget: int
    share: float = 0.0  # of the budget, used and reserved together
    percent: int  # the same
    pace: Pace


class Priority(Frozen):
    """What is to be done next with a task."""

    verb: str  # unblock | complete | start | begin
    line: Line
    critical: bool = False


class Daily(Frozen):
    """The report. `usage`: the day, then the sprint, then the rungs that have a budget or used something."""

    project: str
    day: date
    completed: tuple[Line, ...] = ()
    before: date  # the working day before it
    overnight: tuple[Line, ...] = ()  # completed then or since, until the day began; of a day that goes on (R-DAY-1)
    in_progress: tuple[Line, ...] = ()
    queued: tuple[Line, ...] = ()
    blocked: tuple[Line, ...] = ()
    failed: tuple[Line, ...] = ()
    usage: tuple[Usage, ...] = ()
    alerts: tuple[str, ...] = ()
    next_day: date
    priorities: tuple[Priority, ...] = ()
    forecast: Forecast
    outlook: Outlook


def daily_report(facts: Facts) -> Daily:
    """The report of `facts.day`."""
    expected = forecast(facts)
    verdict = judge.outlook(facts, expected)
    finished_on, before = facts.finished_on, facts.working_days.before(facts.day)
    return Daily(
        project=facts.project,
        day=facts.day,
        completed=tuple(line(t) for t in facts.tasks if finished_on.get(t.id) == facts.day),
        before=before,
        overnight=()
        if facts.day_is_over
        else tuple(line(t) for t in facts.tasks if before <= finished_on.get(t.id, date.min) < facts.day),
        in_progress=tuple(line(t) for t in _begun(facts)),
        queued=tuple(line(t) for t in _queued(facts)),
        blocked=tuple(line(t) for t in judge.blocked(facts)),
        failed=tuple(line(t) for t in facts.tasks if t.state in GIVEN_UP and facts.ended_on.get(t.id) == facts.day),
        usage=tuple(_usage(facts)),
        alerts=verdict.reasons,
        next_day=facts.next_day,
        priorities=tuple(_priorities(facts)[:PRIORITIES]),
        forecast=expected,
        outlook=verdict,
    )


def line(task: TaskFact | PlannedFact) -> Line:
    """A task as one line: its title is the first line of what was asked for, shortened."""
    known = {"id": task.id, "title": shortened(first_line(task.title), TITLE), "model": task.rung.value}
    if isinstance(task, PlannedFact):
        return Line(**known, stage="planned", percent=0)
    stage = task.state.words
    return Line(**known, tokens=task.tokens, stage=stage, percent=PERCENT.get(task.state), why=task.why,
                owner=task.owner)  # fmt: skip


def usage_of(name: str, level: Level, pace: Pace) -> Usage:
    return Usage(name=name, used=level.used_tokens, reserved=level.reserved_tokens, budget=level.limit.tokens,
                 share=judge.share_of(level), percent=percent(judge.share_of(level)), pace=pace)  # fmt: skip


def _usage(facts: Facts) -> list[Usage]:
    yellow, red = facts.limits.yellow, facts.limits.red
    found = [usage_of("day", facts.today, judge.pace(facts.today, yellow, red))]
    if facts.sprint:
        found.append(usage_of(facts.sprint.sprint.name, facts.sprint.level, judge.pace_of_sprint(facts)))
    used = ((rung, level) for rung, level in facts.rungs.items() if level.limit.tokens or level.taken)
    return found + [usage_of(f"{rung} today", level, judge.pace(level, yellow, red)) for rung, level in used]


def _priorities(facts: Facts) -> list[Priority]:
    """First what is blocked, since it needs a person; then what has begun, the furthest first; then what is queued, the
    most urgent first (R-PAR-5); then what the plan has next."""
    stuck = sorted(judge.blocked(facts), key=lambda t: (t.priority != "critical", t.since))
    number = facts.sprint.sprint.number if facts.sprint else None
    planned = [each for each in facts.planned if each.sprint == number]
    named = (("unblock", stuck), ("complete", _begun(facts)), ("start", _queued(facts)), ("begin", planned))
    return [
        Priority(verb=verb, line=line(t), critical=t.priority == "critical") for verb, tasks in named for t in tasks
    ]


def _begun(facts: Facts) -> list[TaskFact]:
    """What is at work or with people, the furthest first."""
    begun = (t for t in facts.tasks if t.open and t.state not in (TaskState.QUEUED, TaskState.BLOCKED))
    return sorted(begun, key=lambda t: -PERCENT.get(t.state, 0))


def _queued(facts: Facts) -> list[TaskFact]:
    """The most urgent first (R-PAR-5)."""
    by_id = {task.id: task for task in facts.tasks}
    return [by_id[name] for name in facts.urgent if name in by_id]
