"""The counters of a simulated ledger: reserved, then used, as store.ledger keeps them (R-BUD-3, R-BUD-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.budget import Level, Limit


@dataclass(slots=True)
class _Counter:
    used: int = 0
    reserved: int = 0
    used_microusd: int = 0
    reserved_microusd: int = 0


class Reservation(NamedTuple):
    """What one call holds until it is settled."""

    scopes: tuple[str, ...]
    tokens: int
    microusd: int


class Counters:
    def __init__(self) -> None:
        self._counters: dict[str, _Counter] = {}
        self.over: set[str] = set()  # limits that were exceeded: a defect

    def levels(self, limits: Sequence[Limit]) -> tuple[Level, ...]:
        return tuple(self._level(limit) for limit in limits)

    def _level(self, limit: Limit) -> Level:
        own = self._counters.get(limit.scope)
        if own is None:
            return Level(limit=limit)
        return Level.model_construct(
            limit=limit, used_tokens=own.used, reserved_tokens=own.reserved, used_microusd=own.used_microusd,
            reserved_microusd=own.reserved_microusd,
        )  # fmt: skip

    def reserve(self, limits: Sequence[Limit], tokens: int, microusd: int) -> Reservation:
        for limit in limits:
            own = self._counters.setdefault(limit.scope, _Counter())
            own.reserved += tokens
            own.reserved_microusd += microusd
            dollars = own.used_microusd + own.reserved_microusd
            if own.used + own.reserved > limit.tokens or (limit.microusd is not None and dollars > limit.microusd):
                self.over.add(limit.name)
        return Reservation(tuple(limit.scope for limit in limits), tokens, microusd)

    def settle(self, held: Reservation, tokens: int, microusd: int) -> None:
        for scope in held.scopes:
            own = self._counters[scope]
            own.reserved -= held.tokens
            own.reserved_microusd -= held.microusd
            own.used += tokens
            own.used_microusd += microusd
