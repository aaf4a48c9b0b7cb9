"""The cost table of the example plan (R-BUD-5): `python -m tests.benchmarks.saving`, or `make bench-saving`.

All 38 tasks of granter-v2 go through the real router, order of work, escalation, cache marks, batch rule, prices and
saving. What models and people do is assumed, and drawn anew for each of RUNS runs; the table shows the means:

- An edit takes the tokens that the plan expects of its task (else of its rung), a review 1,000, a third of them output.
  Of an edit's input, tools, system text and the list of paths are shared, the task's text is its own, the rest files.
- One haiku attempt in five fails and one sonnet attempt in ten; half of these are mended by the attempt's repair, which
  reads the whole conversation again. 15 % of reviews ask for changes.
- An attempt takes 1 (haiku), 3 (sonnet) or 2 minutes (gemini), its review 2, a person's approval 30.
- Work that the matrix lets haiku do goes to haiku first, as a history of four accepted in five would have it.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Literal

from bot.adapters.plan_file import PlanFolders
from bot.adapters.prices import PriceBook
from bot.adapters.router_weights import text_model
from bot.domain import caching
from bot.domain.batching import may_wait
from bot.domain.calls import Purpose, Usage
from bot.domain.context import estimate_tokens, list_paths
from bot.domain.escalation import Again, Attempt, Outcome, Policy, next_step
from bot.domain.models import CURRENT, cacheable_from
from bot.domain.order import Start, ready
from bot.domain.plan import Plan, PlanTask
from bot.domain.plan_budget import TERSE_REVIEW
from bot.domain.prices import OUTPUT_SHARE, cost
from bot.domain.routing import EXPECTED_TOKENS, REPORTS, ROWS, RoutePolicy, route
from bot.domain.saving import GOAL, STEPS, Saving, Spent, measure
from bot.domain.task import Route, Rung, Task, TaskState
from bot.render import Renderer
from bot.wiring import data_folder

DAY = date(2026, 11, 23)
RUNS = 60
FAILS = {Rung.HAIKU: 0.20, Rung.SONNET: 0.10}
MENDED, ASKS_FOR_CHANGES = 0.5, 0.15
MINUTES = {Rung.HAIKU: 1, Rung.SONNET: 3, Rung.GEMINI: 2, Rung.OPUS: 3, Rung.MANUAL: 60}
REVIEW_MINUTES, APPROVAL_MINUTES, CACHED_MINUTES = 2, 30, 5
LESSON = 150  # tokens that a repair is told
MODELS = {rung: CURRENT[rung.value] for rung in Rung if rung.value in CURRENT}
PRICES = PriceBook()
State = Literal["attempt", "review", "approval"]


@dataclass(frozen=True)
class Scenario:
    """What the team decides. `patient`: priorities at which work may wait for a batch."""

    name: str
    patient: frozenset[str] = frozenset({"low"})
    reviewer: str = CURRENT["gemini"]
    learned: bool = True  # haiku first wherever the matrix says "may", not only where the text looks small


SCENARIOS = (
    Scenario("the plan as it is written"),
    Scenario("the same, and what is of normal priority may wait a day", frozenset({"low", "normal"})),
    Scenario("the same, and nothing is urgent", frozenset({"low", "normal", "high", "critical"})),
    Scenario(
        "the same, with the cheaper reviewer gemini-3.1-flash-lite",
        frozenset({"low", "normal", "high", "critical"}),
        CURRENT["gemini-flash-lite"],
    ),
)


@dataclass
class Work:
    """One task on its way."""

    planned: PlanTask
    route: Route
    task: Task
    history: list[Attempt] = field(default_factory=list)
    failed: bool = False  # the running attempt, its repair included
    passed: bool = False
    calls: list[tuple[int, Spent]] = field(default_factory=list)  # (attempt, call)

    @property
    def number(self) -> int:
        return len(self.history) + 1


class Run:
    """One run of the plan, sprint by sprint."""

    def __init__(self, plan: Plan, scenario: Scenario, seed: int) -> None:
        self._plan, self._scenario, self._chance = plan, scenario, Random(seed)
        self._works = {task.id: _work(task, plan, scenario) for task in plan.tasks}
        self._now = 0.0  # minutes
        self._events: list[tuple[float, int, State, str]] = []
        self._count = 0
        self._cached: dict[tuple[str, str], float] = {}  # (model, what) -> until
        self._paths: list[str] = []

    def calls(self) -> list[Spent]:
        """Every call of the plan, with whether its attempt passed."""
        for sprint in self._plan.sprints:
            self._sprint(sprint.number)
            self._now += 24 * 60
        return [
            call.model_copy(update={"accepted": work.passed and attempt == work.number})
            for work in self._works.values()
            for attempt, call in work.calls
        ]

    def _sprint(self, number: int) -> None:
        works = {name: work for name, work in self._works.items() if work.planned.sprint == number}
        self._start_what_may(works)
        while self._events:
            self._now, _, state, name = heapq.heappop(self._events)
            {"attempt": self._attempted, "review": self._reviewed, "approval": self._approved}[state](works[name])
            self._start_what_may(works)

    def _start_what_may(self, works: Mapping[str, Work]) -> None:
        slots = dict.fromkeys(Rung, 8)
        for decision in ready([work.task for work in works.values()], slots):
            if isinstance(decision, Start):
                self._begin(works[decision.task.id])

    def _begin(self, work: Work) -> None:
        rung = work.route.rung
        _move(work, TaskState.RUNNING)
        if rung is Rung.MANUAL:
            self._later(MINUTES[rung], "approval", work)
            return
        first = self._call(work, "report" if work.route.type in REPORTS else "edit", rung, self._edit_tokens(work))
        work.failed = self._chance.random() < FAILS.get(rung, 0.0)
        if work.failed:  # half of these are mended, and half fail a second time
            self._call(work, "repair", rung, self._repair_tokens(first))
            work.failed = self._chance.random() >= MENDED
        self._later(MINUTES[rung], "attempt", work)

    def _attempted(self, work: Work) -> None:
        if work.failed:
            self._failed(work, "checks")
        elif work.route.type in REPORTS:
            self._approved(work)
        else:
            _move(work, TaskState.IN_REVIEW)
            self._later(REVIEW_MINUTES, "review", work)

    def _reviewed(self, work: Work) -> None:
        output = round(TERSE_REVIEW * OUTPUT_SHARE)
        self._call(work, "review", Rung.GEMINI, Usage(input=TERSE_REVIEW - output, output=output))
        if self._chance.random() < ASKS_FOR_CHANGES:
            self._failed(work, "findings")
        else:
            _move(work, TaskState.AWAITING_APPROVAL)
            self._later(APPROVAL_MINUTES, "approval", work)

    def _approved(self, work: Work) -> None:
        work.passed = True
        self._paths = sorted({*self._paths, *work.planned.files})
        _move(work, TaskState.MERGED)

    def _failed(self, work: Work, outcome: Outcome) -> None:
        """What the escalation says; where it wants a person, they let the same rung try again."""
        last = Attempt(rung=work.route.rung, outcome=outcome, signature=f"{outcome}: {work.number}", seconds=60)
        work.history.append(last)
        policy = Policy(security=work.route.security, haiku_may=ROWS[work.route.type].haiku != "no")
        step = next_step(tuple(work.history), policy)
        rung = step.rung if isinstance(step, Again) else work.route.rung
        work.route = work.route.model_copy(update={"rung": rung})
        work.task = work.task.model_copy(update={"route": work.route})
        _move(work, TaskState.QUEUED)

    def _later(self, minutes: float, state: State, work: Work) -> None:
        self._count += 1
        heapq.heappush(self._events, (self._now + minutes, self._count, state, work.task.id))

    def _edit_tokens(self, work: Work) -> Usage:
        """One first call: shared beginning, files, task; what is cached is by the product's own rule."""
        rung, model = work.route.rung, MODELS[work.route.rung]
        whole = work.planned.token_budget or EXPECTED_TOKENS[rung]
        output = round(whole * OUTPUT_SHARE)
        own = estimate_tokens(work.planned.text)
        edits = work.route.type not in REPORTS
        begins = SYSTEM + (caching.EDITOR_TOKENS if edits else 0)
        listed = list_paths(self._paths, (), whole // 4)
        shared = begins + estimate_tokens(listed)
        files = max(0, whole - output - shared - own)
        worth = caching.worth_caching(shared, cacheable_from(model), PRICES.price(model, DAY))
        marks = [(f"shared {listed}", shared)] if worth else []
        return self._cache(model, marks, shared + files + own, output)

    def _repair_tokens(self, first: Spent) -> Usage:
        """The conversation again, with the first answer and what was wrong with it; a shorter answer."""
        before = first.usage
        read = before.cache_write + before.cache_read
        return Usage(input=before.input + before.output + LESSON, cache_read=read, output=round(before.output / 2))

    def _cache(self, model: str, marks: list[tuple[str, int]], whole: int, output: int) -> Usage:
        now = self._now
        read = max((n for name, n in marks if self._cached.get((model, name), -1.0) > now), default=0)
        kept = max((n for _, n in marks), default=0)
        for name, _ in marks:
            self._cached[model, name] = now + CACHED_MINUTES
        written = max(0, kept - read)
        return Usage(input=whole - read - written, cache_write=written, cache_read=read, output=output)

    def _call(self, work: Work, purpose: Purpose, rung: Rung, usage: Usage) -> Spent:
        patient = "low" if work.planned.priority in self._scenario.patient else "normal"
        batch = may_wait(patient, purpose, rung, enabled=True, left_unanswered=False)
        model = self._scenario.reviewer if rung is Rung.GEMINI else MODELS[rung]
        price = PRICES.price(model, DAY)
        call = Spent(
            rung=rung, model=model, purpose=purpose, day=DAY, usage=usage,
            cost_microusd=cost(usage, price.of(batch)), batch=batch, worker=work.route.rung,
            haiku_first=ROWS[work.route.type].haiku != "yes",
        )  # fmt: skip
        work.calls.append((work.number, call))
        return call


SYSTEM = estimate_tokens(Renderer(data_folder("templates")).text("prompts/edit_system", {}))


def _move(work: Work, state: TaskState) -> None:
    work.task = work.task.model_copy(update={"state": state})


def _work(planned: PlanTask, plan: Plan, scenario: Scenario) -> Work:
    chosen = route(planned.route_request, RoutePolicy(model=text_model()))
    if scenario.learned and chosen.rung is Rung.SONNET and not chosen.security and ROWS[chosen.type].haiku == "may":
        chosen = chosen.model_copy(update={"rung": Rung.HAIKU})
    at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(seconds=planned.number)
    task = Task(
        id=planned.id, project="GRANTER", text=planned.text, route=chosen, state=TaskState.QUEUED,
        priority=planned.priority, files=planned.files, after=plan.graph[planned.id], requester="U", owner="U",
        token_budget=planned.token_budget or 0, created_at=at, updated_at=at,
    )  # fmt: skip
    return Work(planned, chosen, task)


def mean(plan: Plan, scenario: Scenario, runs: int) -> Saving:
    """The mean of so many runs, in whole micro-dollars."""
    every = [measure(Run(plan, scenario, seed).calls(), PRICES.price, MODELS[Rung.SONNET]) for seed in range(runs)]

    def over(value: Callable[[Saving], int]) -> int:
        return round(sum(value(one) for one in every) / runs)

    return Saving(
        calls=over(lambda s: s.calls),
        tokens=over(lambda s: s.tokens),
        microusd={step: over(lambda s, step=step: s.microusd[step]) for step in STEPS},  # type: ignore[misc]
    )


def lines(scenario: Scenario, saving: Saving) -> Iterator[str]:
    yield f"\n{scenario.name}: {saving.calls} calls, {saving.tokens:,} tokens"
    yield f"  {'':42}  {'dollars':>8}  {'below all-sonnet':>16}  {'with its cache':>14}"
    plain, cached = (saving.microusd[step] for step in ("all_sonnet", "all_sonnet_cached"))
    for step, words in STEPS.items():
        spent = saving.microusd[step]
        yield f"  {words:42}  {spent / 1e6:8.4f}  {1 - spent / plain:16.1%}  {1 - spent / cached:14.1%}"
    met = (saving.share or 0.0) >= GOAL
    yield f"  goal: {GOAL:.0%} below all-sonnet: {'met' if met else 'not met'}"


def reach(plan: Plan) -> str:
    """How far haiku first reaches."""
    ordinary = Scenario("", learned=False)
    routes = [work.route for work in (_work(task, plan, ordinary) for task in plan.tasks)]
    sonnet = [route for route in routes if route.rung is Rung.SONNET]
    critical = sum(route.security for route in sonnet)
    may = sum(not route.security and ROWS[route.type].haiku == "may" for route in sonnet)
    return (
        f"Of the plan's {len(sonnet)} tasks for sonnet, {critical} are security-critical, {may} may go to haiku first, "
        f"and {len(sonnet) - critical - may} are of a kind that haiku may not do."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = max(1, parser.parse_args().runs)
    print(__doc__)
    plan = PlanFolders((data_folder("templates") / "plans",))("granter-v2", ())
    print(reach(plan))
    for scenario in SCENARIOS:
        print("\n".join(lines(scenario, mean(plan, scenario, runs))))


if __name__ == "__main__":
    main()
