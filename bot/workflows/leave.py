"""Leave: until then a person's alerts go to whoever stands in for them (issue 5, item 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.domain.approvals import Person
from bot.domain.person_settings import stand_in
from bot.errors import UserMistake
from bot.store import people_settings
from bot.workflows.office import Office

#: Longer leave can only be a slip of the pen.
LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Leave:
    """`until`: the day on which they are back; None = they are here. `instead`: by project, who gets their alerts:
    a backup, or the leads where there is none."""

    until: date | None
    instead: dict[str, str | None]
    leads: dict[str, tuple[str, ...]]


async def set_leave(office: Office, person: Person, until: date | None) -> Leave:
    """Be away until a day, or be back (None). Raises UserMistake."""
    now = office.now()
    async with office.db.begin() as session:
        before = await people_settings.get(session, person.id)
        today = now.astimezone(ZoneInfo(before.zone or _zone(office))).date()
        if until is not None:
            _need_future(until, today)
        settings = before.model_copy(update={"away_until": until})
        await people_settings.put(session, person.id, settings, now)
    return await leave_of(office, person)


async def leave_of(office: Office, person: Person) -> Leave:
    """How it stands with a person's leave."""
    now = office.now()
    concerned = {*(b for p in office.projects.values() for b in (*p.backups, *p.backups.values())), person.id}
    async with office.db.read() as session:
        everyone = await people_settings.of(session, concerned)
    away = {
        who: each.away_until
        for who, each in everyone.items()
        if each.away_until and each.is_away(now, _zone(office))
    }  # fmt: skip
    return Leave(
        until=away.get(person.id),
        instead={key: stand_in(person.id, project.backups, away) for key, project in office.projects.items()},
        leads={key: tuple(who for who in p.team.leads if who != person.id) for key, p in office.projects.items()},
    )


def _need_future(until: date, today: date) -> None:
    form = "/orch away until DATE"
    if until <= today:
        raise UserMistake(
            f"{until} is {'today' if until == today else 'in the past'}, so nothing was changed. Give the day on which "
            f"you are back, say `{today + timedelta(days=7)}`; `/orch away back` ends a leave.", form
        )  # fmt: skip
    if until - today > LONGEST:
        raise UserMistake(f"{until} is more than a year ahead, so nothing was changed. Is the year right?", form)


def _zone(office: Office) -> str:
    """Where a person is of whom nothing is known: in the first project's zone."""
    return next((project.timezone for project in office.projects.values()), "UTC")
