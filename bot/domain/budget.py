"""Budgets as values: which limits a call counts against, and what it may reserve (R-BUD). Tokens and micro-dollars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from bot.domain.prices import DOLLAR, Price, affordable_output, worst_cost
from bot.domain.task import Frozen, Rung

#: The limits that a person can name, raise and defer; a rung's name is its tokens for one day.
LimitName = Literal["day", "sprint", "haiku", "sonnet", "gemini", "opus"]

#: The least output worth asking a model for; a call that cannot have this much is not made.
MIN_OUTPUT_TOKENS = 256
#: The most output one call asks for; edits are short (DESIGN, "Context and edits").
MAX_OUTPUT_TOKENS = 8_192
#: So many earlier calls tell what a call of their kind takes; fewer say nothing.
ENOUGH_CALLS = 5
#: A provider's free count is an estimate: reserve this much more than it said.
COUNT_MARGIN = 0.02


class DayBudget(Frozen):
    """Tokens a day, together and by rung."""

    total: int
    rungs: Mapping[Rung, int]


class Limits(Frozen):
    """Every limit that holds for a project. `sprints` overrides `sprint` where the plan gives a sprint its own."""

    day: DayBudget
    sprint: int
    sprints: Mapping[int, int] = {}
    task: Mapping[Rung, int]  # tokens per attempt
    daily_microusd: int | None = None
    sprint_microusd: int | None = None
    yellow: float = 0.80
    red: float = 0.95


#: R-BUD-1 and the cast's typical sizes.
LEAN = Limits(
    day=DayBudget(total=30_000, rungs={Rung.HAIKU: 15_000, Rung.SONNET: 10_000, Rung.GEMINI: 5_000, Rung.OPUS: 0}),
    sprint=150_000,
    task={Rung.HAIKU: 2_000, Rung.SONNET: 5_000, Rung.GEMINI: 2_500, Rung.OPUS: 10_000},
)


class Limit(Frozen):
    """One counter that a call must fit into. `scope` is its key in the store."""

    scope: str
    name: str  # for people: "haiku's tokens for 2026-11-22"
    kind: LimitName | None = None  # None: of one attempt, or the coordinator's own
    tokens: int
    microusd: int | None = None


class Level(Frozen):
    """Where one counter stands: used + reserved count together (R-BUD-3)."""

    limit: Limit
    used_tokens: int = 0
    reserved_tokens: int = 0
    used_microusd: int = 0
    reserved_microusd: int = 0

    @property
    def taken(self) -> int:
        return self.used_tokens + self.reserved_tokens

    @property
    def left(self) -> int:
        return max(0, self.limit.tokens - self.taken)

    @property
    def taken_microusd(self) -> int:
        return self.used_microusd + self.reserved_microusd

    @property
    def left_microusd(self) -> int | None:
        """None where dollars are not limited."""
        return None if self.limit.microusd is None else max(0, self.limit.microusd - self.taken_microusd)

    @property
    def share(self) -> float:
        """Used + reserved over the limit, of tokens or of dollars, whichever is nearer to its end; 0..1 and more; 1.0
        where the limit is 0."""
        tokens = self.taken / self.limit.tokens if self.limit.tokens else 1.0
        return max(tokens, self.taken_microusd / self.limit.microusd) if self.limit.microusd else tokens

    def has_room(self, tokens: int, microusd: int = 0) -> bool:
        """Whether so much more fits."""
        return self.left >= tokens and (self.left_microusd is None or self.left_microusd >= microusd)


def percent(share: float) -> int:
    """A share of a budget in whole percent, for people: rounded, but 100 only where it is used up."""
    whole = round(share * 100)
    return min(whole, 99) if share < 1 else whole


def in_percent(share: float) -> str:
    """The same in words: what was begun is not called nothing."""
    return "less than 1 %" if share > 0 and percent(share) == 0 else f"{percent(share)} %"


def limits_of_call(
    limits: Limits,
    *,
    project: str,
    task: str,
    attempt: int,
    sprint: int,
    rung: Rung,
    day: date,
    budget: int,
    approved: bool = False,
) -> tuple[Limit, ...]:
    """The counters a call on `rung` counts against, smallest first (R-BUD-4): the attempt's own budget for the
    edits of an attempt (`budget` > 0; reviews have none), the rung's day, the day, the sprint.

    `approved`: a person approved this attempt on a rung that has nothing for the day (opus is 0 unless approved,
    R-BUD-1). The attempt's own budget is then all that it may take of that rung; the day and the sprint hold."""
    own = (attempt_limit(project, task, attempt, budget),) if budget else ()
    return (
        *own,
        Limit(
            scope=scope_of(project, rung, day, sprint),
            name=f"{rung}'s tokens for {day}",
            kind=_DAY_OF[rung],
            tokens=limits.day.rungs.get(rung, 0) or (limits.day.total if approved and budget else 0),
        ),
        Limit(
            scope=scope_of(project, "day", day, sprint),
            name=f"the tokens for {day}",
            kind="day",
            tokens=limits.day.total,
            microusd=limits.daily_microusd,
        ),
        Limit(
            scope=sprint_scope(project, sprint),
            name=f"the tokens of sprint {sprint}",
            kind="sprint",
            tokens=limits.sprints.get(sprint, limits.sprint),
            microusd=limits.sprint_microusd,
        ),
    )


def scope_of(project: str, limit: str, day: date, sprint: int) -> str:
    """The key of a limit's counter (LimitName): of that day, or of that sprint."""
    if limit == "sprint":
        return sprint_scope(project, sprint)
    return f"{project}/day/{day}" + ("" if limit == "day" else f"/{limit}")


