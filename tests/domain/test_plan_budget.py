"""What a plan takes, and the example product's plan against its allocations (R-BUD-2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.plan_file import load_plan
from bot.domain.budget import LEAN
from bot.domain.plan import Plan
from bot.domain.plan_budget import Forecast, by_rung, forecast
from bot.domain.routing import RoutePolicy
from bot.domain.task import Rung, TaskType
from tests.domain.plans import task

GRANTER = Path(__file__).parents[2] / "templates" / "plans" / "granter-v2.yaml"
POLICY = RoutePolicy(security_paths=("**/auth/**",))


def planned(budget: str, *types: str, more: str = "") -> Forecast:
    tasks = "".join(
        f"  - {{id: S1-D{n}-1, prompt: The orders page, type: {kind}{more}}}\n" for n, kind in enumerate(types, 1)
    )
    plan = load_plan(f"name: d\nsprints: [{{number: 1, budget: {{{budget}}}}}]\ntasks:\n{tasks}")
    return forecast(plan, POLICY)


SUMS = [
    ("haiku: 3000", ("docs",), "", []),
    ("haiku: 1600", ("docs",), "", ["1 haiku task may take 2,000 tokens at one attempt", "about 1,000 for reviews"]),
    ("haiku: 1600, gemini: 1000", ("docs",), ", token_budget: 1600", []),
    ("haiku: 4000", ("docs", "docs", "docs"), "", ["error: 3 haiku tasks are expected to take 4,500 tokens"]),
    ("haiku: 4000", ("logic",), "", ["error: 1 sonnet task is expected", "and its budget gives sonnet 0"]),
    ("", ("logic",), "", []),
    ("haiku: 9000", ("docs",), ", model: sonnet, security: true", ["error: 1 sonnet task"]),
]


@pytest.mark.parametrize(("budget", "types", "more", "said"), SUMS)
def test_a_sprints_tasks_fit_its_allocation(budget: str, types: tuple[str, ...], more: str, said: list[str]) -> None:
    problems = planned(budget, *types, more=more).problems
    whole = "\n".join(f"{p.level}: {p.text}" for p in problems)
    assert all(part in whole for part in said) and bool(problems) == bool(said), whole


def test_a_day_that_cannot_hold_its_tasks_is_a_warning() -> None:
    text = "".join(f"  - {{id: S1-D1-{n}, prompt: The orders page, type: logic}}\n" for n in (1, 2, 3))
    found = forecast(load_plan(f"name: d\ntasks:\n{text}"), POLICY, LEAN)
    assert [p.level for p in found.problems] == ["warning"]
    assert "D1: 3 x sonnet, expected to take 12,000 tokens, and a day has 10,000" in found.problems[0].text


def test_routes_that_the_rules_refuse_or_change_are_said() -> None:
    """R-SEC-1, R-RT-7: haiku never gets security work; what cannot be routed is an error."""
    floor = forecast(load_plan(task("model: haiku\nfiles: [src/auth/login.ts]")), POLICY)
    assert floor.planned[0].route.rung is Rung.SONNET
    assert [p.level for p in floor.problems] == ["warning"] and "never goes to haiku" in floor.problems[0].text
    refused = forecast(load_plan(task("model: gemini\ntype: logic")), POLICY)
    assert [p.level for p in refused.problems] == ["error"] and "gemini reviews" in refused.problems[0].text


#: R-BUD-2, line by line.
ALLOCATIONS = {
    0: (24_000, {Rung.HAIKU: 18_000, Rung.SONNET: 4_000, Rung.GEMINI: 2_000}),
    1: (47_500, {Rung.HAIKU: 3_000, Rung.SONNET: 42_000, Rung.GEMINI: 2_500}),
    2: (35_000, {Rung.HAIKU: 8_000, Rung.SONNET: 22_000, Rung.GEMINI: 5_000}),
    3: (30_000, {Rung.HAIKU: 5_000, Rung.SONNET: 18_000, Rung.GEMINI: 7_000}),
    4: (20_000, {Rung.HAIKU: 3_000, Rung.SONNET: 8_000, Rung.GEMINI: 9_000}),
}
#: The rung that does most of a sprint, by expected tokens ("haiku-heavy", "sonnet-heavy", ...).
HEAVY = {0: Rung.HAIKU, 1: Rung.SONNET, 2: Rung.SONNET, 3: Rung.SONNET, 4: Rung.GEMINI}


@pytest.fixture(scope="module")
def granter() -> Plan:
    return load_plan(GRANTER.read_text(encoding="utf-8"))


def test_granter_has_the_rulebooks_budgets(granter: Plan) -> None:
    assert [(s.number, s.budget) for s in granter.sprints] == [(n, rungs) for n, (_, rungs) in ALLOCATIONS.items()]
    assert [sprint.tokens for sprint in granter.sprints] == [total for total, _ in ALLOCATIONS.values()]
    assert sum(sprint.tokens for sprint in granter.sprints) == 156_500
    assert all(sprint.days == 5 for sprint in granter.sprints)


def test_granter_fits_every_allocation(granter: Plan) -> None:
    """R-BUD-2: what routing makes of each sprint, rung by rung, reviews included."""
    found = forecast(granter, POLICY)
    assert found.problems == () and len(found.planned) == len(granter.tasks)
    for sprint in granter.sprints:
        sums = by_rung(found.of_sprint(sprint.number))
        for rung, allowed in ALLOCATIONS[sprint.number][1].items():
            count, expected, budget = sums[rung]
            assert count and expected <= budget <= allowed, (sprint.number, rung)
        assert sums[Rung.OPUS] == (0, 0, 0)
        assert max(ALLOCATIONS[sprint.number][1], key=lambda rung: sums[rung][1]) is HEAVY[sprint.number]


def test_granters_security_work_goes_to_sonnet_and_is_reviewed(granter: Plan) -> None:
    """R-SEC-1, R-SEC-2"""
    found = forecast(granter, POLICY)
    auth = [each for each in found.planned if each.route.type is TaskType.AUTH]
    assert len(auth) >= 4
    assert all(each.route.rung is Rung.SONNET and each.route.security and each.route.is_reviewed for each in auth)
    assert not [each for each in found.planned if each.route.security and each.route.rung is Rung.HAIKU]


def test_granter_is_a_plan_that_people_can_work_with(granter: Plan) -> None:
    changes = [t for t in granter.tasks if t.files]
    assert 28 <= len(granter.tasks) <= 40
    assert all(t.title and t.prompt and t.deadline and t.type for t in granter.tasks)
    assert all(t.success_criteria and (t.checks or t.type is TaskType.DOCS) for t in changes)
    assert _alone(granter) == ["S0-D1-1"], "everything else follows from the set-up"
    manual = [t for t in granter.tasks if t.type in (TaskType.OPS, TaskType.VALIDATION)]
    assert all(t.owner == "human-dev-1" for t in manual)


def _alone(plan: Plan) -> list[str]:
    return [one.id for one in plan.tasks if not one.after]
