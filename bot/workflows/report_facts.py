"""Gathers what a report is made from: the store's facts, the plan's expectations, the project's limits. No model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.budget import Level, Limit, Limits, limits_of_call
from bot.domain.history import History
from bot.domain.local_time import end_of
from bot.domain.order import ready
from bot.domain.plan import PlanTask
from bot.domain.plan_budget import TERSE_REVIEW, Planned, planned_of
from bot.domain.prices import Price
from bot.domain.project import Project
from bot.domain.report_facts import Facts, PlannedFact, SprintFact, TaskFact
from bot.domain.saving import Saving, measure
from bot.domain.sprint import Sprint, current, number_of
from bot.domain.task import ENDED, PAID, Rung, Task, TaskState
from bot.store import limit_orders, report_facts, slots, spending, sprints, tasks
from bot.store.report_facts import Paid, Standing
from bot.workflows.intake import route_policy
from bot.workflows.learning import learned

PriceOf = Callable[[str, date], Price]
CostOf = Callable[[Rung, int], int]


async def gather(
    session: AsyncSession, project: Project, day: date, *, now: datetime, price: PriceOf, sprint: int | None = None
) -> Facts:
    """The project at the end of `day`, or now where that is not over yet. `sprint`: the one to report on, where not
    the open one."""
    at = _moment(project, day, now)
    standing = await report_facts.standings(session, project.key, at)
    paid = await report_facts.paid(session, project.key, at)
    of_task: dict[int, list[Paid]] = defaultdict(list)
    for call in paid:
        of_task[call.task_pk].append(call)
    known = _shown(await sprints.of_project(session, project.key), sprint)
    held = {s.number: await limit_orders.limits_on(session, project.limits, project.key, s.number, day) for s in known}
    going_on = current(known)
    limits = held[number_of(going_on)]
    asked = [(row.queued, sprints.as_plan_task(row)) for row in await sprints.plan_rows(session, project.key)]
    history = await learned(session, project, price, now)
    planned = _planned(project, [task for queued, task in asked if not queued], history)
    marked = {task.id for _, task in asked if task.milestone}
    cost = _costs(project, price, project.day(now))
    every = [tasks.as_task(each.row).model_copy(update={"state": TaskState(each.state)}) for each in standing]
    return Facts(
        project=project.key,
        day=day,
        at=at,
        hours=project.hours,
        blocker_sla=project.blocker_sla,
        review_sla=project.review_sla,
        limits=limits,
        tasks=tuple(_task(each, of_task[each.row.pk], cost, marked) for each in standing),
        planned=tuple(_plan_fact(each, cost) for each in planned),
        sprints=tuple(_sprint(project, each, held[each.number], paid) for each in known),
        today=_today(project, limits, day, paid),
        rungs={rung: _today(project, limits, day, paid, rung) for rung in PAID},
        urgent=_urgent(project, every),
        saving=await _saved(session, project, day, price),
        reported_until=await _reported_until(session, project, day),
        ended_on={each.row.task_id: project.day(each.since) for each in standing if TaskState(each.state) in ENDED},
    )


async def _reported_until(session: AsyncSession, project: Project, day: date) -> datetime | None:
    """The moment that the weekly report before this week's was made of."""
    posted = await slots.last_posted(session, project.key, "weekly", project.working_days.week_of(day))
    return _moment(project, posted.day, posted.settled_at) if posted and posted.settled_at else None


def _moment(project: Project, day: date, now: datetime) -> datetime:
    """What a report of `day` that is made now tells of: its end, or now where it is not over yet."""
    return min(now, end_of(day, project.timezone) - timedelta(microseconds=1))


async def _saved(session: AsyncSession, project: Project, day: date, price: PriceOf) -> Saving:
    """The saving of the week that the day is in, until that day (R-BUD-5)."""
    paid = await spending.paid_calls(session, project.key, project.working_days.week_of(day), day)
    return measure(paid, price, project.models[Rung.SONNET], project.lighter)


