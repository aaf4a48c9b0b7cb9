"""The cost table is computed, not asserted: it adds up, and its levers do what they say (R-BUD-5)."""

from __future__ import annotations

from collections import Counter

from bot.adapters.plan_file import PlanFolders
from bot.domain.calls import Purpose
from bot.domain.plan import Plan
from bot.domain.saving import LEVERS, Saving, Spent, measure
from bot.domain.task import Rung
from bot.wiring import data_folder
from tests.benchmarks.saving import MODELS, PRICES, SCENARIOS, Run, lines


def granter() -> Plan:
    return PlanFolders((data_folder("templates") / "plans",))("granter-v2", ())


def saving_of(calls: list[Spent]) -> Saving:
    return measure(calls, PRICES.price, MODELS[Rung.SONNET])


def test_every_task_of_the_plan_is_done_and_reviewed() -> None:
    made = Counter[tuple[Rung, Purpose]]()
    for call in Run(granter(), SCENARIOS[0], 1).calls():
        made[call.rung, call.purpose] += call.accepted
    changes = made[Rung.HAIKU, "edit"] + made[Rung.SONNET, "edit"]
    assert changes == 27, "38, less three that a person does and eight reports"
    assert made[Rung.GEMINI, "report"] == 8
    assert made[Rung.GEMINI, "review"] == changes


def test_the_same_seed_gives_the_same_costs_and_another_one_others() -> None:
    plan = granter()
    first, again, other = (saving_of(Run(plan, SCENARIOS[0], seed).calls()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_levers_add_up_and_batches_bring_more_the_less_is_urgent() -> None:
    plan = granter()
    every = [saving_of(Run(plan, scenario, 3).calls()) for scenario in SCENARIOS]
    for saving in every:
        assert sum(map(saving.brought, LEVERS)) == saving.microusd["all_sonnet"] - saving.actual
        assert 0 < saving.actual < saving.baseline
    shares = [saving.share or 0.0 for saving in every]
    assert shares == sorted(shares)
    assert "goal" in "\n".join(lines(SCENARIOS[0], every[0]))
