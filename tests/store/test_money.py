"""Any history of reservations, answers, crashes, corrections, raises and days, against a model in Python (R-BUD-4).

The store is real (SQLite, in memory); the model below is what the counters have to say after each step."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.domain.budget import Limits, limits_of_call
from bot.domain.calls import Usage
from bot.domain.limit_orders import Order, raise_order, raised
from bot.domain.task import Rung
from bot.settings import parse_config
from bot.store import ledger
from bot.store.tables import Base, CallRow, CounterRow
from tests.store.samples import NOW, a_call, a_task

T = TypeVar("T")
OPEN = ("intent", "sent")
TINY = {"token_budget_daily": 1_000, "token_budget_sprint": 2_500, "budgets": {"daily": {"haiku": 600, "sonnet": 700}}}
LIMITS: Limits = parse_config(TINY).limits


@dataclass
class Known:
    """A call as the model sees it."""

    scopes: tuple[str, ...]
    reserved: int
    state: str = "intent"
    used: int = 0


class Money(RuleBasedStateMachine):
    calls = Bundle("calls")

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.engine: AsyncEngine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.known: dict[str, Known] = {}
        self.orders: list[Order] = []
        self.day, self.sprint = date(2026, 2, 2), 1
        self.most: Counter[str] = Counter()  # the highest that each limit ever was
        self.run(self._tables())

    async def _tables(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with self.sessions() as session, session.begin():
            row = a_task()
            session.add(row)
            await session.flush()
            self.task = row

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(self.engine.dispose())
            self.loop.close()

    @rule(target=calls, rung=st.sampled_from([Rung.HAIKU, Rung.SONNET]), tokens=st.integers(1, 400))
    def reserve(self, rung: Rung, tokens: int) -> str:
        held = raised(LIMITS, self.orders, self.day, self.sprint)
        limits = limits_of_call(
            held, project="GRANTER", task="T", attempt=1, sprint=self.sprint, rung=rung, day=self.day, budget=0
        )
        call_id = f"GRANTER/T/1/{len(self.known) + 1}"
        fits = all(self._taken(limit.scope) + tokens <= limit.tokens for limit in limits)
        assert self.run(self._reserve(call_id, limits, tokens)) == fits
        if fits:
            self.known[call_id] = Known(tuple(limit.scope for limit in limits), tokens)
            for limit in limits:
                self.most[limit.scope] = max(self.most[limit.scope], limit.tokens)
        else:
            self.known[call_id] = Known((), 0, "never")
        return call_id

    async def _reserve(self, call_id: str, limits: Any, tokens: int) -> bool:
        async with self.sessions() as session, session.begin():
            if await ledger.reserve(session, limits, tokens, tokens * 2) is not None:
                await session.rollback()
                return False
            number = len(self.known) + 1
            session.add(a_call(self.task, number, tokens, id=call_id, scopes=[limit.scope for limit in limits]))
            return True

    @rule(call=calls)
    def send(self, call: str) -> None:
        known = self.known[call]
        assert self.run(self._in(ledger.claim, call)) == (known.state == "intent"), "sent once ever"
        known.state = "sent" if known.state == "intent" else known.state

    @rule(call=calls, share=st.floats(0, 1))
    def settle(self, call: str, share: float) -> None:
        used = round(self.known[call].reserved * share)
        self._close(call, "settled", used, Usage(input=used))

    @rule(call=calls)
    def refuse(self, call: str) -> None:
        self._close(call, "refused", 0)

    @rule(call=calls)
    def lose(self, call: str) -> None:
        """Its outcome is unknown: charged in full."""
        self._close(call, "unknown", self.known[call].reserved)

    def _close(self, call: str, state: str, used: int, usage: Usage | None = None) -> None:
        known = self.known[call]
        if known.state == "never":
            return
        assert self.run(self._settle(call, state, usage)) == (known.state in OPEN), "settled once"
        if known.state in OPEN:
            known.state, known.used = state, used

    async def _settle(self, call: str, state: str, usage: Usage | None) -> bool:
        async with self.sessions() as session, session.begin():
            row = await session.get_one(CallRow, call)
            return await ledger.settle(session, row, state, at=NOW, usage=usage)

    async def _in(self, function: Any, *args: Any) -> Any:
        async with self.sessions() as session, session.begin():
            return await function(session, *args)

    @rule()
    def crash_and_sweep(self) -> None:
        """The process died: what was sent is unknown, what was not owes nothing. Twice changes nothing."""
        for _twice in range(2):
            self.run(self._sweep())
        for known in self.known.values():
            if known.state == "intent":
                known.state = "refused"
            elif known.state == "sent":
                known.state, known.used = "unknown", known.reserved

    async def _sweep(self) -> None:
        async with self.sessions() as session, session.begin():
            left = await ledger.left_since(session, NOW + timedelta(days=1))
            await ledger.close_left(session, left, at=NOW, why="left")

    @rule(call=calls, tokens=st.integers(0, 500))
    def correct(self, call: str, tokens: int) -> None:
        known = self.known[call]
        if known.state == "never":
            return
        assert self.run(self._correct(call, tokens)) == (known.state == "unknown"), "corrected once"
        if known.state == "unknown":
            known.state, known.used = "corrected", tokens
            for scope in known.scopes:  # a lead may say that it took more than it had reserved
                self.most[scope] += max(0, tokens - known.reserved)

    async def _correct(self, call: str, tokens: int) -> bool:
        async with self.sessions() as session, session.begin():
            return await ledger.correct(session, await session.get_one(CallRow, call), tokens)

    @rule(
        limit=st.sampled_from(["day", "sprint", "haiku", "sonnet"]), tokens=st.integers(1, 500), more=st.integers(0, 2)
    )
    def raise_it(self, limit: Any, tokens: int, more: int) -> None:
        until = self.day + timedelta(days=more) if more else None
        self.orders.append(raise_order(limit, tokens, until, today=self.day, sprint=self.sprint, who="U0LEAD"))

    @rule()
    def reset(self) -> None:
        self.orders.clear()

    @rule(days=st.sampled_from([1, 1, 1, -1, 3]))
    def turn_the_day(self, days: int) -> None:
        """Also back: an earlier day has what it had."""
        self.day += timedelta(days=days)

    @rule()
    def next_sprint(self) -> None:
        self.sprint += 1

    def _taken(self, scope: str) -> int:
        mine = [known for known in self.known.values() if scope in known.scopes]
        return sum(known.reserved if known.state in OPEN else known.used for known in mine)

    @invariant()
    def counters_say_what_the_model_says(self) -> None:
        if not hasattr(self, "known"):
            return
        counters = {row.scope: row for row in self.run(self._counters())}
        for scope, row in counters.items():
            mine = [known for known in self.known.values() if scope in known.scopes]
            assert row.used_tokens == sum(known.used for known in mine if known.state not in OPEN)
            assert row.reserved_tokens == sum(known.reserved for known in mine if known.state in OPEN)
            assert row.used_tokens + row.reserved_tokens <= self.most[scope], "no limit was ever exceeded"
            if not row.reserved_tokens:
                assert row.reserved_microusd == 0

    async def _counters(self) -> list[CounterRow]:
        session: AsyncSession
        async with self.sessions() as session:
            return list(await session.scalars(select(CounterRow)))


Money.TestCase.settings = settings(max_examples=20, stateful_step_count=25, suppress_health_check=list(HealthCheck))
TestMoney = Money.TestCase
