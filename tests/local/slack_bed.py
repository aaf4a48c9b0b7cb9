"""Puts a World, the real SDK and a real Bolt app together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local.slack import AppConfig, Seed, Shortcut, SlackServer, World

QUIET = logging.getLogger("slack_bed")
QUIET.setLevel(logging.CRITICAL)


def app_config(**fields: object) -> AppConfig:
    config = AppConfig(
        global_shortcuts=[Shortcut("new_task", "New task")],
        message_shortcuts=[Shortcut("make_task", "Make this a task")],
    )
    for name, value in fields.items():
        setattr(config, name, value)
    return config


@asynccontextmanager
async def workspace(
    app: AppConfig | None = None, seed: Seed | None = None, path: Path | None = None
) -> AsyncIterator[World]:
    """A world that is served; redelivery does not wait."""
    world = World(app or app_config(), seed, path)
    world.delivery.ack_timeout = 60.0  # Slack waits 3 s, a busy machine longer
    world.delivery.retry_delays = (0.0, 0.0, 0.0)
    server = await SlackServer(world).start()
    try:
        yield world
    finally:
        await server.close()


def web_client(world: World, token: str | None = None) -> AsyncWebClient:
    client = AsyncWebClient(
        token=world.app.bot_token if token is None else token, base_url=f"{world.base_url}/api/", logger=QUIET
    )
    client.proxy = None
    return client


def bolt_app(world: World) -> AsyncApp:
    return AsyncApp(client=web_client(world), signing_secret=world.app.signing_secret, logger=QUIET)


@asynccontextmanager
async def by_socket(world: World, app: AsyncApp, ping_interval: float = 30) -> AsyncIterator[AsyncSocketModeHandler]:
    """`ping_interval`: seconds; the SDK gives a connection up that does not answer within half of it."""
    handler = AsyncSocketModeHandler(app, world.app.app_token, logger=QUIET, ping_interval=ping_interval)
    handler.client.proxy = None
    await handler.connect_async()
    await world.app_connected()
    try:
        yield handler
    finally:
        await handler.close_async()


@asynccontextmanager
async def by_http(world: World, app: AsyncApp) -> AsyncIterator[None]:
    bolt: web.Application = app.web_app(path="/slack/events")
    async with TestServer(bolt) as server:
        world.app.request_url = str(server.make_url("/slack/events"))
        yield
