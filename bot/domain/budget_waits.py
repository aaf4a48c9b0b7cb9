"""What waits for budget, and for which limit: asked before an attempt or a review is begun (R-BUD-3, R-ESC-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from bot.domain.budget import MIN_OUTPUT_TOKENS, Level, LimitName
from bot.domain.limit_orders import Order, deferral
from bot.domain.routing import ROWS
from bot.domain.task import Frozen, Route, Rung

#: The rung below, for what can wait no longer for the dearer one.
CHEAPER: Mapping[Rung, Rung] = {Rung.OPUS: Rung.SONNET, Rung.SONNET: Rung.HAIKU}


class Stuck(Frozen):
    """Why a task cannot begin now: the limit it waits for, in words too."""

    limit: LimitName
    why: str


class Need(Frozen):
    """What a task's next call needs at least, as far as an earlier one that was refused has told."""

    tokens: int = 0
    microusd: int = 0


def stuck(
    rung: Rung,
    need: Need,
    levels: Sequence[Level],
    orders: Sequence[Order],
    *,
    day: date,
    sprint: int,
    red: float,
    sonnet: Level | None = None,
) -> Stuck | None:
    """What stands in the way of an attempt on `rung`; `levels` are the rung's day, the day and the sprint.

    Where only haiku's day is gone and sonnet's (`sonnet`) is not, nothing does: the attempt takes it to sonnet
    (R-ESC-5)."""
    put_off = deferral(orders, [level.limit.kind for level in levels], day, sprint)
    if put_off is not None and put_off.last is not None:
        again = put_off.last + timedelta(days=1)
        return Stuck(limit=put_off.limit, why=f"deferred to {again} by a lead ({_name(put_off.limit)})")
    for level in levels:
        why = short(level, need, red)
        if why is None or level.limit.kind is None:
            continue
        if level.limit.kind == "haiku" and rung is Rung.HAIKU and sonnet and short(sonnet, Need(), red) is None:
            continue
        return Stuck(limit=level.limit.kind, why=why)
    return None


def short(level: Level, need: Need, red: float | None) -> str | None:
    """Why a call cannot be made within this limit, or None; the same words while the counter moves. `red` None: what
    has started may go beyond the mark."""
    limit = level.limit
    tokens = need.tokens or MIN_OUTPUT_TOKENS
    if not level.has_room(tokens, need.microusd):
        return f"waiting for {limit.name}: its next call needs at least {tokens:,} of {limit.tokens:,}"
    if red is not None and level.share >= red:
        return f"waiting for {limit.name}: from {red:.0%} on nothing new starts"
    return None


def cheaper(route: Route) -> Rung | str:
    """The rung below that may do the task, or why none may. The security floor holds (R-SEC-1)."""
    below = CHEAPER.get(route.rung)
    if below is None:
        return f"nothing is cheaper than {route.rung} for it"
    if below is Rung.HAIKU and route.security:
        return "it is security-critical, and such work never goes to haiku (R-SEC-1)"
    if below is Rung.HAIKU and ROWS[route.type].haiku == "no":
        return f"haiku may not do {ROWS[route.type].kind}"
    return below


def _name(limit: LimitName) -> str:
    return {"day": "the day's tokens", "sprint": "the sprint's tokens"}.get(limit, f"{limit}'s tokens")
