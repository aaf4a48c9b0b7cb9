"""R-BUD-5: what was saved, in micro-dollars that can be added up by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.calls import Usage
from bot.domain.prices import Price, Rate, cost
from bot.domain.saving import LEVERS, STEPS, Saving, Spent, in_baseline, measure
from bot.domain.task import Rung

DAY = date(2026, 11, 22)
#: A tenth of a dollar and its kin per million tokens: one token of haiku's input is a micro-dollar times 100.
PRICES = {
    "haiku": Price(base=Rate(input=1_000_000, output=5_000_000, cache_write=1_250_000, cache_read=100_000)),
    "sonnet": Price(base=Rate(input=20_000_000, output=100_000_000, cache_write=25_000_000, cache_read=1_000_000)),
    "gemini": Price(base=Rate(input=7_000_000, output=35_000_000, cache_write=7_000_000, cache_read=700_000)),
    "light": Price(base=Rate(input=2_500_000, output=15_000_000, cache_write=2_500_000, cache_read=250_000)),
    "opus": Price(base=Rate(input=40_000_000, output=200_000_000, cache_write=50_000_000, cache_read=2_000_000)),
}
PLAIN = Usage(input=100, output=10)


def price(model: str, day: date) -> Price:
    assert day == DAY
    return PRICES[model]


def spent(rung: str, purpose: str = "edit", usage: Usage = PLAIN, **more: Any) -> Spent:
    """A call as the ledger would have settled it."""
    settled = cost(usage, PRICES[rung].of(more.get("batch", False)))
    fields: dict[str, Any] = {"cost_microusd": settled, "worker": rung, **more}
    of = "gemini" if rung == "light" else rung
    return Spent.model_validate({"rung": of, "model": rung, "purpose": purpose, "day": DAY, "usage": usage, **fields})


def measured(*calls: Spent) -> Saving:
    return measure(calls, price, "sonnet", {"light": "gemini"})


def steps(saving: Saving) -> tuple[int, ...]:
    return tuple(saving.microusd[step] for step in STEPS)


#: Usage(100, 10): haiku 150, gemini 1,050, sonnet 3,000, opus 6,000.
CACHED = Usage(input=10, output=10, cache_write=10, cache_read=80)
TABLE = [
    # what, calls, (all sonnet, the same cached, routing, + haiku first, + cache, + lighter, + batch)
    ("nothing", [], (0, 0, 0, 0, 0, 0, 0)),
    ("sonnet's work saves nothing", [spent("sonnet")], (3000,) * 7),
    ("a failed attempt of sonnet is on both sides", [spent("sonnet", accepted=False)], (3000,) * 7),
    ("haiku's own work: routing", [spent("haiku")], (3000, 3000, 150, 150, 150, 150, 150)),
    ("what haiku failed at is in the actual cost only", [spent("haiku", accepted=False)],
     (0, 0, 150, 150, 150, 150, 150)),
    ("and so are its repairs", [spent("haiku", "repair")], (0, 0, 150, 150, 150, 150, 150)),
    ("sonnet's repairs are on both sides", [spent("sonnet", "repair")], (3000,) * 7),
    ("a review costs sonnet's price there", [spent("gemini", "review", worker="sonnet")],
     (3000, 3000, 1050, 1050, 1050, 1050, 1050)),
    ("a review of accepted work of haiku too", [spent("gemini", "review", worker="haiku")],
     (3000, 3000, 1050, 1050, 1050, 1050, 1050)),
    ("a review of what haiku failed at does not", [spent("gemini", "review", worker="haiku", accepted=False)],
     (0, 0, 1050, 1050, 1050, 1050, 1050)),
    ("the coordinator is in the actual cost only", [spent("haiku", "triage", worker="sonnet")],
     (0, 0, 150, 150, 150, 150, 150)),
    ("haiku first is a lever of its own", [spent("haiku", haiku_first=True)], (3000, 3000, 3000, 150, 150, 150, 150)),
    ("which bears what it failed at", [spent("haiku", haiku_first=True, accepted=False)],
     (0, 0, 0, 150, 150, 150, 150)),
    ("and the reviews of that", [spent("gemini", "review", worker="haiku", haiku_first=True, accepted=False)],
     (0, 0, 0, 1050, 1050, 1050, 1050)),
    ("but no reviews of what was accepted", [spent("gemini", "review", worker="haiku", haiku_first=True)],
     (3000, 3000, 1050, 1050, 1050, 1050, 1050)),
    ("sonnet's turn after haiku's is nobody's lever", [spent("sonnet", haiku_first=True)], (3000,) * 7),
    ("opus costs more than sonnet", [spent("opus")], (3000, 3000, 6000, 6000, 6000, 6000, 6000)),
    ("a cache is sonnet's too", [spent("sonnet", usage=CACHED)], (3000, 1530, 3000, 3000, 1530, 1530, 1530)),
    ("and haiku's", [spent("haiku", usage=CACHED)], (3000, 1530, 150, 150, 81, 81, 81)),
    ("a batch costs half", [spent("sonnet", batch=True)], (3000, 3000, 3000, 3000, 3000, 3000, 1500)),
    ("also of what was cached", [spent("haiku", usage=CACHED, batch=True)], (3000, 1530, 150, 150, 81, 81, 41)),
    ("a lighter reviewer", [spent("light", "review", worker="sonnet")], (3000, 3000, 1050, 1050, 1050, 400, 400)),
    ("in a batch", [spent("light", "review", worker="sonnet", batch=True)],
     (3000, 3000, 1050, 1050, 1050, 400, 200)),
    ("an unknown call costs its reservation", [spent("sonnet", unknown=True, cost_microusd=3400)],
     (3000, 3000, 3400, 3400, 3400, 3400, 3400)),
    ("of haiku, nothing stands against it", [spent("haiku", unknown=True, cost_microusd=160, accepted=False)],
     (0, 0, 160, 160, 160, 160, 160)),
    ("calls add up", [spent("haiku"), spent("haiku", accepted=False), spent("gemini", "review", worker="haiku")],
     (6000, 6000, 1350, 1350, 1350, 1350, 1350)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "calls", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_each_step(what: str, calls: list[Spent], expected: tuple[int, ...]) -> None:  # R-BUD-5
    assert steps(measured(*calls)) == expected


def test_the_last_step_is_what_the_ledger_has() -> None:
    calls = [c for _, some, _ in TABLE for c in some]
    assert measured(*calls).actual == sum(c.cost_microusd for c in calls)


def test_the_levers_points_add_up_to_the_saving() -> None:
    saving = measured(*(c for _, some, _ in TABLE for c in some))
    assert sum(saving.points(lever) or 0.0 for lever in LEVERS) == pytest.approx(saving.share)


def test_the_saving_is_measured_against_the_lower_baseline() -> None:
    saving = measured(spent("haiku", usage=CACHED))
    assert saving.baseline == 1530
    assert saving.share == pytest.approx(1 - 81 / 1530)
    assert saving.share_without_cache() == pytest.approx(1 - 81 / 3000)
    assert saving.share_at("routing") == pytest.approx(1 - 150 / 1530)


def test_no_work_saves_nothing_and_divides_by_nothing() -> None:
    nothing = measured()
    assert (nothing.share, nothing.share_without_cache(), nothing.calls) == (None, None, 0)
    only_failures = measured(spent("haiku", accepted=False))
    assert only_failures.share is None
    assert only_failures.actual == 150


def test_who_needs_what() -> None:
    assert in_baseline(spent("sonnet", "split"))
    assert in_baseline(spent("gemini", "report"))
    assert not in_baseline(spent("haiku", "triage"))
    assert Rung.HAIKU is spent("haiku").worker
