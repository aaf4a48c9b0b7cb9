"""The weekly report as a value: every element of R-REP-2, in its order. Templates say it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot.domain import outlook as judge
from bot.domain.daily_report import Line, Usage, line, usage_of
from bot.domain.forecast import Forecast, forecast
from bot.domain.metrics import Metric
from bot.domain.outlook import Outlook
from bot.domain.report_facts import Facts, PlannedFact, SprintFact, TaskFact
from bot.domain.saving import Saving
from bot.domain.task import GIVEN_UP, Frozen, TaskType


class SprintLine(Frozen):
    """One sprint: how many of its tasks are finished. Percent rounds down, so that 100 means all; 0 of none."""

    number: int
    title: str
    state: str
    done: int
    total: int
    percent: int
    remaining: int


class Milestone(Frozen):
    """A task that the plan marks as one; where it marks none in the sprint, critical ones and validations."""

    line: Line
    done: bool
    due: date | None = None


class NextWeek(Frozen):
    """What comes next: the sprint that is going on, and the next one where that ends this week."""

    sprint: int
    title: str = ""
    tasks: int
    critical: int = 0
    tokens: int = 0
    expected_microusd: int = 0


class Weekly(Frozen):
    """The report. Micro-dollars; `budget_microusd` none = the configuration sets no limit in dollars."""

    project: str
    first: date
    last: date
    week: int  # counted from the first sprint's start; before any, of the year
    on_schedule: bool
    sprints: tuple[SprintLine, ...] = ()
    completed: tuple[Line, ...] = ()  # in this week
    reported_until: date | None = None  # the day of the weekly report before this week's, where one was posted
    completed_since: tuple[Line, ...] = ()  # after that report, before this week
    milestones: tuple[Milestone, ...] = ()
    usage: Usage
    projected_tokens: int | None = None  # of the sprint, at the pace so far
    cost_microusd: int = 0  # of the sprint
    budget_microusd: int | None = None  # of as many days as the sprint has
    cost_percent: float | None = None
    saving: Saving = Saving()  # of the week's calls
    risks: tuple[str, ...] = ()
    blockers: tuple[Line, ...] = ()
    metrics: tuple[Metric, ...] = ()  # those that have a goal (R-MET)
    next: NextWeek | None = None
    forecast: Forecast
    outlook: Outlook


def weekly_report(facts: Facts) -> Weekly:
    """The report of the working week that `facts.day` is in."""
    expected = forecast(facts)
    verdict = judge.outlook(facts, expected)
    first = facts.working_days.week_of(facts.day)
    own = facts.sprint
    level = own.level if own else facts.today
    days = own.sprint.days if own else 5
    dollars = facts.limits.daily_microusd
    budget = dollars * days if dollars else None
    cost = own.microusd if own else sum(task.microusd for task in facts.tasks)
    return Weekly(
        project=facts.project,
        first=first,
        last=first + timedelta(days=6),
        week=_week(facts, first),
        on_schedule=not (expected.behind or judge.past_deadline(facts)),
        sprints=tuple(_sprint(facts, each) for each in facts.sprints if _begun(facts, each)),
        completed=tuple(
            line(t) for t in facts.tasks if t.finished and first <= facts.ended_on[t.id] <= first + timedelta(days=6)
        ),
        reported_until=facts.date_of(facts.reported_until),
        completed_since=_unreported(facts, first),
        milestones=tuple(_milestones(facts)),
        usage=usage_of(own.sprint.name if own else "today", level, judge.pace_of_sprint(facts)),
        projected_tokens=judge.projected_tokens(facts),
        cost_microusd=cost,
        budget_microusd=budget,
        saving=facts.saving,
        cost_percent=round(100 * cost / budget, 1) if budget else None,
        risks=tuple(reason for reason in verdict.reasons if not reason.startswith("blocked")),
        blockers=tuple(line(task) for task in judge.blocked(facts)),
        metrics=tuple(metric for metric in facts.metrics if metric.goal is not None),
        next=_next(facts, expected),
        forecast=expected,
        outlook=verdict,
    )


def _unreported(facts: Facts, first: date) -> tuple[Line, ...]:
    """What was finished before this week and after the last weekly report was made, which so told nothing of it."""
    until = facts.reported_until
    before = [task for task in facts.tasks if task.finished and facts.ended_on[task.id] < first]
    return tuple(line(task) for task in before if until and task.since > until)


def _begun(facts: Facts, fact: SprintFact) -> bool:
    """By the day of the report: a sprint that is open or closed now may have started later."""
    first = fact.sprint.first_day
    started = fact.sprint.state != "planned" and (first is None or first <= facts.day)
    return started or any(task.sprint == fact.sprint.number for task in facts.tasks)


def _week(facts: Facts, first: date) -> int:
    starts = [each.sprint.first_day for each in facts.sprints if each.sprint.first_day]
    if not starts or min(starts) > first + timedelta(days=6):
        return (first + timedelta(days=3)).isocalendar().week  # of its middle, whichever day it begins with
    return (first - facts.working_days.week_of(min(starts))).days // 7 + 1


def _sprint(facts: Facts, fact: SprintFact) -> SprintLine:
    number = fact.sprint.number
    own = [t for t in facts.tasks if t.sprint == number and t.state not in GIVEN_UP]
    done = sum(task.finished for task in own)
    total = len(own) + sum(each.sprint == number for each in facts.planned)
    return SprintLine(
        number=number, title=fact.sprint.title, state=fact.sprint.state, done=done, total=total,
        percent=100 * done // total if total else 0, remaining=total - done,
    )  # fmt: skip


def _milestones(facts: Facts) -> Iterator[Milestone]:
    number = facts.sprint.sprint.number if facts.sprint else 0
    own: list[TaskFact | PlannedFact] = [*facts.of_sprint, *(each for each in facts.planned if each.sprint == number)]
    marked = [task for task in own if task.milestone]
    for task in marked or [t for t in own if t.priority == "critical" or t.type is TaskType.VALIDATION]:
        done = isinstance(task, TaskFact) and task.finished
        yield Milestone(line=line(task), done=done, due=facts.date_of(task.deadline))


def _next(facts: Facts, expected: Forecast) -> NextWeek | None:
    """The rest of the open sprint where it goes on next week, else the first sprint that is planned."""
    own = facts.sprint.sprint if facts.sprint else None
    last = facts.working_days.week_of(facts.day) + timedelta(days=6)
    end = max(filter(None, (expected.planned, expected.likely)), default=None)
    goes_on = own is not None and own.state == "open" and expected.remaining and end is not None and end > last
    if own is not None and goes_on:
        left = [task for task in facts.of_sprint if not task.finished]
        return NextWeek(
            sprint=own.number, title=own.title, tasks=expected.remaining,
            critical=sum(task.priority == "critical" for task in left),
            tokens=expected.expected_tokens - (facts.sprint.level.taken if facts.sprint else 0),
            expected_microusd=expected.expected_microusd - expected.spent_microusd,
        )  # fmt: skip
    coming = next((each.sprint for each in facts.sprints if each.sprint.state == "planned"), None)
    if coming is None:
        return None
    planned = [each for each in facts.planned if each.sprint == coming.number]
    return NextWeek(
        sprint=coming.number, title=coming.title, tasks=len(planned),
        critical=sum(each.priority == "critical" for each in planned),
        tokens=sum(each.tokens for each in planned), expected_microusd=sum(each.microusd for each in planned),
    )  # fmt: skip
