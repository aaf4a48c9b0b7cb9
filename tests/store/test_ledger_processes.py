"""Two processes, hundreds of calls, one small limit: never exceeded, and nearly all of it used (R-BUD-4)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sqlalchemy import select

from bot.store.tables import CallRow, CounterRow
from tests.store.samples import created, migrated

CALLS, LIMIT = 400, 1_600  # a call takes 10 on average, and a tenth of them gives it back: twice what there is


async def _process(url: str, first: int) -> int:
    arguments = ("-m", "tests.store.reserving", url, str(first), str(CALLS // 2), str(LIMIT))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return int(said)


async def test_two_processes_fill_a_limit_and_never_exceed_it(database_url: str) -> None:
    async with migrated(database_url) as database:
        await created(database)
        highest = await asyncio.gather(_process(database_url, 1), _process(database_url, 1 + CALLS // 2))
        assert max(highest) <= LIMIT
        async with database.read() as session:
            day = (await session.scalars(select(CounterRow).where(CounterRow.scope == "GRANTER/day"))).one()
            held = select(CallRow.reserved_tokens).where(CallRow.state == "intent")
            reserved = sum((await session.scalars(held)).all())
        assert (day.used_tokens, day.reserved_tokens) == (0, reserved), "the counter is the sum of its calls"
        assert 0.95 * LIMIT <= reserved <= LIMIT