def _shown(known: Sequence[Sprint], number: int | None) -> Sequence[Sprint]:
    """The sprints; the one that is asked for counts as the open one. Sprint 0 is there without a plan too, where it is
    asked for or no sprint is open: ad-hoc work belongs to it then (R-MSG-4)."""
    asked = number == 0 or (number is None and not current(known))
    if asked and all(each.number for each in known):
        known = [Sprint(number=0, state="closed"), *known]
    if number is None:
        return known
    return [
        each.model_copy(
            update={"state": "open" if each.number == number else "closed" if each.state == "open" else each.state}
        )
        for each in known
    ]


def _urgent(project: Project, every: Sequence[Task]) -> tuple[str, ...]:
    return tuple(
        decision.task.id for decision in ready([t for t in every if t.state not in ENDED], project.concurrency)
    )


def _task(each: Standing, own: Sequence[Paid], cost: CostOf, marked: Collection[str]) -> TaskFact:
    row, task = each.row, tasks.as_task(each.row)
    return TaskFact(
        id=row.task_id, title=task.title, state=TaskState(each.state), rung=task.route.rung, type=task.route.type,
        sprint=row.sprint, priority=task.priority, owner=row.owner, tokens=sum(call.tokens for call in own),
        microusd=sum(call.microusd for call in own), expected_tokens=task.route.expected_tokens,
        expected_microusd=cost(task.route.rung, task.route.expected_tokens), created_at=row.created_at,
        since=each.since, why=each.why, deadline=row.deadline, milestone=row.task_id in marked,
    )  # fmt: skip


def _planned(project: Project, asked: Sequence[PlanTask], history: History | None) -> list[Planned]:
    """What tasks of plans are expected to take that are not queued yet."""
    return list(planned_of(asked, route_policy(project, history), project.limits))


def _plan_fact(each: Planned, cost: CostOf) -> PlannedFact:
    task, rung, review = each.task, each.route.rung, TERSE_REVIEW if each.route.is_reviewed else 0
    return PlannedFact(
        id=task.id, title=task.title or task.prompt, sprint=task.sprint, day=task.day, rung=rung, type=each.route.type,
        priority=task.priority, milestone=task.milestone, tokens=each.expected + review,
        microusd=cost(rung, each.expected) + cost(Rung.GEMINI, review),
    )  # fmt: skip


def _costs(project: Project, price: PriceOf, day: date) -> CostOf:
    """What so many tokens of a rung are likely to cost, at that day's prices."""

    @cache  # many tasks are expected to take the same
    def cost(rung: Rung, tokens: int) -> int:
        return prices.expected_cost(tokens, price(project.models[rung], day)) if tokens and rung in PAID else 0

    return cost


def _sprint(project: Project, sprint: Sprint, limits: Limits, paid: Sequence[Paid]) -> SprintFact:
    """A sprint and its budget, as people raised it."""
    limit = _counters(project, limits, date.min, Rung.HAIKU, sprint.number)[2]
    return SprintFact(sprint=sprint, level=_level(limit, paid), microusd=_microusd(limit, paid))


def _today(project: Project, limits: Limits, day: date, paid: Sequence[Paid], rung: Rung | None = None) -> Level:
    counters = _counters(project, limits, day, rung or Rung.HAIKU)
    return _level(counters[0] if rung else counters[1], paid)


def _counters(project: Project, limits: Limits, day: date, rung: Rung, sprint: int = 0) -> tuple[Limit, ...]:
    """What a call counts against: the rung's day, the day, the sprint."""
    return limits_of_call(limits, project=project.key, task="", attempt=0, sprint=sprint, rung=rung, day=day, budget=0)


def _level(limit: Limit, paid: Sequence[Paid]) -> Level:
    """Where the counter stood, by the calls that count against it."""
    found: Counter[bool] = Counter()
    dear: Counter[bool] = Counter()
    for call in paid:
        if limit.scope in call.scopes:
            found[call.open] += call.tokens
            dear[call.open] += call.microusd
    return Level(limit=limit, used_tokens=found[False], reserved_tokens=found[True], used_microusd=dear[False],
                 reserved_microusd=dear[True])  # fmt: skip


def _microusd(limit: Limit, paid: Sequence[Paid]) -> int:
    return sum(call.microusd for call in paid if limit.scope in call.scopes)
