"""What leads order about limits (R-BUD, R-APR): raise one for a while, or put its work off. The rows are the store's.

A raise holds on the days of its period, or for its sprint; a deferral until its last day is over. Both are dates of the
project's own calendar, so that a day of 23 or 25 hours, or a clock that goes back, changes nothing about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Literal

from bot.domain.budget import LimitName, Limits
from bot.domain.prices import DOLLAR
from bot.domain.task import Frozen
from bot.domain.working_days import WorkingDays
from bot.errors import UserMistake

#: The most tokens that one order may add; more can only be a slip of the finger.
MOST_RAISED = 100_000_000
#: The same of dollars, in micro-dollars.
MOST_DOLLARS = 100_000 * DOLLAR
#: The longest that a raise may hold, in days.
LONGEST = 366


class Order(Frozen):
    """One lead's order about one limit. Days are inclusive; `last` None = as long as the sprint."""

    kind: Literal["raise", "defer"]
    limit: LimitName
    tokens: int = 0  # that a raise adds
    microusd: int = 0  # or dollars, to a limit that has some
    sprint: int | None = None  # of an order about the sprint's limit
    first: date
    last: date | None
    who: str

    def holds(self, day: date, sprint: int) -> bool:
        """Whether it is in force. A deferral holds before its first day too: a clock that goes back over midnight must
        not start what was put off."""
        if self.limit == "sprint" and self.sprint != sprint:
            return False
        return (self.kind == "defer" or self.first <= day) and (self.last is None or day <= self.last)


def raised(limits: Limits, orders: Sequence[Order], day: date, sprint: int) -> Limits:
    """The limits with every raise that holds. Dollars are added only where they are limited."""
    more: Counter[str] = Counter()
    dollars: Counter[str] = Counter()
    for order in orders:
        if order.kind == "raise" and order.holds(day, sprint):
            more[order.limit] += order.tokens
            dollars[order.limit] += order.microusd
    if not more:
        return limits
    rungs = {rung: tokens + more[rung.value] for rung, tokens in limits.day.rungs.items()}
    own = limits.sprints.get(sprint, limits.sprint)
    return limits.model_copy(
        update={
            "day": limits.day.model_copy(update={"total": limits.day.total + more["day"], "rungs": rungs}),
            "sprints": {**limits.sprints, sprint: own + more["sprint"]},
            "daily_microusd": _plus(limits.daily_microusd, dollars["day"]),
            "sprint_microusd": _plus(limits.sprint_microusd, dollars["sprint"]),
        }
    )


def _plus(limit: int | None, more: int) -> int | None:
    return None if limit is None else limit + more


def dollars_of(limits: Limits, limit: LimitName) -> int | None:
    """The dollar limit beside the tokens', in micro-dollars; None where dollars are not limited."""
    return {"day": limits.daily_microusd, "sprint": limits.sprint_microusd}.get(limit)


def without_raises(had: int, usual_then: int, usual_now: int, *, moved: bool) -> int:
    """What a task would have for each attempt now if no lead had added to it: what it had before, unless it went to
    another rung since, which gives it that rung's usual budget where nobody asked for another, and never less
    (R-ESC-8)."""
    if not moved:
        return had
    return usual_now if had == usual_then else max(had, usual_now)


def deferral(orders: Sequence[Order], names: Collection[LimitName | None], day: date, sprint: int) -> Order | None:
    """The deferral that holds for one of these limits, the longest first."""
    found = [o for o in orders if o.kind == "defer" and o.limit in names and o.holds(day, sprint)]
    return max(found, key=lambda order: order.last or date.max, default=None)


def raise_order(
    limit: LimitName,
    tokens: int,
    until: date | None,
    *,
    today: date,
    sprint: int,
    who: str,
    microusd: int = 0,
) -> Order:
    """A raise as a person asked for it, of tokens or of dollars: without `until` a day's limit is raised for today, a
    sprint's for the sprint. Raises UserMistake."""
    if not microusd and not 1 <= tokens <= MOST_RAISED:
        raise UserMistake(f"{tokens:,} tokens are out of range: 1 to {MOST_RAISED:,}. Nothing was changed.")
    if not 0 <= microusd <= MOST_DOLLARS:
        raise UserMistake(f"At most ${MOST_DOLLARS // DOLLAR:,} at a time. Nothing was changed.")
    if until is not None and until < today:
        raise UserMistake(f"{until} is over already (today is {today}), so it would raise nothing.")
    if until is not None and until > today + timedelta(days=LONGEST):
        raise UserMistake(f"{until} is too far away: at most {LONGEST} days. For good, change the configuration.")
    of_sprint = limit == "sprint"
    return Order(
        kind="raise", limit=limit, tokens=tokens, microusd=microusd, sprint=sprint if of_sprint else None,
        first=today, last=until or (None if of_sprint else today), who=who,
    )  # fmt: skip


def defer_order(limit: LimitName, *, today: date, sprint: int, days: WorkingDays, who: str) -> Order:
    """Put off what needs the limit until the next working day."""
    last = days.from_(today + timedelta(days=1)) - timedelta(days=1)
    return Order(
        kind="defer", limit=limit, sprint=sprint if limit == "sprint" else None, first=today, last=last, who=who
    )
