"""When the day's posts are due (R-DAY), in a project's own time, and what becomes of those that were not posted then.

A slot is one post of one kind on one date. How daylight saving moves one is said in domain.local_time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from bot.domain.command_kinds import Slot as SlotKind
from bot.domain.local_time import instant
from bot.domain.task import Frozen
from bot.domain.working_days import WEEKDAYS, WorkingDays

KINDS: tuple[SlotKind, ...] = get_args(SlotKind)
#: What people call each of them.
NAMES: Mapping[SlotKind, str] = {
    "morning": "stand-up",
    "midday": "checkpoint",
    "evening": "consolidation",
    "weekly": "weekly report",
}
#: Later than this counts as late; a firing is never to the second.
ON_TIME = timedelta(minutes=1)
#: How far ahead the next slot is looked for, and how far back missed ones are recorded.
AHEAD = timedelta(days=400)
BACK = timedelta(days=62)

Settled = Literal["due", "missed"]


class Slot(Frozen):
    """One post: its kind, its date in the project's zone, and the instant in UTC."""

    kind: SlotKind
    day: date
    at: datetime

    @property
    def name(self) -> str:
        return NAMES[self.kind]


class Times(Frozen):
    """Local times of the posts; the weekly one is on `weekly_on`, or the last working day of that week before it."""

    morning: time = time(8)
    midday: time = time(12)
    evening: time = time(17)
    weekly: time = time(16)
    weekly_on: str = "fri"

    def changed(self, changes: Mapping[str, str]) -> Times:
        """With some of them changed, written as in the configuration: `08:30`, and for weekly `fri 16:00`."""
        known: dict[str, object] = {}
        for kind, said in changes.items():
            day, _, clock = said.rpartition(" ")
            known[kind] = time.fromisoformat(clock)
            if kind == "weekly":
                known["weekly_on"] = day
        return self.model_copy(update=known)

    def said(self, kind: SlotKind) -> str:
        """One of them as the configuration writes it."""
        at: time = getattr(self, kind)
        return f"{self.weekly_on} {at:%H:%M}" if kind == "weekly" else f"{at:%H:%M}"

    @property
    def disorder(self) -> str | None:
        """Why these times cannot be, or None: the day's posts come in their order."""
        for earlier, later in (("morning", "midday"), ("midday", "evening")):
            if getattr(self, earlier) >= getattr(self, later):
                first, second = self.said(earlier), self.said(later)  # type: ignore[arg-type]
                return f"{earlier} ({first}) must come before {later} ({second})"
        return None


class Timetable(Frozen):
    """All that decides when a project's posts are due."""

    zone: str = "UTC"
    days: WorkingDays = WorkingDays()
    times: Times = Times()
    grace: timedelta = timedelta(minutes=120)  # how late a post still appears

    def on(self, day: date) -> tuple[Slot, ...]:
        """The slots of a date, in their order; none on a day off."""
        if not self.days.includes(day):
            return ()
        kinds = [kind for kind in KINDS if kind != "weekly" or day == self.weekly_day(day)]
        slots = [Slot(kind=kind, day=day, at=instant(day, getattr(self.times, kind), self.zone)) for kind in kinds]
        return tuple(sorted(slots, key=lambda slot: slot.at))

    def weekly_day(self, day: date) -> date | None:
        """The date of the weekly report in the working week of `day`: its weekday, or where that is a day off, the last
        working day before it; None where there is none."""
        first = self.days.week_of(day)
        last = (WEEKDAYS.index(self.times.weekly_on) - first.weekday()) % 7
        fitting = (first + timedelta(days=n) for n in range(last, -1, -1))
        return next((each for each in fitting if self.days.includes(each)), None)

    def between(self, after: datetime, until: datetime) -> tuple[Slot, ...]:
        """The slots whose instant lies in (after, until], in their order."""
        zone = ZoneInfo(self.zone)
        first, last = after.astimezone(zone).date(), until.astimezone(zone).date()
        days = (first + timedelta(days=n) for n in range(-1, (last - first).days + 2))  # a gap may push past midnight
        return tuple(slot for day in days for slot in self.on(day) if after < slot.at <= until)

    def next(self, kind: SlotKind, after: datetime, skipped: Collection[date] = ()) -> Slot | None:
        """The next slot of a kind that is not skipped."""
        day = after.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)
        for _ in range(AHEAD.days):
            for slot in self.on(day):
                if slot.kind == kind and slot.at > after and day not in skipped:
                    return slot
            day += timedelta(days=1)
        return None


def judge(slot: Slot, now: datetime, grace: timedelta) -> Settled:
    """What becomes of a slot that nobody has posted: it is due, perhaps late; or missed for good."""
    return "due" if now - slot.at <= grace else "missed"


def late_minutes(at: datetime, now: datetime) -> int:
    """How late a post is, in whole minutes; 0 where it is on time."""
    late = now - at
    return int(late.total_seconds() // 60) if late > ON_TIME else 0


def why_not_skip(timetable: Timetable, kind: SlotKind, day: date, now: datetime, state: str | None) -> str | None:
    """Why the post of a date cannot be skipped, or None. `state`: of its row, where there is one."""
    if state == "skipped":
        return f"The {NAMES[kind]} of {day} is skipped already."
    if state is not None:
        return f"The {NAMES[kind]} of {day} was {state} already."
    slot = next((slot for slot in timetable.on(day) if slot.kind == kind), None)
    if slot is None and not timetable.days.includes(day):
        return f"{day} ({WEEKDAYS[day.weekday()]}) is a day off: nothing is posted then."
    if slot is None:
        return f"There is no {NAMES[kind]} on {day} ({WEEKDAYS[day.weekday()]})."
    if slot.at <= now:
        return f"The {NAMES[kind]} of {day} was due at {getattr(timetable.times, kind):%H:%M}, which is past."
    return None
