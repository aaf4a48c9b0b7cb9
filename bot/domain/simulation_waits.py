"""Who waited for whom in a simulated run, and how long.

A task that waits only for its rung's slots or budget is not looked at again each moment: each rung has a clock for each
thing that holds it up, and the task waited for what these ran meanwhile.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.simulation_model import Wait, WaitKind
from bot.domain.task import Rung

Reason = tuple[WaitKind, str]


class _Waiting(NamedTuple):
    since: datetime
    reason: Reason | None  # None: for its rung
    rung: Rung
    clocks: dict[Reason, float]


class Waits:
    def __init__(self, start: datetime) -> None:
        self.total: dict[Wait, timedelta] = defaultdict(timedelta)
        self.held_up: dict[Rung, Reason | None] = {}  # what holds a rung up now
        self._clocks: dict[Rung, Counter[Reason]] = {rung: Counter() for rung in Rung}
        self._waiting: dict[str, _Waiting] = {}
        self._at = start

    def pass_time(self, now: datetime) -> None:
        """What held each rung up since the last time did so until now. Called before anything changes."""
        seconds = (now - self._at).total_seconds()
        for rung, reason in self.held_up.items():
            if reason is not None:
                self._clocks[rung][reason] += seconds  # type: ignore[assignment]
        self._at = now

    def begin(self, task: str, rung: Rung, now: datetime, reason: Reason | None = None) -> None:
        """The task waits from now on for `reason`, or for whatever holds its rung up. The same again is no change."""
        was = self._waiting.get(task)
        if was is not None:
            if was.reason == reason and was.rung is rung:
                return
            self.end(task, now)
        self._waiting[task] = _Waiting(now, reason, rung, dict(self._clocks[rung]) if reason is None else {})

    def end(self, task: str, now: datetime) -> None:
        """The task waits no longer."""
        was = self._waiting.pop(task, None)
        if was is None:
            return
        if was.reason is not None:
            self._add(task, was.reason, (now - was.since).total_seconds())
            return
        for reason, seconds in self._clocks[was.rung].items():
            self._add(task, reason, seconds - was.clocks.get(reason, 0.0))

    def _add(self, task: str, reason: Reason, seconds: float) -> None:
        if seconds > 0:
            self.total[Wait(task, *reason)] += timedelta(seconds=seconds)
