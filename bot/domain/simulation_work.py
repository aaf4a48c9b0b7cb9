"""One task on its way through a simulated run, and what chance has in store for it.

Each attempt draws from a source of its own, by the run's seed, the task and the attempt: policies meet the
same luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.budget_waits import Need
from bot.domain.calls import Purpose, Usage
from bot.domain.escalation import Attempt, Outcome
from bot.domain.order import Urgency
from bot.domain.plan_budget import Planned
from bot.domain.prices import OUTPUT_SHARE
from bot.domain.routing import EXPECTED_TOKENS
from bot.domain.simulation_budget import Reservation
from bot.domain.simulation_model import Assumptions, Chance
from bot.domain.task import Rung, Task, TaskState

#: Tokens that a repair is told beside the conversation so far.
LESSON = 150


@dataclass(slots=True)
class Call:
    """A call under way."""

    purpose: Purpose
    rung: Rung
    wanted: Usage  # what it would use with all the room in the world
    held: Reservation
    max_output: int
    seconds: float = 0.0
    budget: int = 0  # of its attempt; 0: the call has none of its own
    until: datetime | None = None  # it waits in a batch, until then

    @property
    def batch(self) -> bool:
        return self.until is not None

    @property
    def used(self) -> Usage:
        output = min(self.wanted.output, self.max_output)
        return self.wanted.model_copy(update={"output": output})

    @property
    def cut_off(self) -> bool:
        return self.wanted.output > self.max_output


@dataclass(slots=True, eq=False)
class Work:
    """One task. `attempt` counts from 1; `rank` is its place in the queue."""

    planned: Planned
    task: Task
    chain: int
    rank: Urgency
    history: list[Attempt] = field(default_factory=list)
    attempt: int = 0
    opus_approved: bool = False
    need: Need = field(default_factory=Need)
    waits_on: int = 0  # open dependencies
    behind: list[Work] = field(default_factory=list)  # those that wait for its end
    call: Call | None = None
    failed: Outcome | None = None  # what its edit failed by, while it is repaired
    tokens: int = 0  # of the running attempt
    seconds: float = 0.0  # that its model took
    passed: set[int] = field(default_factory=set)  # attempts that a review or a person accepted
    why: str = ""  # it cannot go on

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def rung(self) -> Rung:
        return self.task.route.rung

    @property
    def is_report(self) -> bool:
        return self.task.route.is_report

    def to(self, state: TaskState) -> None:
        self.task = self.task.model_copy(update={"state": state})


class Luck:
    """The draws of one run."""

    def __init__(self, seed: int, assumed: Assumptions, chance: Callable[[str], Chance]) -> None:
        self._seed, self._assumed, self._chance = seed, assumed, chance

    def of(self, work: Work, about: str) -> Chance:
        return self._chance(f"{self._seed}/{work.id}/{work.attempt}/{about}")

    def minutes(self, chance: Chance, mean: float) -> float:
        return mean * _spread(chance, self._assumed.minutes_spread)

    def edit(self, work: Work) -> Usage:
        """The tokens of an attempt's first call: what the plan expects of the task, or its rung, more or less."""
        usual = work.planned.expected if work.rung is work.planned.route.rung else EXPECTED_TOKENS[work.rung]
        whole = max(2, round(usual * _spread(self.of(work, "tokens"), self._assumed.tokens_spread)))
        output = max(1, round(whole * OUTPUT_SHARE))
        return Usage(input=whole - output, output=output)

    def repair(self, first: Usage) -> Usage:
        """The conversation once more, with its answer and what was wrong with it; half as long an answer."""
        return Usage(input=first.total + LESSON, output=first.output // 2 + 1)

    def review(self, work: Work) -> Usage:
        usual = self._assumed.review_tokens * _spread(self.of(work, "review tokens"), self._assumed.tokens_spread)
        output = max(1, round(usual * OUTPUT_SHARE))
        return Usage(input=max(1, round(usual) - output), output=output)

    def fails(self, work: Work) -> bool:
        return self.of(work, "edit").random() < self._assumed.fails_at(work.rung)

    def is_mended(self, work: Work) -> bool:
        return self.of(work, "repair").random() < self._assumed.mended

    def signature(self, work: Work, outcome: Outcome) -> str:
        same = self.of(work, "signature").random() < self._assumed.same_way
        return f"{outcome}: as before" if same else f"{outcome}: {work.attempt}"

    def verdict(self, work: Work) -> Outcome:
        drawn = self.of(work, "review").random()
        if drawn < self._assumed.critical:
            return "critical"
        return "findings" if drawn < self._assumed.critical + self._assumed.asks_for_changes else "passed"


def _spread(chance: Chance, sigma: float) -> float:
    """Around 1: log-normal, with that mean."""
    return math.exp(chance.gauss(-sigma * sigma / 2, sigma)) if sigma else 1.0


Act = Callable[[Work], None]
