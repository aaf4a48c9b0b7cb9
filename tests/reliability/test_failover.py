"""Several replicas on one PostgreSQL, real processes: one is killed, another finishes its work; names are unique."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.local.models import Reply
from bot.store.replicas import Replica
from tests.reliability.bed import (
    PATIENCE,
    Bed,
    assert_every_task_is_merged_once,
    assert_everything_is_said_once,
    assert_nothing_is_left_behind,
    assert_nothing_is_paid_twice,
    bed,
)
from tests.reliability.forked import ForkedBot

#: A review that PostgreSQL would refuse as it stands: half a pair of surrogates, and a NUL.
ODD = {
    "findings": [{"severity": "low", "file": "docs/topic-1.md", "message": "a NUL \x00 and half a pair \ud83d"}],
    "quality_score": 8,
    "verdict": "approve",
}

pytestmark = pytest.mark.postgres


async def started(made: Bed, name: str, *arguments: str) -> asyncio.subprocess.Process | ForkedBot:
    """One more replica; returns when it is at work."""
    before = made.bot_log().count("Orch is at work") if (made.home / "bot.log").exists() else 0
    made.environment["ORCH_EXECUTOR_ID"] = name
    await made.start(*arguments, wait=False)
    assert made.process is not None
    async with asyncio.timeout(PATIENCE):
        while made.bot_log().count("Orch is at work") == before:
            assert made.process.returncode is None, made.bot_log()[-3000:]
            await asyncio.sleep(0.05)
    return made.process


@contextlib.asynccontextmanager
async def ended(made: Bed, *processes: asyncio.subprocess.Process | ForkedBot) -> AsyncIterator[None]:
    """The bed ends the newest of its processes; this ends the others."""
    try:
        yield
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_a_survivor_finishes_what_a_killed_worker_began(tmp_path: Path, empty_postgres_url: str) -> None:
    """One process talks to Slack and two work; the one that pays for a call is killed in it."""
    async with bed(tmp_path, empty_postgres_url, latency=0.0) as made:
        slack = await started(made, "talks", "--role", "slack")
        first = await started(made, "orch-1", "--role", "worker")
        async with ended(made, slack, first):
            made.faults.latency_seconds = 600.0
            made.script.on(Reply(review=ODD), model="gemini")
            for number in (1, 2):
                await made.assign(f"Write documentation about topic {number} --files docs/topic-{number}.md")
            await made.until_in_call()
            await made.start("--role", "worker", wait=False)  # once more under the same name
            namesake = made.process
            second = await started(made, "orch-2", "--role", "worker")
            assert namesake is not None and await namesake.wait() == 1
            assert "Another Orch called orch-1 is at work" in made.bot_log()
            calls = [call for call in made.script.book if call.kind == "answer"]
            first.kill()
            await first.wait()
            made.faults.latency_seconds = 0.0
            await made.finish()
            assert "was begun by orch-1, which is gone; going on with it" in made.bot_log()
            for process in (second, slack):
                process.terminate()
                assert await process.wait() == 0
            assert set(await assert_nothing_is_paid_twice(made)) == {call.call_id for call in calls}
            await assert_every_task_is_merged_once(made)
            await assert_everything_is_said_once(made)
            assert_nothing_is_left_behind(made)


async def test_a_start_outlasts_connections_that_are_cut(tmp_path: Path, empty_postgres_url: str) -> None:
    url = make_url(empty_postgres_url)
    server = create_async_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    try:
        async with bed(tmp_path, empty_postgres_url) as made, server.connect() as connection:
            await made.start("--role", "worker", wait=False)
            assert made.process is not None
            async with asyncio.timeout(PATIENCE):
                while "the start is tried again" not in made.bot_log():
                    assert made.process.returncode is None and "Orch is at work" not in made.bot_log()
                    await connection.execute(cut, {"name": url.database})
                    await asyncio.sleep(0.01)
                while "Orch is at work" not in made.bot_log():
                    assert made.process.returncode is None, made.bot_log()[-3000:]
                    await asyncio.sleep(0.05)
            assert (await made.stop())[0] == 0
    finally:
        await server.dispose()


async def test_a_name_is_held_by_one_and_free_once_it_is_gone(postgres_url: str) -> None:
    one, two = Replica(postgres_url, "one"), Replica(postgres_url, "two")
    try:
        await one.enter()
        await two.enter()
        async with two.instead_of("one") as gone:
            assert not gone
        await one.leave()
        async with two.instead_of("one") as gone:
            assert gone
            again = Replica(postgres_url, "one")
            with pytest.raises(Exception, match="Another Orch called one is at work"):
                await again.enter(patience_seconds=0.2)  # its work is being taken over
        await again.enter()
        await again.leave()
    finally:
        await two.leave()
