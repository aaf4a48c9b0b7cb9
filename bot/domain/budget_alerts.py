"""When a limit gives cause for an alert (R-BUD-3): yellow, then red, each once for a limit and its period."""

from __future__ import annotations

from typing import Literal

from bot.domain.budget import Level, LimitName
from bot.domain.task import Frozen

Mark = Literal["yellow", "red"]


class Alert(Frozen):
    """One alert. `key` is the same for the same mark of the same limit and period: once. A limit that was raised is
    another one, and its marks count anew."""

    mark: Mark
    level: Level
    limit: LimitName

    @property
    def key(self) -> str:
        limit = self.level.limit
        dollars = "" if limit.microusd is None else f"-{limit.microusd}"
        return f"budget/{limit.scope}/{limit.tokens}{dollars}/{self.mark}"


def crossed(before: Level, after: Level, *, yellow: float, red: float) -> Alert | None:
    """The alert for what a reservation or a settlement did to one counter: the highest mark that it crossed."""
    if after.limit.kind is None or after.limit.tokens <= 0:
        return None
    marks: tuple[tuple[Mark, float], ...] = (("red", red), ("yellow", yellow))
    for mark, at in marks:
        if before.share < at <= after.share:
            return Alert(mark=mark, level=after, limit=after.limit.kind)
    return None


def exhausted(level: Level) -> Alert | None:
    """The alert for a call that did not fit into what is left, whatever the share: red. None for limits of 0, which
    only a person's approval opens, and for those that are nobody's to raise."""
    if level.limit.kind is None or level.limit.tokens <= 0:
        return None
    return Alert(mark="red", level=level, limit=level.limit.kind)


def before(after: Level, tokens: int, microusd: int) -> Level:
    """The level before so much was reserved."""
    return after.model_copy(
        update={
            "reserved_tokens": after.reserved_tokens - tokens,
            "reserved_microusd": after.reserved_microusd - microusd,
        }
    )
