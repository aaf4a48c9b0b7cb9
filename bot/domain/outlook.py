"""What a report ends with: go on, take care, or stop and decide; and how each budget stands (R-REP-1, R-REP-2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from bot.domain.budget import Level, in_percent
from bot.domain.forecast import Forecast
from bot.domain.report_facts import Facts, TaskFact
from bot.domain.spans import exact
from bot.domain.task import UNDER_REVIEW, Frozen, TaskState

Verdict = Literal["go", "caution", "no_go"]
Pace = Literal["on track", "at risk", "over"]
#: So many ids are named in one reason.
NAMED = 5


class Outlook(Frozen):
    """The verdict, and every reason for it, the gravest first; `go` has none."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def outlook(facts: Facts, forecast: Forecast) -> Outlook:
    """The rule of the go / no-go line.

    no-go, where one of these holds: the sprint's tokens are over (at the red mark no attempt may start, R-BUD-3); a
    critical task is blocked; a blocker stands longer than its time allows (R-SEC-5); the work more likely than not ends
    after the sprint.
    caution, where one of these holds: the sprint's tokens are at risk; the day's, or a rung's, are at risk or over;
    anything is blocked; a review waits longer than its time allows; a deadline has passed; the sprint's end lies within
    the forecast's range.
    go otherwise."""
    grave = tuple(_grave(facts, forecast))
    light = tuple(_light(facts, forecast))
    return Outlook(verdict="no_go" if grave else "caution" if light else "go", reasons=grave + light)


def _grave(facts: Facts, forecast: Forecast) -> Iterator[str]:
    if facts.sprint and pace_of_sprint(facts) == "over":
        yield f"{facts.sprint.level.limit.name} are used up to {in_percent(share_of(facts.sprint.level))}"
    critical = [task for task in blocked(facts) if task.priority == "critical"]
    if critical:
        yield f"blocked and critical: {_ids(critical)}"
    if late := overdue_blockers(facts):
        yield f"blocked for more than {exact(facts.blocker_sla)}: {_ids(late)}"
    if forecast.behind:
        yield f"expected on {forecast.likely}, after the sprint's end on {forecast.planned}"


def _light(facts: Facts, forecast: Forecast) -> Iterator[str]:
    if facts.sprint and pace_of_sprint(facts) == "at risk":
        yield f"{facts.sprint.level.limit.name} may not last: {in_percent(share_of(facts.sprint.level))} used"
    for level in (facts.today, *facts.rungs.values()):
        if pace(level, facts.limits.yellow, facts.limits.red) != "on track":
            yield f"{level.limit.name}: {in_percent(share_of(level))} used"
    told = {task.id for task in overdue_blockers(facts)} | {t.id for t in blocked(facts) if t.priority == "critical"}
    if others := [task for task in blocked(facts) if task.id not in told]:
        yield f"blocked: {_ids(others)}"
    if waiting := overdue_reviews(facts):
        yield f"waits for review or approval for more than {exact(facts.review_sla)}: {_ids(waiting)}"
    if late := past_deadline(facts):
        yield f"past the deadline: {_ids(late)}"
    if forecast.may_slip and not forecast.behind:
        yield f"may end as late as {forecast.late}, after the sprint's end on {forecast.planned}"


def pace(level: Level, yellow: float, red: float) -> Pace:
    """How a budget stands: at its red mark nothing new may start, so it is over (R-BUD-3). What has no budget and
    used nothing is on track."""
    if not level.limit.tokens:
        return "over" if level.taken else "on track"
    return "over" if level.share >= red else "at risk" if level.share >= yellow else "on track"


def pace_of_sprint(facts: Facts) -> Pace:
    """The same for the open sprint, which is at risk too when, at the pace of the days so far, it takes more than its
    budget. The first day is too short to judge a pace by."""
    own = facts.sprint
    if own is None:
        return "on track"
    now = pace(own.level, facts.limits.yellow, facts.limits.red)
    projected = projected_tokens(facts)
    return "at risk" if now == "on track" and projected and projected > own.level.limit.tokens else now


def projected_tokens(facts: Facts) -> int | None:
    """Tokens that the open sprint takes in the end at the pace of the days so far; None before its second day."""
    own = facts.sprint
    if own is None or own.sprint.state != "open" or own.sprint.first_day is None:
        return None
    gone = facts.working_days.number(own.sprint.first_day, facts.day)
    return round(own.level.taken / gone * max(own.sprint.days, gone)) if gone > 1 else None


def share_of(level: Level) -> float:
    """Used + reserved over the limit; 0 where there is none."""
    return level.share if level.limit.tokens else 0.0


def blocked(facts: Facts) -> list[TaskFact]:
    return [task for task in facts.tasks if task.state is TaskState.BLOCKED]


def overdue_blockers(facts: Facts) -> list[TaskFact]:
    """Blocked for longer than a blocker may stand (R-SEC-5)."""
    return _older(blocked(facts), facts, facts.blocker_sla)


def overdue_reviews(facts: Facts) -> list[TaskFact]:
    """Under review, or waiting for an approval, for longer than a review may take (R-MET)."""
    return _older([t for t in facts.tasks if t.state in UNDER_REVIEW], facts, facts.review_sla)


def past_deadline(facts: Facts) -> list[TaskFact]:
    return [task for task in facts.tasks if task.open and task.deadline and task.deadline < facts.at]


def _older(tasks: list[TaskFact], facts: Facts, allowed: timedelta) -> list[TaskFact]:
    """Those that stand there for more working time than is allowed."""
    return [task for task in tasks if facts.hours.between(task.since, facts.at) > allowed]


def _ids(tasks: list[TaskFact]) -> str:
    names = ", ".join(task.id for task in tasks[:NAMED])
    return names + (f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else "")
