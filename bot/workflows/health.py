"""How this process is: whether it is ready, and the numbers that a monitor watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.ports import Numbers
from bot.store import health
from bot.workflows.office import Office

Probe = Callable[[], Awaitable[bool]]
#: How long one probe may take, in seconds.
PROBE_SECONDS = 3.0


async def numbers(office: Office) -> Numbers:
    """Counted now."""
    async with office.db.read() as session:
        tokens = {
            (project.key, rung): used
            for project in office.projects.values()
            for rung, used in (await health.tokens_on(session, project.key, project.day(office.now()))).items()
        }
        return Numbers(
            await health.tasks_by_state(session), tokens, await health.messages_due(session),
            await health.messages_given_up(session), await health.deliveries_open(session), office.acks.count,
            office.acks.total, tuple(office.acks.seconds), len(office.troubles.now()),
        )  # fmt: skip


async def ready(probes: Mapping[str, Probe]) -> dict[str, bool]:
    """Each probe's answer; one that takes too long is a no."""

    async def ask(probe: Probe) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await probe()
        except (TimeoutError, SQLAlchemyError, OSError):
            return False

    answers = await asyncio.gather(*(ask(probe) for probe in probes.values()))
    return dict(zip(probes, answers, strict=True))


async def database_answers(office: Office) -> bool:
    async with office.db.read() as session:
        return bool(await session.scalar(text("SELECT 1")))
