"""A click on Stop in one process ends the call, and the check, that another one has under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.store.tables import CallRow
from tests.bot_settings import CHANNEL, DEVELOPER
from tests.reliability.bed import (
    PATIENCE,
    Bed,
    actions_of,
    assert_nothing_is_left_behind,
    assert_nothing_is_paid_twice,
    bed,
)
from tests.reliability.forked import ForkedBot


@asynccontextmanager
async def worker(made: Bed) -> AsyncIterator[None]:
    """A second process on the same database, which does the work."""
    environment = made.environment | {"ORCH_EXECUTOR_ID": "worker-1"}
    process = ForkedBot(["serve", "--role", "worker"], environment, made.home / "bot.log")
    try:
        yield
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(made: Bed, what: Callable[[], Awaitable[object]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await what():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(await made.picture()) from None


async def click(made: Bed, action: str) -> None:
    """Click on the only card, once it has the button."""

    async def offered() -> bool:
        return any(action in actions_of(card) for card in made.cards())

    await until(made, offered)
    (card,) = made.cards()
    await made.world.click(DEVELOPER, CHANNEL, card.ts, action)


def sleeping() -> bool:
    """Whether the check runs, anywhere on this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().replace(b"\0", b" ").rstrip().endswith(b"sleep 86397"):
                return True
        except OSError:
            continue
    return False


@pytest.mark.postgres
async def test_stop_reaches_the_process_that_works(tmp_path: Path, postgres_url: str) -> None:
    async with bed(tmp_path, postgres_url, latency=3600.0, checks=("sleep 86397",)) as made:
        await made.start("--role", "slack")
        async with worker(made):
            await made.assign("Write documentation about stopping --files docs/stopping.md")
            async with asyncio.timeout(PATIENCE):
                await made.until_in_call()
            await click(made, "task_stop")

            async def cut() -> bool:
                calls = await made.rows(select(CallRow))
                hung_up = [c.outcome for c in made.script.book if c.kind == "answer"] == ["left"]
                return hung_up and [call.state for call in calls] == ["unknown"]

            await until(made, cut)
            assert await made.states() == ["cancelled"]

            made.faults.latency_seconds = 0.0
            await click(made, "task_retry")

            async def checked() -> bool:
                return sleeping()

            await until(made, checked)
            await click(made, "task_stop")

            async def over() -> bool:
                return not sleeping() and await made.states() == ["cancelled"]

            await until(made, over)
        await made.stop()
        assert len(await assert_nothing_is_paid_twice(made)) == 1
        assert_nothing_is_left_behind(made)
