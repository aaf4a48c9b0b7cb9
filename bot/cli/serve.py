"""`orch serve`: the bot on a real Slack, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import AsyncExitStack

from sqlalchemy.exc import DBAPIError

from bot.errors import ConfigError
from bot.process import Role, running
from bot.settings import Settings, load_settings
from bot.store.database import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, is_passing

log = logging.getLogger("orch")

#: A start goes on trying so long while PostgreSQL is out of reach, or cuts its connections; seconds.
START_SECONDS = 60.0


async def serve(role: Role, patience_seconds: float = START_SECONDS) -> int:
    """Run until SIGINT or SIGTERM. Raises ConfigError before anything is started."""
    settings = load_settings()
    for warning in settings.config.warnings:
        log.warning(warning)
    async with AsyncExitStack() as stack:
        await _start(stack, settings, role, patience_seconds)
        print("Orch is at work. Stop it with Ctrl+C.", flush=True)
        await until_stopped()
    return 0


async def _start(stack: AsyncExitStack, settings: Settings, role: Role, patience_seconds: float) -> None:
    """Start, again and again while the database cannot be worked with. Raises ConfigError where that lasts."""
    until, pause = time.monotonic() + patience_seconds, FIRST_PAUSE_SECONDS
    while True:
        try:
            await stack.enter_async_context(running(settings, role, say=lambda text: print(text, flush=True)))
            return
        except (ConfigError, DBAPIError) as error:
            away = _trouble_behind(error)
            if away is None or settings.database_url.startswith("sqlite"):  # whose file is here, or is not
                raise
            said = str(away.orig).strip().partition("\n")[0]
            if time.monotonic() + pause > until:
                raise ConfigError(
                    f"The database could not be worked with for {patience_seconds:g} s: {said}. Nothing was lost. "
                    "Check DATABASE_URL, and that the server runs and lets Orch in; then start Orch again."
                ) from error
        log.warning("the database cannot be worked with, and the start is tried again: %s", said)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _trouble_behind(error: BaseException) -> DBAPIError | None:
    """The trouble with the database that made a start fail, where it may pass."""
    found = error if isinstance(error, DBAPIError) else error.__cause__
    return found if isinstance(found, DBAPIError) and is_passing(found) else None


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await stop.wait()
