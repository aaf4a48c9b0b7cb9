"""Serves a World over HTTP."""

from __future__ import annotations

from aiohttp import web

from bot.local.slack.api import build_app
from bot.local.slack.world import World


class SlackServer:
    """`await SlackServer(world).start()`. Add routes to `app` before that; `close` also closes the world."""

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self.host = host
        self.port = port  # 0: any free one; after start, the real one
        self.app = build_app(world)
        self._runner: web.AppRunner | None = None

    async def start(self) -> SlackServer:
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.world.base_url = self.base_url
        return self

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def api_url(self) -> str:
        """The base URL for slack_sdk; with a slash at the end, as it must be."""
        return f"{self.base_url}/api/"

    async def close(self) -> None:
        """Stop serving; no task is left. Closing twice is fine."""
        await self.world.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
