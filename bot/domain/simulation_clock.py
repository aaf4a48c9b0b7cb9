"""Model time: what happens when, in one heap (issue 4)."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from bot.domain.simulation_work import Act, Work
from bot.domain.working_hours import WorkingHours

Event = tuple[datetime, int, Callable[[], None]]


class Clock:
    """`passes` is told of each moment before anything happens there."""

    def __init__(self, start: datetime, hours: WorkingHours, passes: Callable[[datetime], None]) -> None:
        self.now = start
        self._hours, self._passes = hours, passes
        self._events: list[Event] = []
        self._number = count()

    def __bool__(self) -> bool:
        """Whether anything is still to happen."""
        return bool(self._events)

    def step(self) -> None:
        """All that happens at the next moment."""
        moment = self._events[0][0]
        self.go_to(moment)
        while self._events and self._events[0][0] == moment:
            heapq.heappop(self._events)[2]()

    def go_to(self, moment: datetime) -> None:
        self._passes(moment)
        self.now = moment

    def at(self, moment: datetime, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._number), happens))

    def later(self, minutes: float, act: Act, work: Work) -> None:
        self.at(self.now + timedelta(minutes=minutes), partial(act, work))

    def after_working(self, minutes: float, act: Act, work: Work) -> None:
        """In so much working time of people."""
        self.at(self._hours.after(self.now, timedelta(minutes=minutes)), partial(act, work))
