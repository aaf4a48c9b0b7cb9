"""One of several processes that reserve against one limit: `python -m tests.store.reserving URL FIRST COUNT LIMIT`.

Every tenth call gives its reservation back. Prints the highest level that a call saw."""

from __future__ import annotations

import asyncio
import random
import sys

from bot.store import ledger
from bot.store.database import Database
from bot.store.tables import CallRow, TaskRow
from tests.store.samples import NOW, a_call, limit

#: Transactions of one process at once: what its pool of connections allows.
AT_ONCE = 15


async def one(database: Database, task: TaskRow, number: int, most: int) -> int:
    """One call; the level that it saw once it had reserved, 0 where it could not."""
    chance = random.Random(number)
    limits = [limit(most), limit(10 * most, "GRANTER/sprint")]
    tokens = chance.randint(5, 15)
    async with database.begin() as session:
        if await ledger.reserve(session, limits, tokens, tokens) is not None:
            await session.rollback()
            return 0
        call = a_call(task, number, tokens, scopes=[each.scope for each in limits])
        session.add(call)
        (level, _) = await ledger.levels(session, limits)
    if number % 10 == 0:
        async with database.begin() as session:
            await ledger.settle(session, await session.get_one(CallRow, call.id), "refused", at=NOW)
    return level.taken


async def main(url: str, first: int, count: int, most: int) -> None:
    database = Database(url)
    async with database.read() as session:
        task = await session.get_one(TaskRow, 1)
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int) -> int:
        async with turns:
            return await one(database, task, number, most)

    print(max(await asyncio.gather(*(in_turn(first + n) for n in range(count)))))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