def sprint_scope(project: str, sprint: int) -> str:
    return f"{project}/sprint/{sprint}"


def sprint_of(scopes: Iterable[str]) -> int | None:
    """The sprint among the counters of a call, if any."""
    found = next((scope.rpartition("/sprint/")[2] for scope in scopes if "/sprint/" in scope), "")
    return int(found) if found.isdigit() else None


def attempt_limit(project: str, task: str, attempt: int, budget: int) -> Limit:
    """What one attempt's edit and repair may take together (R-BUD-4)."""
    return Limit(scope=f"{project}/task/{task}/attempt/{attempt}", name=f"{task}'s budget per attempt", tokens=budget)


#: The limit that each paid rung's day is.
_DAY_OF: Mapping[Rung, LimitName] = {
    Rung.HAIKU: "haiku",
    Rung.SONNET: "sonnet",
    Rung.GEMINI: "gemini",
    Rung.OPUS: "opus",
}


class Grant(Frozen):
    """A call may be made with this much output."""

    reserve_tokens: int
    max_output: int


class Refused(Frozen):
    """A call may not be made: `level` is the limit that stands in the way, `needed` what it would take at least; with
    less than what is `usual` it would be cut short."""

    level: Level
    needed: int
    needed_microusd: int = 0
    usual: bool = False

    @property
    def text(self) -> str:
        limit = self.level.limit
        dollars = self.level.left_microusd
        if dollars is not None and dollars < self.needed_microusd and self.level.left >= self.needed:
            left = f"${dollars / DOLLAR:.4f} of ${(limit.microusd or 0) / DOLLAR:.2f} left"
            return f"{limit.name}: {left}, and the call may cost ${self.needed_microusd / DOLLAR:.4f}"
        if limit.tokens <= 0:
            return f"{limit.name} are 0, and the call needs at least {self.needed:,} tokens"
        left = f"{self.level.left:,} of {limit.tokens:,} tokens left"
        needs = "such a call usually needs" if self.usual else "the call needs at least"
        return f"{limit.name}: {left}, and {needs} {self.needed:,}"


def size_call(
    counted_input: int,
    levels: tuple[Level, ...],
    most_output: int = MAX_OUTPUT_TOKENS,
    least_output: int = MIN_OUTPUT_TOKENS,
    price: Price | None = None,
    usual_output: int = 0,
) -> Grant | Refused:
    """How much output a call may ask for so that input + output fits every limit (R-BUD-4), in dollars too where
    one has them and the price is given.

    `counted_input`: tokens, as the provider counted them. `usual_output`: what such calls took before: with less, it
    would more likely than not be cut short and paid for in vain, so that it is refused where a limit that tasks share
    has less left, and could have more."""
    worst_input = padded(counted_input)
    useful = _useful(worst_input, levels, most_output, least_output, usual_output)
    output = most_output
    for level in sorted(levels, key=lambda level: level.left):
        needed = worst_input + (useful if level.limit.kind else least_output)
        if level.left < needed:
            dollars = worst_cost(worst_input, least_output, price) if price else 0
            usual = needed > worst_input + least_output
            return Refused(level=level, needed=needed, needed_microusd=dollars, usual=usual)
        output = min(output, level.left - worst_input)
    for level in levels:
        if price is None or level.left_microusd is None:
            continue
        wants = useful if level.limit.kind and _can_bear(level.limit, worst_input, useful, price) else least_output
        dollars = worst_cost(worst_input, wants, price)
        if level.left_microusd < dollars:
            return Refused(level=level, needed=worst_input + wants, needed_microusd=dollars)
        output = min(output, affordable_output(worst_input, level.left_microusd, price))
    return Grant(reserve_tokens=worst_input + output, max_output=output)


def takes_the_rest(grant: Grant, levels: tuple[Level, ...]) -> bool:
    """Whether a limit that tasks share is why the call may not ask for more output, or may be: dollars are limited."""
    shared = [level for level in levels if level.limit.kind]
    return any(level.left <= grant.reserve_tokens or level.limit.microusd is not None for level in shared)


def usual_output(outputs: Sequence[int]) -> int:
    """What such a call takes, by the outputs of earlier ones: half of them took less. 0 where too few are known."""
    return sorted(outputs)[len(outputs) // 2] if len(outputs) >= ENOUGH_CALLS else 0


def _useful(worst_input: int, levels: tuple[Level, ...], most: int, least: int, usual: int) -> int:
    """The least output that makes the call worth its price: the usual, but no more than the limits could ever bear, nor
    than the attempt has left in any case."""
    shared = [level.limit.tokens - worst_input for level in levels if level.limit.kind]
    own = [level.left - worst_input for level in levels if not level.limit.kind]
    return max(least, min(usual, most, *shared, *own))


def _can_bear(limit: Limit, worst_input: int, output: int, price: Price) -> bool:
    return limit.microusd is None or worst_cost(worst_input, output, price) <= limit.microusd


def padded(counted_input: int) -> int:
    """Input tokens to reserve for a count that is an estimate."""
    return counted_input + math.ceil(counted_input * COUNT_MARGIN)


def first_red(levels: tuple[Level, ...], red: float) -> Level | None:
    """The counter of the day, a rung's day or the sprint that is at its red mark: no new attempt may start
    (R-BUD-3)."""
    return next((lv for lv in levels if lv.limit.kind and lv.share >= red), None)
