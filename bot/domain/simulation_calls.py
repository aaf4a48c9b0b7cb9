"""Pays for a simulated run's calls: sized, reserved and settled by the product's own rules (R-BUD-3, R-BUD-4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from bot.domain.batching import may_wait
from bot.domain.budget import Limit, LimitName, Limits, Refused, limits_of_call, padded, size_call
from bot.domain.budget_waits import Need, Stuck, short, stuck
from bot.domain.calls import Purpose, Usage
from bot.domain.limit_orders import Order, raise_order, raised
from bot.domain.prices import cost, worst_cost
from bot.domain.routing import ROWS
from bot.domain.saving import Saving, Spent, measure
from bot.domain.simulation_budget import Counters
from bot.domain.simulation_model import DayEnd, Setup
from bot.domain.simulation_work import Call, Work
from bot.domain.slots import instant
from bot.domain.task import Rung


class Refusal(NamedTuple):
    """Why a call could not be made. `own`: the attempt's budget; `limit`: else the one that stood in the way."""

    own: bool
    limit: LimitName | None
    need: Need
    why: str


class _Paid(NamedTuple):
    task: str
    attempt: int
    rung: Rung
    worker: Rung
    purpose: Purpose
    usage: Usage
    microusd: int
    batch: bool
    day: date


class Cashier:
    def __init__(self, setup: Setup) -> None:
        self._setup, self._project = setup, setup.project
        self.counters = Counters()
        self.refusal = Refusal(False, None, Need(), "")
        self._paid: list[_Paid] = []
        self._stuck: dict[tuple[Rung, int, Need, bool], Stuck | None] = {}
        self._microusd = self._tokens_today = 0
        self._day = setup.day
        self._orders: list[Order] = []
        self._held: dict[int, Limits] = {}  # by sprint, raises included
        self.midnight = self._next_midnight()

    def _next_midnight(self) -> datetime:
        return instant(self._day + timedelta(days=1), time(), self._project.timezone)

    def pass_time(self, ends: list[DayEnd], now: datetime, done: int) -> None:
        """Note how each day ended that is over by `now`: the ledger's day is the project's own."""
        while now >= self.midnight:
            self.day_is_over(ends, now, done)
            self._day += timedelta(days=1)
            self._tokens_today = 0
            self.midnight = self._next_midnight()
            self._stuck.clear()

    def day_is_over(self, ends: list[DayEnd], now: datetime, done: int) -> None:
        ends.append(DayEnd(self._day, done, self._microusd, self._tokens_today))

    def look_at(self, now: datetime) -> None:
        self._stuck.clear()

    def raise_sprint(self, sprint: int, share: float) -> None:
        """A lead adds this share of what the configuration or the plan gave the sprint."""
        limits = self._project.limits
        tokens = max(1, round(limits.sprints.get(sprint, limits.sprint) * share))
        self._orders.append(raise_order("sprint", tokens, None, today=self._day, sprint=sprint, who="lead"))
        self._held[sprint] = raised(limits, self._orders, self._day, sprint)
        self._stuck.clear()

    @property
    def tokens_raised(self) -> int:
        return sum(order.tokens for order in self._orders)

    def edit(self, work: Work, wanted: Usage, *, repair: bool = False) -> Call | None:
        """An attempt's call, or its repair. None: `refusal` says why."""
        purpose: Purpose = "repair" if repair else "report" if work.is_report else "edit"
        return self._call(work, purpose, work.rung, wanted, work.task.token_budget)

    def review(self, work: Work, wanted: Usage) -> Call | None:
        return self._call(work, "review", Rung.GEMINI, wanted, 0)

    def _limits(self, work: Work, rung: Rung, budget: int) -> tuple[Limit, ...]:
        sprint = work.planned.task.sprint
        return limits_of_call(
            self._held.get(sprint, self._project.limits), project=self._project.key, task=work.id,
            attempt=work.attempt, sprint=sprint, rung=rung, day=self._day, budget=budget,
            approved=rung is Rung.OPUS and work.opus_approved,
        )  # fmt: skip

    def _call(self, work: Work, purpose: Purpose, rung: Rung, wanted: Usage, budget: int) -> Call | None:
        batch = may_wait(work.task.priority, purpose, rung, enabled=self._setup.batches, left_unanswered=False)
        price = self._setup.prices[self._project.models[rung]].of(batch)
        limits = self._limits(work, rung, budget)
        counted = wanted.input + wanted.cache_read
        sized = size_call(counted, self.counters.levels(limits), price=price)
        if isinstance(sized, Refused):
            kind = sized.level.limit.kind
            need = Need(tokens=sized.needed, microusd=sized.needed_microusd)
            self.refusal = Refusal(kind is None, kind, need, sized.text)
            return None
        worst = worst_cost(padded(counted), sized.max_output, price)
        held = self.counters.reserve(limits, sized.reserve_tokens, worst)
        self._stuck.clear()
        return Call(purpose, rung, wanted, held, sized.max_output, batch, 0.0)

    def settle(self, work: Work, call: Call) -> None:
        price = self._setup.prices[self._project.models[call.rung]].of(call.batch)
        microusd = cost(call.used, price)
        self.counters.settle(call.held, call.used.total, microusd)
        self._microusd += microusd
        self._tokens_today += call.used.total
        self._paid.append(
            _Paid(work.id, work.attempt, call.rung, work.rung, call.purpose, call.used, microusd, call.batch, self._day)
        )

    def stuck(self, work: Work) -> Stuck | None:
        """The limit that the task's next attempt waits for (R-BUD-3)."""
        rung, sprint = work.rung, work.planned.task.sprint
        if rung is Rung.MANUAL:
            return None
        approved = rung is Rung.OPUS and work.opus_approved
        key = (rung, sprint, work.need, approved)
        if key not in self._stuck:
            levels = self.counters.levels([o for o in self._limits(work, rung, 1 if approved else 0) if o.kind])
            (sonnet,) = self.counters.levels(self._limits(work, Rung.SONNET, 0)[:1])
            self._stuck[key] = stuck(
                rung, work.need, levels, (), day=self._day, sprint=sprint, red=self._project.limits.red, sonnet=sonnet
            )
        return self._stuck[key]

    def review_is_short(self, work: Work) -> Stuck | None:
        """The limit that its review waits for; what has started may go beyond the red mark."""
        levels = self.counters.levels(self._limits(work, Rung.GEMINI, 0))
        found = ((level.limit.kind, short(level, work.need, None)) for level in levels)
        return next((Stuck(limit=kind, why=why) for kind, why in found if kind and why), None)

    def saving(self, works: Mapping[str, Work]) -> Saving:
        """What was paid, against all of it on sonnet (R-BUD-5)."""
        models = self._project.models
        spent = [
            Spent(
                rung=paid.rung, model=models[paid.rung], purpose=paid.purpose, day=paid.day, usage=paid.usage,
                cost_microusd=paid.microusd, batch=paid.batch, accepted=paid.attempt in works[paid.task].passed,
                worker=paid.worker, haiku_first=ROWS[works[paid.task].task.route.type].haiku != "yes",
            )
            for paid in self._paid
        ]  # fmt: skip
        return measure(spent, lambda model, _: self._setup.prices[model], models[Rung.SONNET])
