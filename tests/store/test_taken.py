"""Who took what is the counter, taken apart: equal to plain SQL over the ledger, on both databases (R-BUD-3)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import text

from bot.domain.budget_shown import parts
from bot.domain.calls import Usage
from bot.store import ledger
from bot.store.database import Database
from bot.store.taken import taken, used_by_day
from tests.store.samples import NOW, a_call, created, limit

DAY, BEFORE = date(2026, 11, 22), date(2026, 11, 21)
SPRINT, OTHER = "GRANTER/sprint/1", "GRANTER/sprint/11"


async def test_it_equals_the_ledger_and_the_counters(database: Database) -> None:
    mine = await created(database, 1)
    theirs = await created(database, 2, requester="U0TWO")
    plans: list[tuple[Any, str, str, date, str, int]] = [
        (mine, "haiku", SPRINT, DAY, "settled", 70), (mine, "gemini", SPRINT, DAY, "settled", 40),
        (mine, "haiku", SPRINT, BEFORE, "settled", 60), (theirs, "sonnet", SPRINT, DAY, "unknown", 0),
        (theirs, "haiku", OTHER, DAY, "settled", 30), (theirs, "haiku", SPRINT, DAY, "refused", 0),
        (theirs, "sonnet", SPRINT, DAY, "sent", 0),
    ]  # fmt: skip
    for number, (task, rung, sprint, day, state, used) in enumerate(plans, 1):
        scopes = [f"GRANTER/day/{day}/{rung}", f"GRANTER/day/{day}", sprint]
        call = a_call(task, number, 100, rung=rung, day=day, scopes=scopes, state="sent")
        async with database.begin() as session:
            await ledger.reserve(session, [limit(10_000, scope) for scope in scopes], 100, 200)
            session.add(call)
            await session.flush()
            if state != "sent":
                usage = Usage(input=used)
                await ledger.settle(session, call, state, at=NOW, usage=usage, cost_microusd=used * 3)
    async with database.read() as session:
        for scope, day in ((f"GRANTER/day/{DAY}", DAY), (SPRINT, None), (OTHER, None)):
            found = await taken(session, "GRANTER", scope, day)
            (level,) = await ledger.levels(session, [limit(10_000, scope)])
            for by in ("task", "person", "rung"):
                sums = parts(found, by)
                assert sum(p.used for p in sums) == level.used_tokens, (scope, by)
                assert sum(p.reserved for p in sums) == level.reserved_tokens, (scope, by)
                assert sum(p.microusd for p in sums) == level.taken_microusd, (scope, by)
        raw = (await session.execute(text(
            "SELECT t.task_id, c.rung, SUM(c.used_tokens) FROM calls c JOIN tasks t ON t.pk = c.task_pk"
            " WHERE c.day = '2026-11-22' AND c.state NOT IN ('intent', 'sent') GROUP BY t.task_id, c.rung"
        ))).all()  # fmt: skip
        day_found = await taken(session, "GRANTER", f"GRANTER/day/{DAY}", DAY)
        assert {(t.task, t.rung): t.used for t in day_found if t.used} == {(t, r): n for t, r, n in raw if n}
        by_task = {p.name: (p.used, p.reserved) for p in parts(day_found, "task")}
        assert by_task == {"S0-D0-1": (110, 0), "S0-D0-2": (130, 100)}
        assert await used_by_day(session, "GRANTER", SPRINT) == Counter({DAY: 310, BEFORE: 60})
        assert await taken(session, "OTHER", SPRINT) == ()
