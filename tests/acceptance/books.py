"""The ledger held against the providers' own books, to the token."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.store.tables import CallRow, CounterRow
from bot.workflows.office import Office

if TYPE_CHECKING:
    from tests.acceptance.models import Models


class Books:
    """Both sides of the money."""

    def __init__(self, office: Office, models: Models) -> None:
        self._office = office
        self._models = models

    async def calls(self) -> list[CallRow]:
        """The ledger's rows, oldest first."""
        async with self._office.db.read() as session:
            return list(await session.scalars(select(CallRow).order_by(CallRow.created_at, CallRow.id)))

    async def agree(self) -> None:
        """Every call is in both books once, with the same tokens; nothing is left reserved; counters add up."""
        calls = await self._ended_calls()
        asked = Counter(call.call_id for call in self._models.asked())
        assert all(times == 1 for times in asked.values()), f"sent twice: {asked}"
        assert set(asked) <= {call.id for call in calls}, "a call was made that the ledger does not know"
        for call in calls:
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
                case other:
                    raise AssertionError(f"{call.id} is still {other}")
        await self._counters_add_up(calls)

    async def _ended_calls(self) -> list[CallRow]:
        """All calls, once none is under way: other tasks of the same bot go on by themselves."""
        for _ in range(600):
            calls = await self.calls()
            if all(call.state not in ("intent", "sent") for call in calls):
                break
            await asyncio.sleep(0.1)
        return calls

    async def _counters_add_up(self, calls: list[CallRow]) -> None:
        used: Counter[str] = Counter()
        for call in calls:
            for scope in call.scopes:
                used[scope] += call.used_tokens
        async with self._office.db.read() as session:
            counters = list(await session.scalars(select(CounterRow)))
        for counter in counters:
            assert (counter.reserved_tokens, counter.reserved_microusd) == (0, 0), f"{counter.scope} is left reserved"
            assert counter.used_tokens == used[counter.scope], counter.scope
