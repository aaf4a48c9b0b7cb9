"""When a person may be written to, and who gets their things while they are away (`/orch away`, quiet hours)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.person_settings import NOTHING_SET, stand_in
from bot.store import people_settings
from bot.workflows.office import Office


async def quiet_until(office: Office, session: AsyncSession, project: str, person: str) -> datetime | None:
    """When the person's quiet time ends; None where they may be written to now."""
    now = office.now()
    hours = (await people_settings.get(session, person)).hours(office.projects[project].hours)
    return None if hours.is_open(now) else hours.next_open(now)


async def in_their_place(office: Office, session: AsyncSession, project: str, person: str) -> str | None:
    """Who gets what comes for someone who is away: the backup who is there; None where the person is, or nobody can."""
    rules, now = office.projects[project], office.now()
    own = await people_settings.of(session, {person, *rules.backups.values()})
    away = {who: one.away_until for who, one in own.items() if one.away_until and one.is_away(now, rules.timezone)}
    return stand_in(person, rules.backups, away) if own.get(person, NOTHING_SET).is_away(now, rules.timezone) else None
