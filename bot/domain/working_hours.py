"""When people may be alerted: their working days without their quiet hours, across changes of the clocks (issue 5).

Everything follows from one thing: the open spans of a local day, as moments in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.local_time import DAY, MIDNIGHT, instant
from bot.domain.task import Frozen
from bot.domain.working_days import LONGEST_BREAK, WorkingDays


class WorkingHours(Frozen):
    """The hours of a project or a person. `quiet`: from, to (local); the same twice = no quiet hours."""

    zone: str = "UTC"
    days: WorkingDays = WorkingDays()
    quiet: tuple[time, time] = (time(20), time(7))

    def next_open(self, at: datetime) -> datetime:
        """This moment, or the next at which one may be alerted. Where there is none within a year, which can only be
        a mistake in the configuration, it is this moment."""
        for start, end in self._spans_from(at):
            if at < end:
                return max(at, start)
        return at

    def is_open(self, at: datetime) -> bool:
        return self.next_open(at) == at

    def held_until(self, at: datetime, *, critical: bool = False) -> datetime | None:
        """Until when a message is kept from its reader; None = it may reach them now. What is critical always may.
        Everything that Orch writes to a person of its own accord asks this, and nothing else."""
        opens = at if critical else self.next_open(at)
        return None if opens == at else opens

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments; nothing where `end` comes first."""
        total = timedelta()
        for opens, closes in self._spans_from(start):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, start))
        return total

    def after(self, at: datetime, working: timedelta) -> datetime:
        """The moment by which so much working time has passed; where there is none within a year, that much later."""
        for opens, closes in self._spans_from(at):
            begins = max(at, opens)
            if begins + working <= closes:
                return begins + working
            working -= max(timedelta(), closes - begins)
        return at + working

    def before(self, at: datetime, working: timedelta) -> datetime:
        """The moment from which so much working time is left until `at`; where there is none within a year, so much
        earlier."""
        last = at.astimezone(ZoneInfo(self.zone)).date()
        for number in range(LONGEST_BREAK):
            day = last - number * DAY
            for opens, closes in reversed(list(self._spans(day)) if self.days.includes(day) else []):
                ends = min(at, closes)
                if ends - working >= opens:
                    return ends - working
                working -= max(timedelta(), ends - opens)
        return at - working

    def _spans_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open spans (UTC), in order, from the local day of `at`."""
        first = at.astimezone(ZoneInfo(self.zone)).date()
        for number in range(LONGEST_BREAK):
            day = first + number * DAY
            if self.days.includes(day):
                yield from self._spans(day)

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        quiet_from, quiet_to = self.quiet
        edges = [(MIDNIGHT, 0), (MIDNIGHT, 1)]  # (local time, days later)
        if quiet_from > quiet_to:  # over night
            edges = [(quiet_to, 0), (quiet_from, 0)]
        elif quiet_from < quiet_to:  # by day
            edges[1:1] = [(quiet_from, 0), (quiet_to, 0)]
        moments = [instant(day + later * DAY, clock, self.zone) for clock, later in edges]
        for start, end in zip(moments[::2], moments[1::2], strict=True):
            if start < end:
                yield start, end
