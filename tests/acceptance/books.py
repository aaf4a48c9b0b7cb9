"""The ledger held against the providers' own books, to the token."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.store.ledger import OPEN
from bot.store.tables import CallRow, CounterRow
from bot.workflows.office import Office

if TYPE_CHECKING:
    from tests.acceptance.models import Models


class Books:
    """Both sides of the money."""

    def __init__(self, office: Office, models: Models, since: datetime) -> None:
        self._office = office
        self._models = models
        self._since = since  # earlier calls were made of the providers of an earlier conversation

    async def calls(self) -> list[CallRow]:
        """The ledger's rows, oldest first."""
        async with self._office.db.read() as session:
            return list(await session.scalars(select(CallRow).order_by(CallRow.created_at, CallRow.id)))

    async def agree(self) -> None:
        """Every call is in both books once, with the same tokens; nothing is left reserved; counters add up."""
        for _ in range(600):  # other tasks of the same bot go on by themselves
            if all(call.state not in OPEN for call in await self.calls()):
                break
            await asyncio.sleep(0.1)
        calls = await self.so_far()
        assert not (under_way := [call.id for call in calls if call.state in OPEN]), f"still under way: {under_way}"

    async def so_far(self) -> list[CallRow]:
        """The same while calls may be under way, which hold what they reserved; the ledger's rows. Every conversation
        ends with it."""
        asked = Counter(call.call_id for call in self._models.asked())  # first: each has its row before it is sent
        assert all(times == 1 for times in asked.values()), f"sent twice: {asked}"
        calls, counters = await self._both()
        assert set(asked) <= {call.id for call in calls}, "a call was made that the ledger does not know"
        for call in calls:
            if call.created_at >= self._since:
                self._agrees(call)
        _counters_add_up(calls, counters)
        return calls

    def _agrees(self, call: CallRow) -> None:
        billed = sum(paid.billed_tokens for paid in self._models.script.paid(call.id))
        match call.state:
            case "settled":
                assert call.used_tokens == billed > 0, (call.id, call.used_tokens, billed)
                assert call.used_tokens <= call.reserved_tokens, f"{call.id} used more than it reserved"
                assert call.cost_microusd > 0
            case "unknown":
                assert call.used_tokens == call.reserved_tokens >= billed, (call.id, billed)
            case "corrected":
                assert call.answered_by is None, f"{call.id} was answered; nothing about it was unknown"
            case "refused":
                assert call.used_tokens == billed == 0, (call.id, billed)
            case _:
                assert call.used_tokens == 0, f"{call.id} is {call.state} and used something"

    async def _both(self) -> tuple[list[CallRow], list[CounterRow]]:
        """Calls and counters of one moment: nothing moved between them."""
        before: list[tuple[str, str]] = []
        while True:
            async with self._office.db.read() as session:
                counters = list(await session.scalars(select(CounterRow)))
            calls = await self.calls()
            states = [(call.id, call.state) for call in calls]
            if states == before:
                return calls, counters
            before = states


def _counters_add_up(calls: list[CallRow], counters: list[CounterRow]) -> None:
    used: Counter[str] = Counter()
    held: Counter[str] = Counter()
    dollars: Counter[str] = Counter()
    for call in calls:
        for scope in call.scopes:
            used[scope] += call.used_tokens
            held[scope] += call.reserved_tokens if call.state in OPEN else 0
            dollars[scope] += call.reserved_microusd if call.state in OPEN else 0
    for counter in counters:
        reserved = (counter.reserved_tokens, counter.reserved_microusd)
        assert reserved == (held[counter.scope], dollars[counter.scope]), f"{counter.scope}: {reserved} reserved"
        assert counter.used_tokens == used[counter.scope], counter.scope
