"""One headless Chromium for all browser tests; a fresh workspace and fresh tabs for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_bolt.async_app import AsyncApp

from bot.local.slack import World
from tests.browser.standin import CHANNEL, rehearsal

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds
expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH, and CHROMIUM is not set: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bed() -> AsyncIterator[tuple[World, AsyncApp]]:
    async with rehearsal() as pair:
        yield pair


@pytest.fixture
def world(bed: tuple[World, AsyncApp]) -> World:
    return bed[0]


@pytest.fixture
def told(bed: tuple[World, AsyncApp]) -> list[dict[str, Any]]:
    """What the stand-in heard of clicks and submissions."""
    heard: list[dict[str, Any]] = bed[1].told  # type: ignore[attr-defined]
    return heard


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, world: World) -> AsyncIterator[Visit]:
    """Opens a tab as somebody, somewhere, and waits until it is live. A script error in it fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    async def open_tab(user: str = "U0DEV", channel: str = CHANNEL) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        await page.goto(f"{world.base_url}/?as={user}&c={channel}")
        await page.wait_for_selector("body[data-live]")
        return page

    yield open_tab
    await context.close()
    assert wrong == []
