"""The cost table of the example plan (R-BUD-5): `python -m tests.benchmarks.saving`, or `make bench-saving`.

All 38 tasks of granter-v2 go through `orch simulate`, that is, through Orch's own routes, order of work, budgets, batch
rule, escalation, prices and saving; what models and people do is assumed (README, "Simulate"), and drawn anew for each
run. Beyond that it is assumed that haiku has passed four in five of what the matrix lets it do, so that it goes first
there, and that budgets do not run out: the preset `standard`, and half as much again for each sprint as R-BUD-2 gives
it, since the work takes about as much as it gives in all. The last column keeps to R-BUD-2.

A batch takes an hour on average. What it costs in time stands below the money.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from statistics import fmean, stdev
from typing import Any, NamedTuple

from bot.adapters.plan_file import PlanFolders
from bot.cli.policy_file import PolicyFile
from bot.cli.simulate import setup_of
from bot.config import Config
from bot.domain.models import CURRENT
from bot.domain.plan import Plan
from bot.domain.saving import GOAL, STEPS, Saving, Step
from bot.domain.simulation import simulate
from bot.domain.simulation_model import Run
from bot.domain.task import Rung
from bot.wiring import data_folder

RUNS = 100
START = "2026-11-23"
MORE = 1.5  # times what R-BUD-2 gives a sprint
REVIEWER = CURRENT["gemini-flash-lite"]
#: What a team decides, each with all before it.
LEANINGS: Mapping[str, Mapping[str, Any]] = {
    "as it comes": {},
    "deadlines": {"batch_by_deadline": True},
    "light reviews": {"light_reviewer": REVIEWER},
    "and in batches": {"batch_reviews": True},
}


class Column(NamedTuple):
    """The runs of one policy, and where they come to."""

    name: str
    runs: tuple[Run, ...]

    @property
    def saving(self) -> Saving:
        """The mean of the runs, in whole micro-dollars."""
        steps: dict[Step, int] = {step: round(fmean(run.saving.microusd[step] for run in self.runs)) for step in STEPS}
        calls, tokens = (round(fmean(getattr(run.saving, name) for run in self.runs)) for name in ("calls", "tokens"))
        return Saving(calls=calls, tokens=tokens, microusd=steps)

    @property
    def error(self) -> float:
        """The standard error of the mean saving."""
        shares = [run.saving.share or 0.0 for run in self.runs]
        return stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else 0.0


def granter() -> Plan:
    return PlanFolders((data_folder("templates") / "plans",))("granter-v2", ())


def policies(plan: Plan) -> dict[str, PolicyFile]:
    """By the columns' names."""
    more = {str(each.number): {Rung.SONNET.value: round(each.tokens * MORE)} for each in plan.sprints}
    roomy: dict[str, Any] = {"preset": "standard", "sprints": more}
    told: dict[str, Any] = {"start": START, "assumptions": {"learned": True}, "budgets": roomy}
    found = {}
    for name, leaning in LEANINGS.items():
        told = {**told, **leaning}
        found[name] = PolicyFile.model_validate(told)
    found["R-BUD-2's budgets"] = PolicyFile.model_validate({**told, "budgets": {"preset": "standard"}})
    return found


def column(plan: Plan, name: str, policy: PolicyFile, runs: int) -> Column:
    setup, _ = setup_of(plan, policy, Config())
    return Column(name, tuple(simulate(setup, seed) for seed in range(1, runs + 1)))


def lines(columns: list[Column]) -> Iterator[str]:
    """The table."""

    def row(words: str, cells: list[str]) -> str:
        return f"{words:42}" + "".join(f"{cell:>19}" for cell in cells)

    savings = [each.saving for each in columns]
    yield row("", [each.name for each in columns])
    for step, words in STEPS.items():
        yield row(words, [f"${s.microusd[step] / 1e6:.4f} {s.share_at(step) or 0.0:7.1%}" for s in savings])
    yield row("standard error", [f"{each.error:.1%}" for each in columns])
    yield row(f"{GOAL:.0%} below all-sonnet", ["met" if (s.share or 0) >= GOAL else "not met" for s in savings])
    yield row("calls", [f"{s.calls}" for s in savings])
    yield row("tokens", [f"{s.tokens:,}" for s in savings])
    for words, value in (("working days", "working_days"), ("tasks after their deadline", "late"),
                         ("tokens that leads add to sprints", "raised")):  # fmt: skip
        yield row(words, [f"{fmean(getattr(run, value) for run in each.runs):,.1f}" for each in columns])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = max(1, parser.parse_args().runs)
    print(__doc__)
    plan = granter()
    print("\n".join(lines([column(plan, name, policy, runs) for name, policy in policies(plan).items()])))


if __name__ == "__main__":
    main()
