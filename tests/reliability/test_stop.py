"""Stopping: SIGTERM ends the process cleanly and soon; a second process on the same SQLite database is refused."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from sqlalchemy import select

from bot.store.tables import CallRow, CounterRow
from tests.reliability.bed import (
    PATIENCE,
    Bed,
    assert_every_task_is_merged_once,
    assert_nothing_is_left_behind,
    assert_nothing_is_paid_twice,
    bed,
)

#: Heroku's: after so many seconds it kills.
STOP_LIMIT = 30.0
#: A check that outlasts the wait, and is no other process of this machine.
ENDLESS = f"sleep {600 + os.getpid()}"
TASK = "Write documentation about stopping --files docs/stopping.md"


def sqlite(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}"


async def begin(made: Bed) -> None:
    await made.start()
    await made.assign(TASK)


async def stop_in_time(made: Bed) -> None:
    code, seconds = await made.stop()
    assert (code, seconds < STOP_LIMIT) == (0, True), (code, seconds, made.bot_log())


async def go_on_to_the_end(made: Bed, *, unknown: int) -> None:
    """After another start every task is merged, and so many calls have an unknown outcome."""
    await made.start()
    await made.finish()
    assert (await made.stop())[0] == 0
    assert len(await assert_nothing_is_paid_twice(made)) == unknown
    await assert_every_task_is_merged_once(made)


async def test_stopping_in_a_call_is_soon_and_clean(tmp_path: Path) -> None:
    """The provider takes a minute; the bot does not wait for it, and after the next start the call is unknown."""
    async with bed(tmp_path, sqlite(tmp_path), latency=60.0) as made:
        await begin(made)
        await made.until_in_call()
        await stop_in_time(made)
        assert "Traceback" not in made.bot_log()
        assert_nothing_is_left_behind(made)
        made.faults.latency_seconds = 0.0
        await go_on_to_the_end(made, unknown=1)


async def test_stopping_waits_a_moment_for_a_call_that_ends(tmp_path: Path) -> None:
    async with bed(tmp_path, sqlite(tmp_path), latency=1.0) as made:
        await begin(made)
        await made.until_in_call()
        await stop_in_time(made)
        assert [call.state for call in await made.rows(select(CallRow))] == ["settled"]
        assert {c.reserved_tokens for c in await made.rows(select(CounterRow))} == {0}
        await go_on_to_the_end(made, unknown=0)


async def test_what_does_not_end_in_time_is_cut_off_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    """A check that outlasts the wait. Its stage must not take the lack of a DBOS for a defect and block the task."""
    async with bed(tmp_path, sqlite(tmp_path), latency=0.0, checks=(ENDLESS,)) as made:
        await begin(made)
        await until_runs(*ENDLESS.split())
        await stop_in_time(made)
        assert "left in the middle" in made.bot_log()
        assert "Traceback" not in made.bot_log()
        assert_nothing_is_left_behind(made)
        quicken(made)
        await go_on_to_the_end(made, unknown=0)


async def until_runs(*words: str) -> None:
    """Until some process of this machine was started as `words`."""
    async with asyncio.timeout(PATIENCE):
        while list(words) not in _processes():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _processes() -> list[list[str]]:
    return [_words(folder) for folder in Path("/proc").iterdir()]


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def quicken(made: Bed) -> None:
    config = Path(made.environment["ORCH_CONFIG"])
    config.write_text(config.read_text().replace(ENDLESS, "true"))


async def test_a_second_process_on_the_same_database_is_refused(tmp_path: Path) -> None:
    async with bed(tmp_path, sqlite(tmp_path)) as made:
        await made.start()
        first = made.process
        await made.start(wait=False)
        assert made.process is not None
        async with asyncio.timeout(30):
            assert await made.process.wait() == 1
        assert "Another Orch is at work on" in made.bot_log()
        assert "Traceback" not in made.bot_log()
        made.process = first
        await made.assign(TASK)  # the first one was not disturbed
        await made.finish()
        assert (await made.stop())[0] == 0
