"""What a person sets for themselves: leave, zone, quiet hours, and how alerts reach them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.task import Frozen
from bot.domain.working_hours import WorkingHours
from bot.errors import UserMistake


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


def read_zone(typed: str) -> str | None:
    """A zone as people write it: "Europe/Berlin", "europe berlin", "Berlin", "UTC"; None = nothing typed. Raises
    UserMistake that names the nearest ones."""
    wanted = "_".join(typed.split()).casefold()
    if not wanted:
        return None
    known = _zones()
    if wanted in known:
        return known[wanted]
    unknown = f"I know no time zone {typed.strip()[:40]}."
    if near := get_close_matches(wanted, known, n=3, cutoff=0.75):
        names = " or ".join(dict.fromkeys(known[each] for each in near))
        raise UserMistake(f"{unknown} Did you mean {names}?")
    raise UserMistake(f"{unknown} Write it as continent and city, say Europe/Berlin or America/New_York.")


@cache
def _zones() -> dict[str, str]:
    """What people write, in small letters -> the zone: its whole name, with a blank for the slash, or its city."""
    names = sorted(name for name in available_timezones() if not name.startswith(("Etc/", "posix", "right")))
    written = {name.rpartition("/")[2].casefold(): name for name in names}
    written |= {name.replace("/", "_").casefold(): name for name in names}
    return written | {name.casefold(): name for name in names}


def stand_in(person: str, backups: Mapping[str, str], away: Mapping[str, date]) -> str | None:
    """Who gets the things of someone who is away: their backup, or that one's, who is there. None = nobody."""
    seen = {person}
    while (person := backups.get(person, "")) and person not in seen:
        if person not in away:
            return person
        seen.add(person)
    return None
