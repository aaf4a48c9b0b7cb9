"""kill -9 while a batch is under way: the same batch is asked for again, and none is sent twice (R-BUD-5)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from sqlalchemy import select

from bot.store.tables import CallRow
from tests.reliability.bed import (
    Bed,
    assert_every_task_is_merged_once,
    assert_everything_is_said_once,
    assert_nothing_is_paid_twice,
    bed,
)


async def _until_in_batch(made: Bed) -> str:
    async with asyncio.timeout(60):
        while True:
            found = await made.rows(select(CallRow.batch_id).where(CallRow.batch_id.is_not(None)))
            if found:
                return str(found[0])
            await asyncio.sleep(0.02)


async def test_killed_twice_while_a_batch_is_under_way(tmp_path: Path) -> None:
    async with bed(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'home' / 'orch.db'}", latency=0.0, checks=()) as made:
        config = tmp_path / "orch.json"
        told = json.loads(config.read_text()) | {"policy": {"batch_poll_seconds": 0.1}}
        config.write_text(json.dumps(told))
        made.faults.batch_seconds = 600.0
        await made.start()
        await made.assign("Write documentation about batches --files docs/batches.md --priority low")
        batch = await _until_in_batch(made)
        for _ in range(2):
            await made.kill()
            await made.start()
        made.script.batches[batch].due = 0.0  # the provider has come to it
        await made.finish()
        await made.stop()
        assert list(made.script.batches) == [batch], "handed over once"
        assert await assert_nothing_is_paid_twice(made) == [], "and its outcome is known"
        assert [(c.purpose, c.batch) for c in await made.rows(select(CallRow).order_by(CallRow.number))] == [
            ("edit", True), ("review", False),
        ]  # fmt: skip
        await assert_every_task_is_merged_once(made)
        await assert_everything_is_said_once(made)
