"""Pays for a simulated run's calls: sized, reserved and settled by the product's own rules (R-BUD-3, R-BUD-4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from bot.domain import caching
from bot.domain.batching import longest, may_begin, waits_until
from bot.domain.budget import Level, Limit, LimitName, Limits, Refused, attempt_limit, limits_of_call, padded, size_call
from bot.domain.budget_waits import Need, Stuck, short, stuck
from bot.domain.calls import Purpose, Usage
from bot.domain.limit_orders import Order, raise_order, raised
from bot.domain.local_time import end_of
from bot.domain.models import cacheable_from
from bot.domain.order import hurries
from bot.domain.prices import cost, worst_cost
from bot.domain.routing import ROWS
from bot.domain.saving import Saving, Spent, measure
from bot.domain.simulation_budget import Counters
from bot.domain.simulation_model import DayEnd, Setup
from bot.domain.simulation_work import Call, Work
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
    model: str
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
        self._shared: dict[tuple[Rung, int, bool], tuple[Limit, ...]] = {}
        self._levels: dict[tuple[Rung, int, bool], tuple[Level, ...]] = {}
        self._microusd = self._tokens_today = 0
        self._now, self._day = setup.start, setup.day
        self.due: Mapping[str, datetime] = {}  # the last moments for answers
        self._cached: dict[str, datetime] = {}  # model -> until when the beginning of all prompts is kept
        self._orders: list[Order] = []
        self._held: dict[int, Limits] = {}  # by sprint, raises included
        self.midnight = end_of(self._day, self._project.timezone)

    def pass_time(self, ends: list[DayEnd], now: datetime, done: int) -> None:
        """Note how each day ended that is over by `now`: the ledger's day is the project's own."""
        self._now = now
        while now >= self.midnight:
            self.day_is_over(ends, done)
            self._day += timedelta(days=1)
            self._tokens_today = 0
            self.midnight = end_of(self._day, self._project.timezone)
            self._shared.clear()
            self._moved()

    def day_is_over(self, ends: list[DayEnd], done: int) -> None:
        ends.append(DayEnd(self._day, done, self._microusd, self._tokens_today))

    def look_at(self, now: datetime) -> None:
        self._now = now

    def prompts_changed(self) -> None:
        """Something was merged: prompts name other paths from now on."""
        self._cached.clear()

    def raise_sprint(self, sprint: int, share: float) -> None:
        """A lead adds this share of what the configuration or the plan gave the sprint."""
        limits = self._project.limits
        tokens = max(1, round(limits.sprints.get(sprint, limits.sprint) * share))
        self._orders.append(raise_order("sprint", tokens, None, today=self._day, sprint=sprint, who="lead"))
        self._held[sprint] = raised(limits, self._orders, self._day, sprint)
        self._shared.clear()
        self._moved()

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
        approved = rung is Rung.OPUS and work.opus_approved and budget > 0
        shared = self._shared_limits(rung, work.planned.task.sprint, approved)
        return (attempt_limit(self._project.key, work.id, work.attempt, budget), *shared) if budget else shared

    def _shared_limits(self, rung: Rung, sprint: int, approved: bool) -> tuple[Limit, ...]:
        """Those of the day, the rung's day and the sprint, made once for as long as they stay the same."""
        key = (rung, sprint, approved)
        if key not in self._shared:
            of_call = limits_of_call(
                self._held.get(sprint, self._project.limits), project=self._project.key, task="", attempt=0,
                sprint=sprint, rung=rung, day=self._day, budget=1 if approved else 0, approved=approved,
            )  # fmt: skip
            self._shared[key] = tuple(limit for limit in of_call if limit.kind)
        return self._shared[key]

    def _shared_levels(self, rung: Rung, sprint: int, approved: bool) -> tuple[Level, ...]:
        key = (rung, sprint, approved)
        if key not in self._levels:
            self._levels[key] = self.counters.levels(self._shared_limits(*key))
        return self._levels[key]

    def _moved(self) -> None:
        """Some counter is another now."""
        self._stuck.clear()
        self._levels.clear()

    def again(self, work: Work, call: Call) -> Call | None:
        """The same call at the usual price, once it came back from a batch without an answer."""
        return self._call(work, call.purpose, call.rung, call.wanted, call.budget, now=True)

    def release(self, call: Call) -> None:
        """It was cancelled: nothing is owed."""
        self.counters.settle(call.held, 0, 0)
        self._moved()

    def model(self, work: Work, rung: Rung) -> str:
        """The model that a call of the task goes to."""
        security = work.task.route.security
        return self._project.reviewer(security=security) if rung is Rung.GEMINI else self._project.models[rung]

    def _call(
        self, work: Work, purpose: Purpose, rung: Rung, wanted: Usage, budget: int, *, now: bool = False
    ) -> Call | None:
        until = None if now else self._waits_until(work, purpose, rung)
        price = self._setup.prices[self.model(work, rung)].of(until is not None)
        limits = self._limits(work, rung, budget)
        sized = size_call(wanted.input, self.counters.levels(limits), price=price)
        if isinstance(sized, Refused):
            kind = sized.level.limit.kind
            need = Need(tokens=sized.needed, microusd=sized.needed_microusd)
            self.refusal = Refusal(kind is None, kind, need, sized.text)
            return None
        worst = worst_cost(padded(wanted.input), sized.max_output, price)
        held = self.counters.reserve(limits, sized.reserve_tokens, worst)
        self._moved()
        return Call(purpose, rung, wanted, held, sized.max_output, budget=budget, until=until)

    def _waits_until(self, work: Work, purpose: Purpose, rung: Rung) -> datetime | None:
        """Until when the call waits in a batch, if it does. What something more urgent waits for is pulled out at
        once, so it does not."""
        project, task = self._project, work.task
        if not may_begin(project, task, self.due, purpose, rung, self._now):
            return None
        if any(hurries(other.task, task, self.due) for other in work.behind):
            return None
        until = waits_until(project, task, self.due)
        return None if until is None else min(until, self._now + longest(project, purpose))

    def _billed(self, call: Call, model: str) -> Usage:
        """What the provider bills, with the beginning that it may have kept (domain.caching). A batch is worked on when
        the provider likes, so nothing is kept for it."""
        used, shared = call.used, self._setup.assumed.shared_tokens
        if call.purpose not in ("edit", "repair") or call.batch or used.input < shared:
            return used
        if not caching.worth_caching(shared, cacheable_from(model), self._setup.prices[model]):
            return used
        is_kept = self._cached.get(model, self._now) > self._now
        self._cached[model] = self._now + timedelta(minutes=self._setup.assumed.cache_minutes)
        kept = {"cache_read": shared} if is_kept else {"cache_write": shared}
        return used.model_copy(update={"input": used.input - shared, **kept})

    def settle(self, work: Work, call: Call) -> Usage:
        """The call is paid for; what was billed."""
        model = self.model(work, call.rung)
        used = self._billed(call, model)
        microusd = cost(used, self._setup.prices[model].of(call.batch))
        self.counters.settle(call.held, used.total, microusd)
        self._moved()
        self._microusd += microusd
        self._tokens_today += used.total
        paid = _Paid(
            work.id, work.attempt, call.rung, model, work.rung, call.purpose, used, microusd, call.batch, self._day
        )
        self._paid.append(paid)
        return used

    def stuck(self, work: Work) -> Stuck | None:
        """The limit that the task's next attempt waits for (R-BUD-3)."""
        rung, sprint = work.rung, work.planned.task.sprint
        if rung is Rung.MANUAL:
            return None
        approved = rung is Rung.OPUS and work.opus_approved
        key = (rung, sprint, work.need, approved)
        if key not in self._stuck:
            levels = self._shared_levels(rung, sprint, approved)
            (sonnet, *_) = self._shared_levels(Rung.SONNET, sprint, approved=False)
            self._stuck[key] = stuck(
                rung, work.need, levels, (), day=self._day, sprint=sprint, red=self._project.limits.red, sonnet=sonnet
            )
        return self._stuck[key]

    def review_is_short(self, work: Work) -> Stuck | None:
        """The limit that its review waits for; what has started may go beyond the red mark."""
        levels = self._shared_levels(Rung.GEMINI, work.planned.task.sprint, approved=False)
        found = ((level.limit.kind, short(level, work.need, None)) for level in levels)
        return next((Stuck(limit=kind, why=why) for kind, why in found if kind and why), None)

    def saving(self, works: Mapping[str, Work]) -> Saving:
        """What was paid, against all of it on sonnet (R-BUD-5)."""
        models = self._project.models
        spent = [
            Spent(
                rung=paid.rung, model=paid.model, purpose=paid.purpose, day=paid.day, usage=paid.usage,
                cost_microusd=paid.microusd, batch=paid.batch, accepted=paid.attempt in works[paid.task].passed,
                worker=paid.worker, haiku_first=ROWS[works[paid.task].task.route.type].haiku != "yes",
            )
            for paid in self._paid
        ]  # fmt: skip
        return measure(spent, lambda model, _: self._setup.prices[model], models[Rung.SONNET], self._project.lighter)
