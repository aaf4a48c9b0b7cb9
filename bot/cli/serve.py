"""`orch serve`: the bot on a real Slack, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal

from bot.process import Role, running
from bot.settings import load_settings

log = logging.getLogger("orch")


async def serve(role: Role) -> int:
    """Run until SIGINT or SIGTERM. Raises ConfigError before anything is started."""
    settings = load_settings()
    for warning in settings.config.warnings:
        log.warning(warning)
    async with running(settings, role, say=lambda text: print(text, flush=True)):
        print("Orch is at work. Stop it with Ctrl+C.", flush=True)
        await until_stopped()
    return 0


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await stop.wait()
