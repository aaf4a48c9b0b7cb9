"""What a person sets for themselves: leave, zone, quiet hours, and how alerts reach them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from bot.domain.task import Frozen
from bot.domain.working_hours import WorkingHours


class PersonSettings(Frozen):
    """None = what the project says."""

    away_until: date | None = None  # the day on which they are back
    zone: str | None = None
    quiet_from: time | None = None  # local
    quiet_to: time | None = None
    digest: bool = True  # what gathered in quiet time comes as one message
    notify: Literal["dm", "thread"] = "dm"

    def hours(self, project: WorkingHours) -> WorkingHours:
        """When this person may be alerted about a project with these hours."""
        start, end = project.quiet
        quiet = (start if self.quiet_from is None else self.quiet_from, end if self.quiet_to is None else self.quiet_to)
        return WorkingHours(zone=self.zone or project.zone, days=project.days, quiet=quiet)

    def is_away(self, now: datetime, zone: str) -> bool:
        """`zone`: where nothing else is known of them."""
        back = self.away_until
        return back is not None and now.astimezone(ZoneInfo(self.zone or zone)).date() < back


NOTHING_SET = PersonSettings()


def stand_in(person: str, backups: Mapping[str, str], away: Mapping[str, date]) -> str | None:
    """Who gets the things of someone who is away: their backup, or that one's, who is there. None = nobody."""
    seen = {person}
    while (person := backups.get(person, "")) and person not in seen:
        if person not in away:
            return person
        seen.add(person)
    return None
