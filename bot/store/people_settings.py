"""What people set for themselves (domain.person_settings.PersonSettings). Whoever set nothing has no row."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.person_settings import NOTHING_SET, PersonSettings
from bot.store.statements import insert
from bot.store.tables import PersonRow


async def get(session: AsyncSession, person: str) -> PersonSettings:
    row = await session.get(PersonRow, person, populate_existing=True)
    return _read(row) if row else NOTHING_SET


async def of(session: AsyncSession, people: Collection[str]) -> dict[str, PersonSettings]:
    """The settings of those who set something."""
    if not people:
        return {}
    rows = await session.scalars(select(PersonRow).where(PersonRow.person.in_(people)))
    return {row.person: _read(row) for row in rows}


async def put(session: AsyncSession, person: str, settings: PersonSettings, at: datetime) -> None:
    """What holds for the person from now on; the last one to write wins."""
    values: dict[str, Any] = {**settings.model_dump(), "updated_at": at}
    for name in ("quiet_from", "quiet_to"):
        values[name] = values[name] and values[name].strftime("%H:%M")
    written = insert(session, PersonRow).values(person=person, **values)
    await session.execute(written.on_conflict_do_update(index_elements=["person"], set_=values))


def _read(row: PersonRow) -> PersonSettings:
    return PersonSettings(
        away_until=row.away_until,
        zone=row.zone,
        quiet_from=row.quiet_from and time.fromisoformat(row.quiet_from),
        quiet_to=row.quiet_to and time.fromisoformat(row.quiet_to),
        digest=row.digest,
        notify="thread" if row.notify == "thread" else "dm",
    )
