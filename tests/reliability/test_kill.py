"""kill -9 at any moment, and again: nothing is lost, nothing is paid twice, nothing is said twice."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.local.models import Reply
from bot.local.sample import EXAMPLES, replace
from bot.store.tables import CallRow, InboxRow
from tests.bot_settings import CHANNEL, DEVELOPER
from tests.reliability.bed import (
    PATIENCE,
    Bed,
    actions_of,
    assert_every_task_is_merged_once,
    assert_everything_is_said_once,
    assert_nothing_is_left_behind,
    assert_nothing_is_paid_twice,
    bed,
)

#: Set it to look for rare failures: `ORCH_KILL_SEED=7 pytest tests/reliability/test_kill.py`.
SEED = int(os.environ.get("ORCH_KILL_SEED", "1"))

Moment = Callable[[Bed, random.Random], Coroutine[Any, Any, None]]


async def _any_time(bed: Bed, chance: random.Random) -> None:
    await bed.connected()
    await asyncio.sleep(chance.uniform(0.0, 1.5))


async def _while_starting(bed: Bed, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0.1, 1.0))


async def _in_a_call(bed: Bed, chance: random.Random) -> None:
    await bed.until_in_call()
    await asyncio.sleep(chance.uniform(0.0, 0.4))


async def _after_a_post(bed: Bed, chance: random.Random) -> None:
    await bed.until_api("chat.postMessage")


async def _after_an_update(bed: Bed, chance: random.Random) -> None:
    await bed.until_api("chat.update")


async def _while_checking(bed: Bed, chance: random.Random) -> None:
    await bed.connected()
    await bed.until_state("checking")
    await asyncio.sleep(chance.uniform(0.0, 0.4))


async def _while_merging(bed: Bed, chance: random.Random) -> None:
    await bed.connected()
    await bed.until_state("merging")
    await asyncio.sleep(chance.uniform(0.0, 0.8))


#: How often each comes: `ORCH_KILL_ROUNDS=3` for a longer search.
ROUNDS = int(os.environ.get("ORCH_KILL_ROUNDS", "1"))
MOMENTS: tuple[Moment, ...] = (
    _in_a_call, _after_a_post, _while_checking, _while_merging, _any_time, _while_starting, _after_an_update,
) * ROUNDS  # fmt: skip


def tasks_for(number: int) -> list[str]:
    """Tasks of several kinds, none waiting for another's files."""
    logic = EXAMPLES[1]
    return [
        f"{logic.text} --files {','.join(logic.files)}",
        *(f"Write documentation about topic {n} --files docs/topic-{n}.md" for n in range(1, number)),
    ]


async def play(bed: Bed, seed: int, moments: tuple[Moment, ...], number: int) -> None:
    """Assign the tasks one after the other, kill at each moment, then let it all be finished."""
    chance = random.Random(seed)
    order = list(moments)
    chance.shuffle(order)
    tasks = tasks_for(number)
    per_life = -(-number // (len(order) - 2))
    bed.script.on(Reply(edits=(replace("README.md", "no such text", "x"),)), text="about topic 2 ")  # needs a repair
    people = asyncio.create_task(bed.act_forever())
    try:
        await bed.start()
        for moment in order:
            for _ in range(min(len(tasks), per_life)):
                await bed.connected()
                await bed.assign(tasks.pop(0))
            await _come(bed, moment(bed, chance))
            bed.log.append(f"{time.monotonic():.1f} kill in {moment.__name__} {await bed.states()}")
            await bed.kill()
            await bed.start(wait=False)
        await bed.until_all_merged()
        bed.log.append(f"{time.monotonic():.1f} merged")
    finally:
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)


async def _come(bed: Bed, moment: Coroutine[Any, Any, None]) -> None:
    """Wait for a moment; not for ever, and not when nothing is left to happen."""
    coming = {asyncio.create_task(moment), asyncio.create_task(bed.until_idle())}
    _, waiting = await asyncio.wait(coming, timeout=15.0, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)


async def judge(bed: Bed) -> None:
    code, seconds = await bed.stop()
    assert (code, seconds < 20.0) == (0, True), (code, seconds)
    try:
        await assert_nothing_is_paid_twice(bed)
        await assert_every_task_is_merged_once(bed)
        await assert_everything_is_said_once(bed)
        assert_nothing_is_left_behind(bed)
    except AssertionError:
        print(await bed.picture())
        raise


async def test_killed_again_and_again_on_sqlite(tmp_path: Path) -> None:
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}") as made:
        await play(made, SEED, MOMENTS, 6)
        print("\n".join(made.log))
        assert made.kills >= len(MOMENTS)
        await judge(made)


async def test_another_executor_goes_on_with_the_work(tmp_path: Path) -> None:
    """Killed in a call, and started again under another name: the work goes on, the call is not made again."""
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}", latency=1.0) as made:
        await made.start(from_nothing=True)
        await made.assign(tasks_for(2)[1])
        await made.until_in_call()
        await made.kill()
        made.environment["ORCH_EXECUTOR_ID"] = "orch-2"
        made.faults.latency_seconds = 0.0
        await made.start()
        await made.finish()
        assert "was begun by orch-1, which is gone; going on with it" in made.bot_log()
        assert "Workflow already exists" not in made.bot_log()
        await judge(made)


async def test_killed_while_a_split_is_proposed(tmp_path: Path) -> None:
    """The proposal's call is not made again by itself: the task is where it stood, and a person may ask once more."""
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}", latency=0.0) as made:
        made.script.on(Reply(text="BEYOND: too much at once"), model="sonnet")
        await made.start()
        await made.assign("Document everything --files docs/s1.md,docs/s2.md --model sonnet")
        await made.until_state("blocked")
        await clicked(made, "task_split", slowly=True)
        await made.until_in_call()
        assert await made.states() == ["splitting"]
        await made.kill()
        made.faults.latency_seconds = 0.0
        await made.start()
        await made.until_state("blocked")
        await clicked(made, "task_split")
        await clicked(made, "split_accept")
        async with asyncio.timeout(PATIENCE):  # the second part waits for the first
            while sorted(await made.states()) != ["awaiting_approval", "cancelled", "queued"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await made.stop())[0] == 0
        assert len(await assert_nothing_is_paid_twice(made)) == 1
        calls = await made.rows(select(CallRow).where(CallRow.purpose == "split").order_by(CallRow.number))
        assert [call.state for call in calls] == ["unknown", "settled"]
        assert_nothing_is_left_behind(made)


async def clicked(bed: Bed, action: str, *, slowly: bool = False) -> None:
    """Click as the developer, once a message has the button; `slowly`: the providers take a minute from then on."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [m for m in bed.world.log if m.channel == CHANNEL and action in actions_of(m)]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if slowly:
            bed.faults.latency_seconds = 60.0
        known = len(await bed.rows(select(InboxRow.key)))
        await bed.world.click(DEVELOPER, CHANNEL, found[-1].ts, action)
        while len(await bed.rows(select(InboxRow.key).where(InboxRow.done_at.is_not(None)))) <= known:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.postgres
async def test_killed_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with bed(tmp_path, postgres_url) as made:
        await play(made, SEED, (_in_a_call, _after_a_post, _while_checking, _while_merging), 3)
        assert made.kills >= 4
        await judge(made)
