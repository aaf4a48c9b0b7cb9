"""The emulated providers on a real port, for the real SDKs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bot.local.models import Faults, Script, build_models_app, rehearsal_script

KEY = "sk-test-key"


@dataclass
class World:
    """Where the emulated providers listen, what they answer and what goes wrong."""

    address: str = ""
    script: Script = field(default_factory=rehearsal_script)
    faults: Faults = field(default_factory=Faults)

    def fresh(self) -> World:
        """This world with an empty book, no rules and nothing wrong."""
        self.script.clear()
        self.script.book.clear()
        self.faults.status.clear()
        self.faults.batch_seconds = 0.0
        return self


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The address at which the application listens."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def emulated_models() -> AsyncIterator[World]:
    world = World()
    app = build_models_app(world.script, world.faults, keys=frozenset({KEY}))
    async with serving(app) as address:
        world.address = address
        yield world
