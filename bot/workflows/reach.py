"""Direct messages that Orch writes of its own accord: when, and to whom (quiet hours, `/orch away`).

What comes in somebody's quiet hours, or in the first moment after them, is collected and sent as one message: each is
an outbox row of kind `part` whose `thread_of` names the message that carries it. That message is rendered from its
parts whenever one of them changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.digest import that_fit, together
from bot.domain.person_settings import NOTHING_SET, stand_in
from bot.render import Safe, clip
from bot.store import outbox, people_settings
from bot.workflows.office import Office

#: So long after a quiet time what waited is sent, with what came meanwhile. Within it the lookout looks twice.
GATHERED = timedelta(minutes=1)


async def write(
    office: Office, session: AsyncSession, project: str, person: str, key: str, message: Mapping[str, Any], *,
    at_once: bool = False, beside: str | None = None, task_pk: int | None = None,
) -> bool:  # fmt: skip
    """Want a direct message, once; False where its key was wanted before. It waits for the person's working hours,
    unless it is to come `at_once`: what is critical, or what they asked for. By day it stands in one message with
    what has the same name `beside`."""
    own, now = await people_settings.get(session, person), office.now()
    hours = own.hours(office.projects[project].hours)
    until = hours.held_until(now, critical=at_once)
    opens = until if until or at_once else hours.held_until(now - GATHERED)
    if opens is not None and own.digest:
        digest, until = f"digest/{person}/{opens.isoformat()}", opens + GATHERED
    elif beside is not None and own.digest:
        digest = f"beside/{person}/{beside}"
    else:
        return await outbox.want(session, key, "direct", person, message, now, task_pk=task_pk, not_before=until)
    if not await outbox.want(session, key, "part", person, message, now, task_pk=task_pk, thread_of=digest):
        return False
    if not await outbox.want(session, digest, "direct", person, message, now, task_pk=task_pk, not_before=until):
        await _show(office, session, digest)
    return True


async def rewrite(office: Office, session: AsyncSession, key: str, message: Mapping[str, Any]) -> bool:
    """Let a direct message say something else, in place; False where it was never wanted."""
    return await rewrite_all(office, session, {key: message})


async def rewrite_all(office: Office, session: AsyncSession, messages: Mapping[str, Mapping[str, Any]]) -> bool:
    """Let posts and direct messages say something else, in place; False where one was never wanted."""
    known = [await outbox.rewrite(session, key, message) for key, message in sorted(messages.items())]
    digests = {digest for key in messages if (digest := await outbox.digest_of(session, key))}
    for digest in sorted(digests):  # one order, since projects share them
        await _show(office, session, digest)
    return all(known)


async def quiet_until(office: Office, session: AsyncSession, project: str, person: str) -> datetime | None:
    """When what waits for the person's quiet time to end is sent; None where they may be written to now."""
    hours = (await people_settings.get(session, person)).hours(office.projects[project].hours)
    opens = hours.held_until(office.now())
    return opens + GATHERED if opens else None


async def _show(office: Office, session: AsyncSession, digest: str) -> None:
    """Let the message that carries others show them as they are now."""
    parts = await outbox.parts(session, digest)
    messages = [part.payload for part in parts]
    fit = that_fit(messages)
    facts = {
        "waited": digest.startswith("digest/"),
        "count": len(messages),
        "blocks": [json.dumps(block, ensure_ascii=False) for block in together(messages[:fit])],
        "rest": [json.dumps(clip(Safe(each["text"]), 250))[1:-1] for each in messages[fit:]],
    }
    message = office.render.message("alerts/digest", facts) if len(messages) > 1 else messages[0]
    about = {part.task_pk for part in parts}
    await outbox.rewrite(session, digest, message)
    await outbox.about(session, digest, about.pop() if len(about) == 1 else None)


async def in_their_place(office: Office, session: AsyncSession, project: str, person: str) -> str | None:
    """Who gets what comes for someone who is away: the backup who is there; None where the person is, or nobody can."""
    rules, now = office.projects[project], office.now()
    own = await people_settings.of(session, {person, *rules.backups.values()})
    away = {who: one.away_until for who, one in own.items() if one.away_until and one.is_away(now, rules.timezone)}
    return stand_in(person, rules.backups, away) if own.get(person, NOTHING_SET).is_away(now, rules.timezone) else None
