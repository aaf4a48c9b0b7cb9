"""The ledger: reservations never exceed a limit, and counters are always the sum of their calls (R-BUD-4)."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from bot.domain.budget import Level, Limit
from bot.domain.calls import Usage
from bot.store import ledger
from bot.store.database import Database
from bot.store.tables import CallRow, CounterRow, TaskRow
from tests.store.samples import NOW, a_call, created, limit

DAY, SPRINT = "GRANTER/day", "GRANTER/sprint"


async def reserve(database: Database, limits: Sequence[Limit], call: CallRow) -> Limit | None:
    """Reserve for a call and write its intent, as workflows.paid_call does; the limit that refused."""
    async with database.begin() as session:
        refused = await ledger.reserve(session, limits, call.reserved_tokens, call.reserved_microusd)
        if refused is not None:
            await session.rollback()
            return refused
        call.scopes = [each.scope for each in limits]
        session.add(call)
    return None


async def counters(database: Database) -> dict[str, tuple[int, int, int, int]]:
    """scope -> used and reserved tokens, used and reserved micro-dollars."""
    async with database.read() as session:
        rows = (await session.scalars(select(CounterRow))).all()
    return {r.scope: (r.used_tokens, r.reserved_tokens, r.used_microusd, r.reserved_microusd) for r in rows}


async def sums(database: Database) -> dict[str, tuple[int, int, int, int]]:
    """What the counters must be, by the calls."""
    found: Counter[tuple[str, int]] = Counter()
    async with database.read() as session:
        calls = (await session.scalars(select(CallRow))).all()
    for call in calls:
        is_open = call.state in ("intent", "sent")
        amounts = (
            call.used_tokens, call.reserved_tokens * is_open, call.cost_microusd, call.reserved_microusd * is_open
        )  # fmt: skip
        for scope in call.scopes:
            for at, amount in enumerate(amounts):
                found[scope, at] += amount
    return {scope: (found[scope, 0], found[scope, 1], found[scope, 2], found[scope, 3]) for scope, _ in found}


def without_zeros(levels: dict[str, tuple[int, int, int, int]]) -> dict[str, tuple[int, int, int, int]]:
    return {scope: level for scope, level in levels.items() if any(level)}


async def close(database: Database, call_id: str, state: str, usage: Usage | None = None, cost: int = 0) -> bool:
    async with database.begin() as session:
        call = await session.get_one(CallRow, call_id)
        return await ledger.settle(session, call, state, at=NOW, usage=usage, cost_microusd=cost)


async def test_a_call_from_intent_to_settled(database: Database) -> None:
    call = a_call(await created(database), tokens=100)
    assert await reserve(database, [limit(150), limit(1000, SPRINT)], call) is None
    assert await counters(database) == {DAY: (0, 100, 0, 200), SPRINT: (0, 100, 0, 200)}
    async with database.begin() as session:
        assert await ledger.claim(session, call.id)
    assert await close(database, call.id, "settled", Usage(input=30, output=12, cache_read=8), cost=77)
    assert await counters(database) == {DAY: (50, 0, 77, 0), SPRINT: (50, 0, 77, 0)}
    async with database.read() as session:
        assert await ledger.levels(session, [limit(150)]) == (
            Level(limit=limit(150), used_tokens=50, used_microusd=77),
        )
        assert await ledger.spent(session, call.task_pk) == (50, 77)


async def test_what_a_closed_call_owes(database: Database) -> None:
    task = await created(database)
    for number, (state, used, cost) in enumerate([("unknown", 100, 200), ("refused", 0, 0)], start=1):
        call = a_call(task, number)
        assert await reserve(database, [limit(150, f"only/{state}")], call) is None
        assert await close(database, call.id, state)
        assert (await counters(database))[f"only/{state}"] == (used, 0, cost, 0)


async def test_settling_twice_changes_nothing(database: Database) -> None:
    call = a_call(await created(database))
    await reserve(database, [limit(150)], call)
    assert await close(database, call.id, "unknown")
    before = await counters(database)
    assert not await close(database, call.id, "settled", Usage(input=1), cost=1)
    assert not await close(database, call.id, "unknown")
    assert not await close(database, call.id, "refused")
    assert await counters(database) == before
    async with database.begin() as session:
        assert not await ledger.claim(session, call.id)  # and it is never sent again


async def test_a_refusal_raises_no_counter(database: Database) -> None:
    """The second limit refuses: the first, raised already, is as it was."""
    task = await created(database)
    small, large = limit(99, SPRINT), limit(1000)
    assert await reserve(database, [large, small], a_call(task, tokens=100)) == small
    assert without_zeros(await counters(database)) == {}
    dear = limit(1000, microusd=199)
    assert await reserve(database, [dear], a_call(task, tokens=100)) == dear
    assert await reserve(database, [limit(1000, microusd=200)], a_call(task, tokens=100)) is None


async def test_many_at_once_fill_a_limit_and_never_exceed_it(database: Database) -> None:
    task = await created(database)
    chance = random.Random(4)
    limits = [limit(5_000), limit(7_000, SPRINT)]
    calls = [a_call(task, number, chance.randint(50, 150)) for number in range(200)]
    over: list[tuple[str, tuple[int, int, int, int]]] = []

    async def one(call: CallRow) -> Limit | None:
        refused = await reserve(database, limits, call)
        over.extend(item for item in (await counters(database)).items() if item[1][0] + item[1][1] > 5_000)
        return refused

    refused = await asyncio.gather(*map(one, calls))
    assert over == []
    levels = await counters(database)
    assert levels[DAY] == levels[SPRINT] == (await sums(database))[DAY]
    assert 5_000 - 150 < levels[DAY][1] <= 5_000  # nothing that fits was refused
    assert {each.scope for each in refused if each} == {DAY}


async def test_many_at_once_over_several_limits_in_any_order(database: Database) -> None:
    """Limits given in opposite orders, closed while others reserve: no deadlock, and the sums agree."""
    task = await created(database)
    limits = [limit(3_000, f"scope/{n}") for n in range(4)]

    async def one(number: int) -> None:
        chance = random.Random(number)
        call = a_call(task, number, chance.randint(10, 90))
        if await reserve(database, chance.sample(limits, 3), call) is None:
            state = chance.choice(["settled", "unknown", "refused", ""])
            if state:
                await close(database, call.id, state, Usage(input=chance.randint(0, call.reserved_tokens)), cost=5)

    await asyncio.gather(*map(one, range(150)))
    assert without_zeros(await counters(database)) == without_zeros(await sums(database))
    assert all(used + held <= 3_000 for used, held, _, _ in (await counters(database)).values())


async def test_one_of_many_may_send(database: Database) -> None:
    call = a_call(await created(database))
    await reserve(database, [limit(150)], call)

    async def claim() -> bool:
        async with database.begin() as session:
            return await ledger.claim(session, call.id)

    assert sorted(await asyncio.gather(*(claim() for _ in range(25)))) == [False] * 24 + [True]


async def test_levels_are_read_anew_within_a_transaction(database: Database) -> None:
    """A reservation that lost a race is sized again by what the counters say then (workflows.paid_call)."""
    task = await created(database)
    async with database.read() as session:
        await ledger.levels(session, [limit(150)])
        await session.commit()  # a new look, the same session
        await reserve(database, [limit(150)], a_call(task))
        (level,) = await ledger.levels(session, [limit(150)])
    assert level.left == 50


async def test_calls_that_nobody_waits_for_are_closed(database: Database) -> None:
    task = await created(database)
    intent, sent, done = (a_call(task, number) for number in (1, 2, 3))
    for call in (intent, sent, done):
        await reserve(database, [limit(1000)], call)
    async with database.begin() as session:
        await ledger.claim(session, sent.id)
    await close(database, done.id, "settled", Usage(input=7))
    async with database.begin() as session:
        calls = await ledger.calls_of(session, task.pk)
        await ledger.close_left(session, calls, at=NOW, why="left")
    async with database.read() as session:
        found = {c.id: (c.state, c.used_tokens) for c in await ledger.calls_of(session, task.pk)}
        assert await ledger.left_since(session, NOW.replace(year=2027)) == []
    assert found == {intent.id: ("refused", 0), sent.id: ("unknown", 100), done.id: ("settled", 7)}
    assert await counters(database) == await sums(database) == {DAY: (107, 0, 200, 0)}


async def test_any_history_keeps_to_the_model(database: Database) -> None:
    """Random reservations, claims and closings against a model in plain Python."""
    task = await created(database)
    for seed in range(4):
        await _one_history(database, task, random.Random(seed), f"seed/{seed}")
    assert without_zeros(await counters(database)) == without_zeros(await sums(database))


async def _one_history(database: Database, task: TaskRow, chance: random.Random, scope: str) -> None:
    most = chance.randint(200, 600)
    model: dict[str, tuple[str, int, int]] = {}  # id -> state, reserved, used
    for number in range(30):
        taken = sum(used if state not in ("intent", "sent") else held for state, held, used in model.values())
        waiting = [call_id for call_id, (state, _, _) in model.items() if state in ("intent", "sent")]
        match chance.choice(("reserve", "reserve", "claim", "close")):
            case "reserve":
                tokens = chance.randint(1, 150)
                call = a_call(task, tokens=tokens, id=f"{scope}/{number}", number=1000 * int(scope[-1]) + number)
                refused = await reserve(database, [limit(most, scope)], call)
                assert (refused is None) == (taken + tokens <= most)
                if refused is None:
                    model[call.id] = ("intent", tokens, 0)
            case "claim" if model:
                call_id = chance.choice(list(model))
                state, held, used = model[call_id]
                async with database.begin() as session:
                    assert await ledger.claim(session, call_id) == (state == "intent")
                model[call_id] = ("sent" if state == "intent" else state, held, used)
            case "close" if waiting:
                call_id = chance.choice(waiting)
                held = model[call_id][1]
                state = chance.choice(("settled", "unknown", "refused"))
                used = {"settled": chance.randint(0, held), "unknown": held, "refused": 0}[state]
                assert await close(database, call_id, state, Usage(output=used))
                model[call_id] = (state, held, used)
    level = (await counters(database)).get(scope, (0, 0, 0, 0))
    assert level[0] == sum(used for _, _, used in model.values())
    assert level[1] == sum(held for state, held, _ in model.values() if state in ("intent", "sent"))
