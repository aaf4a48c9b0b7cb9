"""What `/orch budget` says beyond the counters: who took how much, and where the day will end (R-BUD-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from bot.domain.local_time import MIDNIGHT, end_of, instant
from bot.domain.task import Frozen
from bot.domain.working_hours import WorkingHours

#: So many tasks, and so many people, are named; the rest is one sum.
FEW = 5
#: Before so much of the day's working time is over, its rate says nothing.
LEAST_WORKED = timedelta(hours=1)


class Taken(Frozen):
    """What one task's calls on one rung took: used, and still reserved (its dollars too)."""

    task: str
    person: str  # who asked for the task
    rung: str
    used: int = 0
    reserved: int = 0
    microusd: int = 0


class Part(Frozen):
    """One task's, person's or rung's part of a sum. `name` "" = the rest, of `count` together."""

    name: str
    used: int = 0
    reserved: int = 0
    microusd: int = 0
    count: int = 1

    @property
    def taken(self) -> int:
        return self.used + self.reserved


class Projection(Frozen):
    """The day's tokens when it is over, or why nobody can say yet."""

    tokens: int | None = None
    why_none: str = ""


def parts(taken: Iterable[Taken], by: str, few: int = FEW) -> tuple[Part, ...]:
    """The parts of each `task`, `person` or `rung`, the largest first; what is beyond `few` is one part without a
    name. Their sum is the sum of all."""
    found: dict[str, Part] = {}
    for each in taken:
        name = getattr(each, by)
        found[name] = _sum(name, [found.get(name, Part(name=name)), each])
    ordered = sorted(found.values(), key=lambda part: (-part.taken, part.name))
    rest = ordered[few:]
    if len(rest) < 2:  # as short as naming it
        return tuple(ordered)
    return (*ordered[:few], _sum("", rest).model_copy(update={"count": len(rest)}))


def _sum(name: str, each: Iterable[Part | Taken]) -> Part:
    every = list(each)
    return Part(
        name=name,
        used=sum(part.used for part in every),
        reserved=sum(part.reserved for part in every),
        microusd=sum(part.microusd for part in every),
    )


def projection(used: int, reserved: int, hours: WorkingHours, day: date, now: datetime) -> Projection:
    """Where the day will end: what was used, at the rate of its working hours so far, and never less than what is
    used and reserved now. Across changes of the clocks: a day has as many hours as it has."""
    start = instant(day, MIDNIGHT, hours.zone)
    whole, worked = hours.between(start, end_of(day, hours.zone)), hours.between(start, now)
    if not whole:
        return Projection(why_none="today is a day off, so there is no pace")
    if worked < LEAST_WORKED:
        return Projection(why_none="too early to say where the day will end")
    return Projection(tokens=max(used + reserved, round(used * (whole / worked))))
