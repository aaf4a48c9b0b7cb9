"""The cost table is computed, not asserted: it adds up, and its levers do what they say (R-BUD-5)."""

from __future__ import annotations

from bot.domain.saving import LEVERS
from tests.benchmarks.saving import Column, column, granter, lines, policies

RUNS = 3


def columns() -> list[Column]:
    plan = granter()
    return [column(plan, name, policy, RUNS) for name, policy in policies(plan).items()]


def test_every_task_is_done_within_its_limits_and_each_leaning_saves_more() -> None:
    made = columns()
    for each in made:
        for run in each.runs:
            assert (run.done, run.left, run.over_limit) == (38, (), ()), each.name
            points = sum(run.saving.points(lever) or 0.0 for lever in LEVERS)
            assert abs(points - (run.saving.share or 0.0)) < 1e-9
    plain, deadlines, light, batched, _ = (each.saving for each in made)
    assert 0 < batched.actual < light.actual < deadlines.actual < plain.actual < plain.baseline
    assert deadlines.points("light_reviewer") == 0 < (light.points("light_reviewer") or 0)
    table = "\n".join(lines(made))
    assert "working days" in table and "goal" not in table


def test_the_same_seed_gives_the_same_costs() -> None:
    plan = granter()
    name, policy = next(iter(policies(plan).items()))
    first, again = (column(plan, name, policy, 2) for _ in range(2))
    assert first == again
    assert first.runs[0] != first.runs[1]
