"""A plan in model time: what may never happen, whatever the plan and the luck, and what a run adds up to (issue 4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import simulation
from bot.domain.budget import LEAN, DayBudget, Limits
from bot.domain.order import HOLDING
from bot.domain.paths import may_share
from bot.domain.plan import Plan, PlanSprint, PlanTask
from bot.domain.plan_budget import forecast
from bot.domain.prices import price_from_dollars
from bot.domain.project import Project
from bot.domain.routing import RoutePolicy
from bot.domain.simulation import simulate
from bot.domain.simulation_model import Assumptions, Run, Setup, Wait
from bot.domain.simulation_queue import Queue
from bot.domain.simulation_summary import budget_chart, progress_chart, spread, summarise
from bot.domain.simulation_work import Work
from bot.domain.task import Priority, Rung, TaskState, TaskType

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
MODELS = {Rung.HAIKU: "h", Rung.SONNET: "s", Rung.GEMINI: "g", Rung.OPUS: "o"}
PRICES = {model: price_from_dollars(1 + n, 5 + n) for n, model in enumerate(MODELS.values())}
SURE = Assumptions(
    fails=dict.fromkeys(Rung, 0.0), asks_for_changes=0, critical=0, tokens_spread=0, minutes_spread=0
)  # fmt: skip
ROOMY = LEAN.model_copy(
    update={"day": DayBudget(total=10**7, rungs=dict.fromkeys(MODELS, 10**7)), "sprint": 10**8}
)  # fmt: skip


def setup(
    tasks: list[dict[str, Any]], assumed: Assumptions = SURE, limits: Limits = ROOMY, slots: int = 8,
    start: datetime = MONDAY, sprints: int = 1,
) -> Setup:  # fmt: skip
    made = tuple(
        PlanTask.model_validate(
            {"id": f"S0-D1-{n}", "sprint": 0, "day": 1, "number": n, "prompt": f"Part {n}", "type": "docs", **each}
        )
        for n, each in enumerate(tasks, 1)
    )
    plan = Plan(name="p", sprints=tuple(PlanSprint(number=n) for n in range(sprints)), tasks=made)
    project = Project(
        key="P", channel="", branch="main", limits=limits, models=MODELS, concurrency=dict.fromkeys(MODELS, slots)
    )
    planned = {each.task.id: each for each in forecast(plan, RoutePolicy(), limits).planned}
    return Setup(plan, planned, project, PRICES, assumed, start, Random)


class Watched(Queue):
    """Looks at all tasks after each change: no two may hold one file, no rung may have more than its slots."""

    def move(self, work: Work, state: TaskState, now: datetime) -> None:
        super().move(work, state, now)
        holding = [each.task for each in self._works.values() if each.task.state in HOLDING]
        for one, other in combinations(holding, 2):
            assert not may_share(one.holds, other.holds), f"{one.id} and {other.id} at once"
        working = [each for each in holding if each.state is TaskState.RUNNING and each.id not in self._batched]
        for rung, most in self._slots.items():
            assert sum(task.route.rung is rung for task in working) <= most


PATHS = ["a.md", "b.md", "docs/**", "docs/c.md", "src/d.ts"]
TASK = st.fixed_dictionaries(
    {
        "type": st.sampled_from([TaskType.DOCS, TaskType.LOGIC, TaskType.AUTH, TaskType.REVIEW, TaskType.OPS]),
        "files": st.lists(st.sampled_from(PATHS), max_size=2).map(tuple),
        "priority": st.sampled_from(["low", "normal", "high", "critical"]),
        "back": st.integers(0, 3),
        "sprint": st.integers(0, 1),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    tasks=st.lists(TASK, min_size=1, max_size=12),
    luck=st.floats(0, 0.9),
    day=st.sampled_from([3_000, 12_000, 30_000, 10**6]),
    sprint=st.sampled_from([5_000, 40_000, 10**6]),
    slots=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_no_limit_is_exceeded_no_file_shared_and_every_task_ends_or_says_why(
    tasks: list[dict[str, Any]], luck: float, day: int, sprint: int, slots: int, seed: int
) -> None:
    """R-BUD-4, R-PAR-2, R-PAR-3"""
    told = sorted(tasks, key=lambda each: each["sprint"])
    for number, each in enumerate(told, 1):
        back = each.pop("back")
        each["after"] = (f"S0-D1-{number - back}",) if 0 < back < number else ()
    limits = LEAN.model_copy(
        update={
            "day": DayBudget(total=day, rungs=dict.fromkeys(MODELS, day)),
            "sprint": sprint,
            "daily_microusd": 10**6,
        }
    )
    assumed = Assumptions(fails=dict.fromkeys(Rung, luck), asks_for_changes=luck / 2, raises=0.5 if seed % 2 else 0)
    given = setup(told, assumed, limits, slots, sprints=2)
    patch = pytest.MonkeyPatch()
    patch.setattr(simulation, "Queue", Watched)
    try:
        run = simulate(given, seed)
    finally:
        patch.undo()
    assert run.over_limit == ()
    assert run.done + len(run.left) == len(told)
    assert all(left.why for left in run.left)
    assert [each.microusd for each in run.days] == sorted(each.microusd for each in run.days)
    assert run.days[-1].microusd == run.saving.actual
    assert run == simulate(given, seed), "the same seed gives the same run"


def waited(run: Run) -> dict[Wait, float]:
    """Minutes."""
    return {wait: took / timedelta(minutes=1) for wait, took in run.waits.items()}


def test_one_task_takes_its_call_its_checks_its_review_and_its_approval() -> None:
    run = simulate(setup([{}]), 1)
    assert run.took == timedelta(minutes=0.5 + 1 + 1.0 + 30)
    assert (run.done, run.by_hand, run.left, run.working_days) == (1, 0, (), 1)
    assert run.saving.calls == 2 and 0 < run.saving.actual < run.saving.baseline
    assert waited(run) == {Wait("S0-D1-1", "review", "gemini"): 1.0, Wait("S0-D1-1", "approval", "people"): 30.0}


def test_who_waits_for_whom() -> None:
    """R-PAR-2, R-PAR-3"""
    run = simulate(setup([{"files": ["a.md"]}, {"files": ["a.md"]}, {"after": ["S0-D1-1"]}, {}, {}], slots=2), 1)
    found = waited(run)
    assert found[Wait("S0-D1-2", "file", "S0-D1-1")] == 32.5
    assert found[Wait("S0-D1-3", "dependency", "S0-D1-1")] == 32.5
    assert found[Wait("S0-D1-5", "slot", "haiku")] == 2.5, "until the review of the first is over"


def test_people_work_in_their_hours_and_models_do_not_care() -> None:
    evening = MONDAY.replace(day=27, hour=19, minute=50)  # a Friday
    run = simulate(setup([{}], start=evening), 1)
    assert evening + run.took == datetime(2026, 11, 30, 7, 22, 30, tzinfo=UTC), "30 minutes, 7.5 of them on Friday"


def test_a_new_day_has_a_new_budget() -> None:
    """R-BUD-1"""
    limits = ROOMY.model_copy(update={"day": DayBudget(total=10**7, rungs={**ROOMY.day.rungs, Rung.SONNET: 5_500})})
    run = simulate(setup([{"type": "logic"}, {"type": "logic"}], limits=limits), 1)
    assert [day.tokens for day in run.days] == [5_000, 5_000] and [day.done for day in run.days] == [1, 2]
    assert waited(run)[Wait("S0-D1-2", "budget", "sonnet")] == 16 * 60
    assert run.working_days == 2


def test_what_can_never_be_paid_for_says_so() -> None:
    limits = ROOMY.model_copy(update={"sprint": 3_000})
    run = simulate(setup([{"type": "logic"}], SURE.model_copy(update={"raises": 0}), limits), 1)
    (left,) = run.left
    assert "the tokens of sprint 0" in left.why and run.done == 0
    raised = simulate(setup([{"type": "logic"}], SURE, limits), 1)
    assert raised.done == 1 and raised.raised > 0


def test_failures_escalate_as_at_work() -> None:
    """R-ESC-4, R-ESC-6: three at haiku, at sonnet, at opus (each of these approved), then a person."""
    hopeless = SURE.model_copy(update={"fails": dict.fromkeys(Rung, 1.0), "mended": 0.0, "same_way": 0.0})
    run = simulate(setup([{}], hopeless, ROOMY.model_copy(update={"task": dict.fromkeys(MODELS, 50_000)})), 1)
    assert (run.done, run.by_hand) == (1, 1)
    assert run.saving.calls == 2 * (3 + 3 + 3), "an edit and a repair each"


def test_two_policies_meet_the_same_luck() -> None:
    tasks = [{"type": "logic", "priority": "normal"} for _ in range(6)]
    spare = Assumptions(approval_minutes=5)
    slow = Assumptions(approval_minutes=300)
    for seed in range(5):
        one, other = simulate(setup(tasks, spare), seed), simulate(setup(tasks, slow), seed)
        assert one.saving == other.saving and one.took < other.took


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (0, 0, 0)), ([7], (7, 7, 7)), (range(1, 11), (1, 5, 9)), (range(1, 21), (2, 10, 18)), ([3, 1, 2], (1, 2, 3))],
)
def test_percentiles_by_nearest_rank(values: list[float], expected: tuple[float, float, float]) -> None:
    assert spread(values) == expected


def test_a_summary_and_its_charts() -> None:
    priority: Priority = "normal"
    given = setup([{"type": "logic", "priority": priority} for _ in range(4)], Assumptions())
    summary = summarise("mine", [simulate(given, seed) for seed in range(8)])
    assert summary.runs == 8 and summary.first_day == date(2026, 11, 23)
    assert summary.progress[-1].p50 == 4 and summary.dollars.p10 <= summary.dollars.p50 <= summary.dollars.p90
    assert summary.longest and all(long.runs <= 8 for long in summary.longest)
    for chart in (budget_chart("P", [summary, summary]), progress_chart("P", [summary, summary])):
        assert len(chart.series) == 2 and len(chart.labels) == len(chart.series[0].values)
        assert "mine" in chart.alt
