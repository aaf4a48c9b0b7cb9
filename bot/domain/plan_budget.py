"""What a plan is expected to take, against what its sprints and days allow (R-BUD-1, R-BUD-2). Tokens, no money."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.budget import LEAN, Limits
from bot.domain.plan import Plan, PlanSprint, PlanTask
from bot.domain.plan_errors import Problem, Report
from bot.domain.routing import RoutePolicy, route
from bot.domain.task import Route, Rung
from bot.errors import UserMistake

#: What gemini's review of one small task takes, "terse" as R-BUD-2 has it.
TERSE_REVIEW = 1_000
#: The share of what an attempt may take that it takes as a rule; the cast's rungs have 0.75 to 0.8.
TYPICAL = 0.8


class Planned(NamedTuple):
    """One task, its route, and tokens: what it is expected to take, and what one attempt may take."""

    task: PlanTask
    route: Route
    expected: int
    budget: int


class Forecast(NamedTuple):
    """The routed plan, and what is to be said of its routes and budgets."""

    planned: tuple[Planned, ...]
    problems: tuple[Problem, ...]

    def of_sprint(self, number: int) -> tuple[Planned, ...]:
        return tuple(each for each in self.planned if each.task.sprint == number)

    @property
    def expected(self) -> dict[str, int]:
        """Expected tokens by id, as weights of the critical path."""
        return {each.task.id: each.expected for each in self.planned}


def by_rung(planned: Iterable[Planned]) -> dict[Rung, tuple[int, int, int]]:
    """For each rung: how many tasks, their expected tokens, their budgets together."""
    found: dict[Rung, tuple[int, int, int]] = dict.fromkeys(Rung, (0, 0, 0))
    for each in planned:
        count, expected, budget = found[each.route.rung]
        found[each.route.rung] = (count + 1, expected + each.expected, budget + each.budget)
    return found


def review_tokens(planned: Iterable[Planned]) -> int:
    """What the reviews that follow every change are expected to take."""
    return TERSE_REVIEW * sum(each.route.is_reviewed for each in planned)


def forecast(plan: Plan, policy: RoutePolicy, limits: Limits = LEAN) -> Forecast:
    """Route every task and add up. A task that cannot be routed, and a rung whose tasks need more than the sprint
    gives it, are errors; what may only become too much is a warning."""
    report = Report()
    planned = tuple(each for task in plan.tasks if (each := _planned(task, policy, limits, report)))
    for sprint in plan.sprints:
        of_sprint = tuple(each for each in planned if each.task.sprint == sprint.number)
        if sprint.budget:
            _check_sprint(sprint, of_sprint, report)
        _check_days(sprint, of_sprint, limits, report)
    return Forecast(planned, report.in_order)


def planned_of(tasks: Iterable[PlanTask], policy: RoutePolicy, limits: Limits) -> tuple[Planned, ...]:
    """What these tasks are expected to take; one that cannot be routed is left out."""
    return tuple(each for task in tasks if (each := _planned(task, policy, limits, Report())))


def _planned(task: PlanTask, policy: RoutePolicy, limits: Limits, report: Report) -> Planned | None:
    try:
        chosen = route(task.route_request, policy)
    except UserMistake as error:
        report.error(task.line, task.id, str(error))
        return None
    if task.model and chosen.rung is not task.model:  # R-SEC-1
        report.warning(task.line, task.id, chosen.reason)
    if chosen.rung is Rung.MANUAL:
        return Planned(task, chosen, 0, 0)
    budget = task.token_budget or limits.task.get(chosen.rung, 0)
    return Planned(task, chosen, min(chosen.expected_tokens or budget, round(budget * TYPICAL)), budget)


def _check_sprint(sprint: PlanSprint, planned: tuple[Planned, ...], report: Report) -> None:
    where = f"sprint {sprint.number}"
    for rung, (count, expected, budget) in by_rung(planned).items():
        allowed = sprint.budget.get(rung, 0)
        tasks = f"{count} {rung} task{'s' if count != 1 else ''}"
        are = "are" if count != 1 else "is"
        if rung is Rung.MANUAL or budget <= allowed:
            continue
        if expected > allowed:
            text = f"{tasks} {are} expected to take {expected:,} tokens, and its budget gives {rung} {allowed:,}"
            report.error(sprint.line, where, text)
        else:
            text = f"{tasks} may take {budget:,} tokens at one attempt each, and its budget gives {rung} {allowed:,}"
            report.warning(sprint.line, where, text)
    own, reviews = sum(each.expected for each in planned), review_tokens(planned)
    if own <= sprint.tokens < own + reviews:
        text = f"{own:,} expected tokens and about {reviews:,} for reviews are more than its {sprint.tokens:,}"
        report.warning(sprint.line, where, text)


def _check_days(sprint: PlanSprint, planned: tuple[Planned, ...], limits: Limits, report: Report) -> None:
    """Warn of a day whose tasks cannot all run on that day (R-BUD-1)."""
    for day in range(sprint.days + 1):
        today = tuple(each for each in planned if each.task.day == day)
        for rung, (count, expected, _) in by_rung(today).items():
            allowed = limits.day.rungs.get(rung, 0)
            if expected > allowed:
                text = f"D{day}: {count} x {rung}, expected to take {expected:,} tokens, and a day has {allowed:,}"
                report.warning(today[0].task.line, f"sprint {sprint.number}", f"{text}: some wait for the next day")
