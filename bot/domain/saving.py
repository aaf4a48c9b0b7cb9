"""What the work cost, against what all of it would have cost on sonnet (R-BUD-5). Integer micro-dollars.

The baseline is the same work done by sonnet alone: the edits, repairs, splits, reports and reviews that were made, with
the same tokens of each kind, at sonnet's own price of the day. It is shown twice: with every input token at the plain
price, and with what was cached here cached there too, at sonnet's prices for writing and reading. The saving is
measured against the lower of the two.

Chosen to make the saving look smaller rather than larger:
- Haiku's attempts that did not pass (or did not yet), their reviews, and every repair by haiku count in the actual cost
  only: sonnet might not have needed them. So do the coordinator's questions: who sends all to sonnet asks none.
- A call of unknown outcome counts in the actual cost with its whole reservation, or with what a lead said it took.
- Opus's attempts are in the baseline at sonnet's price.
- Gemini's tokens are taken as sonnet's, though sonnet counts more for the same text.

Reviews of accepted work are in the baseline, since an all-sonnet team would review with sonnet. Sonnet's own failed
attempts are on both sides. Refused calls owe nothing; calls under way are left out.

The levers are added one by one, in the order of STEPS, so that each shows what it brings on top of those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Literal

from bot.domain.calls import Purpose, Usage
from bot.domain.prices import Price, cost
from bot.domain.task import Frozen, Rung

#: What R-BUD-5 asks for.
GOAL = 0.70
Step = Literal["all_sonnet", "all_sonnet_cached", "routing", "haiku_first", "prompt_cache", "light_reviewer", "batch"]
#: The baselines, then the levers, each with those before it.
STEPS: dict[Step, str] = {
    "all_sonnet": "all on sonnet, no cache",
    "all_sonnet_cached": "all on sonnet, with its own prompt cache",
    "routing": "each task on its rung",
    "haiku_first": "+ haiku first where the floor allows",
    "prompt_cache": "+ prompt cache",
    "light_reviewer": "+ a lighter reviewer for ordinary work",
    "batch": "+ batch API for what is not urgent",
}
#: How the emulated models end their names (bot/local), which the ledger keeps.
REHEARSAL = "-rehearsal"
LEVERS: tuple[Step, ...] = ("routing", "haiku_first", "prompt_cache", "light_reviewer", "batch")


class Spent(Frozen):
    """One call that was paid for. `usage`: its tokens; of an unknown one what it reserved, as input and output."""

    rung: Rung
    model: str
    purpose: Purpose
    day: date  # whose prices hold
    usage: Usage
    cost_microusd: int  # as the ledger has it
    unknown: bool = False  # its outcome is, or was until a lead corrected it
    rehearsed: bool = False  # an emulated model answered
    batch: bool = False
    accepted: bool = True  # its attempt passed its review
    worker: Rung  # the rung of the attempt that it belongs to: a review belongs to the work that it judges
    haiku_first: bool = False  # the matrix only says that haiku may do such work


class Saving(Frozen):
    """Micro-dollars at each step. The last step is what the ledger has."""

    calls: int = 0
    tokens: int = 0
    unknown_calls: int = 0
    rehearsed_calls: int = 0
    microusd: dict[Step, int] = dict.fromkeys(STEPS, 0)

    @property
    def actual(self) -> int:
        return self.microusd["batch"]

    @property
    def baseline(self) -> int:
        """The lower of the two baselines: what the saving is measured against."""
        return min(self.microusd["all_sonnet"], self.microusd["all_sonnet_cached"])

    @property
    def share(self) -> float | None:
        """What is saved of the baseline, 0..1, negative where more was spent; None where nothing was done."""
        return self.share_at("batch")

    def share_at(self, step: Step) -> float | None:
        """What is saved once this step is taken."""
        return None if not self.baseline else 1 - self.microusd[step] / self.baseline

    def share_without_cache(self) -> float | None:
        """The saving against sonnet without a prompt cache."""
        plain = self.microusd["all_sonnet"]
        return None if not plain else 1 - self.actual / plain

    def points(self, lever: Step) -> float | None:
        """What this lever adds to the share, on top of those before it; all of them together are `share`."""
        after = self.share_at(lever)
        before = 0.0 if lever == LEVERS[0] else self.share_at(LEVERS[LEVERS.index(lever) - 1])
        return None if after is None or before is None else after - before


def measure(
    calls: Sequence[Spent], price: Callable[[str, date], Price], sonnet: str, lighter: Mapping[str, str] | None = None
) -> Saving:
    """The saving over these calls. `sonnet`: the model id that the baseline is priced at; `lighter`: model ids that do
    the work of another one for less (Project.lighter)."""
    total = dict.fromkeys(STEPS, 0)
    for call in calls:
        usual = (lighter or {}).get(call.model)
        steps = _steps(
            call, price(call.model, call.day), price(usual, call.day) if usual else None, price(sonnet, call.day)
        )
        for step, microusd in steps.items():
            total[step] += microusd
    return Saving(
        calls=len(calls),
        tokens=sum(call.usage.total for call in calls),
        unknown_calls=sum(call.unknown for call in calls),
        rehearsed_calls=sum(call.rehearsed for call in calls),
        microusd=total,
    )


def in_baseline(call: Spent) -> bool:
    """Whether sonnet would have made this call as well."""
    if call.purpose == "triage":
        return False
    by_haiku = call.worker is Rung.HAIKU
    return not by_haiku or (call.accepted and call.purpose != "repair")


def _steps(call: Spent, own: Price, usual: Price | None, sonnet: Price) -> dict[Step, int]:
    plain = _uncached(call.usage)
    there = in_baseline(call)
    on_sonnet = cost(plain, sonnet) if there else 0
    plainly = call.cost_microusd if call.unknown else cost(plain, usual or own)
    lightly = call.cost_microusd if call.unknown or not call.batch else cost(call.usage, own)
    cached = lightly if call.unknown or usual is None else cost(call.usage, usual)
    # Without haiku first, its share is sonnet's work, and what only haiku needed is not needed.
    tried = call.haiku_first and call.worker is Rung.HAIKU and call.purpose != "triage"
    moved = tried and (call.rung is Rung.HAIKU or not there)
    return {
        "all_sonnet": on_sonnet,
        "all_sonnet_cached": cost(call.usage, sonnet) if there else 0,
        "routing": on_sonnet if moved else plainly,
        "haiku_first": plainly,
        "prompt_cache": cached,
        "light_reviewer": lightly,
        "batch": call.cost_microusd,
    }


def _uncached(usage: Usage) -> Usage:
    """The same tokens without a prompt cache."""
    every = usage.input + usage.cache_write + usage.cache_read
    return usage.model_copy(update={"input": every, "cache_write": 0, "cache_read": 0})
