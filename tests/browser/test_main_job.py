"""The whole main job through the page: `orch local` as a person starts it, driven in headless Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PATIENCE = 120_000  # milliseconds: the emulated models think, and the machine may be busy


@pytest_asyncio.fixture(loop_scope="session")
async def local(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """(the page's address, the repository) of a fresh `orch local`, stopped as Ctrl+C stops it."""
    environment = {**os.environ, "ORCH_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    for name in ("ORCH_CONFIG", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "bot", "local", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said = ""
    while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/", said)):
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        assert line, said
        said += line.decode()
    reading = asyncio.create_task(process.stdout.read())
    yield found[1], tmp_path / "local" / "sample"
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert b"Traceback" not in await reading


async def tab(browser: Browser, address: str, user: str) -> Page:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    await page.goto(f"{address}/?as={user}&c=C0DEV")
    await page.wait_for_selector("body[data-live]")
    return page


async def say(page: Page, text: str) -> None:
    composer = page.locator("#main textarea").first
    await composer.fill(text)
    await composer.press("Enter")


async def test_assign_follow_and_approve_through_the_page(browser: Browser, local: tuple[str, Path]) -> None:
    address, repository = local
    lead = await tab(browser, address, "U0LEAD")
    # On first start an example task is there, and travels by itself to awaiting approval.
    await lead.locator("#main").get_by_role("button", name="Approve merge").wait_for(timeout=PATIENCE)
    await expect(lead.locator("#main")).to_contain_text("Awaiting approval")

    outsider = await tab(browser, address, "U0OUT")
    await outsider.locator("#main").get_by_role("button", name="Approve merge").click()
    await expect(outsider.locator("#main")).to_contain_text("Only an approver", timeout=PATIENCE)
    await expect(lead.locator("#main")).not_to_contain_text("Only an approver")

    await lead.locator("#main").get_by_role("button", name="Approve merge").click()
    await expect(lead.locator("#main")).to_contain_text("Merged as", timeout=PATIENCE)
    assert (repository / "docs" / "usage.md").exists(), "the checked-out tree was fast-forwarded"

    developer = await tab(browser, address, "U0DEV")
    await say(developer, "/orch assign")
    form = developer.get_by_role("dialog")
    await form.get_by_label("What is to be done?").fill("Write a page about instalments")
    await form.get_by_label("Files it may change").fill("../secrets")
    await form.get_by_role("button", name="Assign").click()
    await expect(form).to_contain_text("..", timeout=PATIENCE)  # the mistake is shown beside its field
    await form.get_by_label("Files it may change").fill("docs/instalments.md")
    await form.get_by_role("button", name="Assign").click()
    await expect(form).to_have_count(0, timeout=PATIENCE)
    await expect(developer.locator("#main")).to_contain_text("S0-D0-2", timeout=PATIENCE)
    await say(developer, "/orch why S0-D0-2")
    await expect(developer.locator("#main")).to_contain_text("every decision", timeout=PATIENCE)
    log = await asyncio.create_subprocess_exec(
        "git", "-C", repository, "log", "--format=%B", "-1", stdout=asyncio.subprocess.PIPE
    )
    assert b"Approved-by: U0LEAD" in (await log.communicate())[0]
