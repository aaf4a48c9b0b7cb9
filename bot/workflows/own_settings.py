"""What people set for themselves beside their leave: zone, quiet hours, how alerts reach them (issue 5, item 5)."""

from __future__ import annotations

from datetime import time
from typing import Literal

from bot.domain.approvals import Person
from bot.domain.person_settings import PersonSettings
from bot.store import people_settings
from bot.workflows.office import Office


async def settings_of(office: Office, person: Person) -> PersonSettings:
    async with office.db.read() as session:
        return await people_settings.get(session, person.id)


async def change_settings(
    office: Office,
    person: Person,
    *,
    zone: str | None,
    quiet: tuple[time | None, time | None],
    digest: bool,
    notify: Literal["dm", "thread"],
) -> PersonSettings:
    """They hold for the next alert; a leave stays as it is. None = what the project says."""
    async with office.db.begin() as session:
        before = await people_settings.get(session, person.id)
        after = before.model_copy(update={
            "zone": zone, "quiet_from": quiet[0], "quiet_to": quiet[1], "digest": digest, "notify": notify,
        })  # fmt: skip
        await people_settings.put(session, person.id, after, office.now())
    return after
