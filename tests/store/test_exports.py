"""`orch export`: every line, its columns, its filters, and totals that are the counters' (both databases)."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.calls import Usage
from bot.store import exports, ledger
from bot.store.database import Database
from bot.store.exports import EVENTS, LEDGER, Wanted
from bot.store.tables import CallRow
from tests.store.samples import NOW, a_call, created, limit, migrated

DAY, NEXT = date(2026, 11, 22), date(2026, 11, 23)
CALLS = [
    # rung, day, state, used
    ("haiku", DAY, "settled", 70), ("sonnet", DAY, "unknown", 0), ("haiku", DAY, "refused", 0),
    ("haiku", NEXT, "settled", 40), ("gemini", NEXT, "sent", 0),
]  # fmt: skip


async def filled(database: Database) -> None:
    task = await created(database, 1)
    for number, (rung, day, state, used) in enumerate(CALLS, 1):
        scopes = [f"GRANTER/day/{day}/{rung}", f"GRANTER/day/{day}", "GRANTER/sprint/3"]
        at = NOW + timedelta(days=(day - DAY).days, minutes=number)
        call = a_call(task, number, 100, rung=rung, day=day, scopes=scopes, state="sent", created_at=at)
        async with database.begin() as session:
            await ledger.reserve(session, [limit(10_000, scope) for scope in scopes], 100, 200)
            session.add(call)
            await session.flush()
            if state != "sent":
                await ledger.settle(session, call, state, at=at, usage=Usage(input=used), cost_microusd=used * 3)
    other = await created(database, 2, project="OTHER")
    async with database.begin() as session:
        session.add(a_call(other, 1, id="OTHER/1", scopes=["OTHER/sprint/0"], day=DAY))


async def lines(database: Database, **wanted: Any) -> list[dict[str, Any]]:
    return [line async for line in exports.ledger(database, Wanted(**wanted))]


async def test_totals_are_the_counters(database: Database) -> None:
    await filled(database)
    found = await lines(database, project="GRANTER")
    assert all(list(line) == list(LEDGER) for line in found) and len(found) == len(CALLS)
    used, reserved, cost = Counter[str](), Counter[str](), Counter[str]()
    for line in found:
        held = line["state"] in ledger.OPEN
        for scope in (f"GRANTER/day/{line['day']}/{line['rung']}", f"GRANTER/day/{line['day']}",
                      f"GRANTER/sprint/{line['sprint']}"):  # fmt: skip
            used[scope] += line["used_tokens"]
            cost[scope] += line["cost_microusd"]
            reserved[scope] += line["reserved_tokens"] if held else 0
    async with database.read() as session:
        for level in await ledger.levels(session, [limit(1, scope) for scope in used]):
            scope = level.limit.scope
            assert (level.used_tokens, level.reserved_tokens, level.used_microusd) == (
                used[scope], reserved[scope], cost[scope],
            ), scope  # fmt: skip


async def test_a_date_is_the_ledgers_and_a_time_is_a_time(database: Database) -> None:
    await filled(database)
    assert len(await lines(database)) == len(CALLS) + 1
    assert [line["day"] for line in await lines(database, project="GRANTER", first=NEXT)] == ["2026-11-23"] * 2
    assert len(await lines(database, project="GRANTER", last=DAY)) == 3
    assert len(await lines(database, project="GRANTER", first=DAY, last=DAY)) == 3
    later = NOW + timedelta(minutes=2)
    assert [line["number"] for line in await lines(database, project="GRANTER", first=later, last=NEXT)] == [
        2,
        3,
        4,
        5,
    ]
    assert [line["number"] for line in await lines(database, project="GRANTER", last=later)] == [1]
    assert await lines(database, project="NONE") == []


async def test_events_have_their_columns(database: Database) -> None:
    await filled(database)
    found = [line async for line in exports.events(database, Wanted(project="GRANTER"))]
    assert [list(line) for line in found] == [list(EVENTS)]
    assert found[0]["at"] == "2026-11-22T09:00:00+00:00" and found[0]["message"]["task_id"] == "S0-D0-1"
    future = Wanted(first=datetime(2031, 1, 1, tzinfo=UTC))
    assert [line async for line in exports.events(database, future)] == []


async def peak(database: Database) -> int:
    """Bytes that reading the whole ledger takes at most."""
    tracemalloc.start()
    count = 0
    async for _line in exports.ledger(database, Wanted()):
        count += 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


async def test_memory_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    async with migrated(f"sqlite+aiosqlite:///{tmp_path / 'orch.db'}") as database:
        task = await created(database)
        fields = dict.fromkeys(CallRow.__table__.columns.keys())
        plain = {k: v for k, v in vars(a_call(task)).items() if k in fields}

        async def more(first: int, count: int) -> None:
            rows = [
                {**plain, "id": f"GRANTER/{n}", "number": n, "retryable": False} for n in range(first, first + count)
            ]
            async with database.begin() as session:
                await session.execute(CallRow.__table__.insert(), rows)

        await more(1, 2_000)
        await peak(database)  # what is read once for all
        few = await peak(database)
        await more(2_001, 10_000)
        assert await peak(database) < 1.5 * few, "six times as many rows"
