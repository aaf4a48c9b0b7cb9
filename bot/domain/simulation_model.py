"""What a simulation assumes of models and people, what it is given, and what one run of it found.

Minutes and shares are assumptions, stated here and overridden by `orch simulate --policy FILE`; all that is decided is
decided by the product's own rules. Money is micro-dollars, moments are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple, Protocol, get_args

from pydantic import Field

from bot.domain.history import History, Kind, Record, Size
from bot.domain.plan import Plan
from bot.domain.plan_budget import TERSE_REVIEW, Planned
from bot.domain.prices import Price, expected_cost
from bot.domain.project import Project
from bot.domain.routing import EXPECTED_TOKENS, LEARNABLE
from bot.domain.saving import Saving
from bot.domain.task import Frozen, Rung

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Minutes = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
WaitKind = Literal["dependency", "file", "budget", "slot", "review", "approval", "decision"]


#: What begins all edits of a project alike: the editor tool, the system text, a project's conventions and paths.
SHARED_TOKENS = 1_500


class Assumptions(Frozen):
    """How models and people behave. A rung that is not named takes its default."""

    fails: Mapping[Rung, Share] = {}  # an attempt's first answer
    mended: Share = 0.5  # of these, by the attempt's repair
    same_way: Share = 0.3  # a failure is like the one before
    asks_for_changes: Share = 0.15  # of reviews
    critical: Share = 0.02  # of reviews: a critical finding
    minutes: Mapping[Rung, Minutes] = {}  # of one call; of a person's work by hand
    batch_minutes: Minutes = 60
    checks_minutes: Minutes = 1
    approval_minutes: Minutes = 30  # working time until a person approves; of two, the later one
    decision_minutes: Minutes = 60  # working time until a person decides about what is blocked
    opus: bool = True  # whether they approve opus where it is proposed
    too_big: Literal["raise", "opus", "hand"] = (
        "raise"  # what they do where smaller tasks are proposed: half as much again
    )
    raises: Share = (
        0.25  # of a sprint's tokens, which leads add each time that nothing else is left to do; 0: they do not
    )
    review_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = TERSE_REVIEW
    shared_tokens: Annotated[int, Field(ge=0, le=100_000)] = SHARED_TOKENS  # with which all edits begin
    cache_minutes: Minutes = 5  # that a provider keeps them, from each use on
    learned: bool = False  # haiku passed four in five of what the matrix lets it do, and the router knows
    tokens_spread: Spread = 0.2  # sigma of a log-normal distribution around what is expected
    minutes_spread: Spread = 0.5

    def fails_at(self, rung: Rung) -> float:
        return self.fails.get(rung, FAILS[rung])

    def minutes_of(self, rung: Rung) -> float:
        return self.minutes.get(rung, MINUTES[rung])


FAILS: Mapping[Rung, float] = {
    Rung.HAIKU: 0.20, Rung.SONNET: 0.10, Rung.GEMINI: 0.02, Rung.OPUS: 0.10, Rung.MANUAL: 0.0
}  # fmt: skip
MINUTES: Mapping[Rung, float] = {
    Rung.HAIKU: 0.5, Rung.SONNET: 1.5, Rung.GEMINI: 1.0, Rung.OPUS: 3.0, Rung.MANUAL: 60.0
}  # fmt: skip


#: (passed, of) of `Assumptions.learned`: enough to be asked (history.ENOUGH).
LEARNED = (4, 5)


def assumed_history(project: Project, prices: Mapping[str, Price]) -> History:
    """What the router would know where `learned` is assumed: the same of every type and size."""
    passed, of = LEARNED
    review = expected_cost(TERSE_REVIEW, prices[project.models[Rung.GEMINI]])
    usual = {
        rung: expected_cost(EXPECTED_TOKENS[rung], prices[project.models[rung]]) + review
        for rung in (Rung.HAIKU, Rung.SONNET)
    }
    record = Record(tasks=of, passed=passed, microusd=of * usual[Rung.HAIKU])
    kinds = [Kind(Rung.HAIKU, kind, size) for kind in LEARNABLE for size in get_args(Size)]
    return History(records=dict.fromkeys(kinds, record), usual=usual)


class Chance(Protocol):
    """A source of chance, such as random.Random."""

    def random(self) -> float: ...

    def gauss(self, mu: float, sigma: float) -> float: ...


class Setup(NamedTuple):
    """All that a run needs. `project`: rules, limits and people's hours; `prices` by the vendor's model id; `chance`:
    from a seed's text to the source of chance that it determines."""

    plan: Plan
    planned: Mapping[str, Planned]
    project: Project
    prices: Mapping[str, Price]
    assumed: Assumptions
    start: datetime
    chance: Callable[[str], Chance]

    @property
    def day(self) -> date:
        return self.project.day(self.start)


class Wait(NamedTuple):
    """A task waited: `who` is another task, a limit, a rung or people."""

    task: str
    kind: WaitKind
    who: str


class Left(NamedTuple):
    """A task that did not end, and why."""

    task: str
    why: str


class DayEnd(NamedTuple):
    """Where everything stood when a calendar day ended, or the plan did."""

    day: date
    done: int
    microusd: int
    tokens: int  # spent on that day alone


class Run(NamedTuple):
    """One run. `took`: from the first sprint's start to the last task's end; `over_limit`: counters that went beyond
    their limit, which none may (R-BUD-4)."""

    seed: int
    took: timedelta
    working_days: int
    done: int
    by_hand: int
    saving: Saving
    waits: Mapping[Wait, timedelta]
    left: tuple[Left, ...]
    days: tuple[DayEnd, ...]
    late: int = 0  # tasks that ended after their deadline
    raised: int = 0  # tokens that leads added to sprints
    over_limit: tuple[str, ...] = ()
