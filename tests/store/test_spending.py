"""The calls that a saving is measured over, from the ledger's rows (R-BUD-5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.domain.calls import Usage
from bot.domain.task import Rung
from bot.store.database import Database
from bot.store.spending import paid_calls
from bot.store.tables import AttemptRow
from tests.store.samples import NOW, ROUTE, a_call, created

SETTLED: dict[str, Any] = {"state": "settled", "input_tokens": 60, "output_tokens": 20, "cache_read_tokens": 10,
                           "used_tokens": 90, "cost_microusd": 33}  # fmt: skip


async def test_only_what_was_paid_for(database: Database) -> None:
    task = await created(database, 1, route={**ROUTE, "type": "logic"})
    other = await created(database, 2, project="OTHER")
    async with database.begin() as session:
        for number, (rung, outcome) in enumerate([("haiku", "findings"), ("sonnet", "passed")], 1):
            session.add(AttemptRow(task_pk=task.pk, number=number, rung=rung, started_at=NOW, outcome=outcome))
        session.add_all(
            [
                a_call(task, 1, **SETTLED),
                a_call(task, 2, 500, state="unknown", request={"max_output": 400}, cost_microusd=44),
                a_call(task, 3, state="refused"),
                a_call(task, 4, state="sent"),
                a_call(task, 5, purpose="review", rung="gemini", batch=True, **SETTLED),
                a_call(task, 6, attempt=2, rung="sonnet", day=date(2026, 11, 24), **SETTLED),
                a_call(
                    task,
                    7,
                    500,
                    state="corrected",
                    request={"max_output": 400},
                    used_tokens=50,
                    cost_microusd=4,
                    day=date(2026, 11, 25),
                ),
                a_call(other, 1, id="OTHER/1", **SETTLED),
            ]
        )
    async with database.read() as session:
        first, unknown, review, second, corrected = await paid_calls(session, "GRANTER")
        assert first.usage == Usage(input=60, output=20, cache_read=10)
        assert (first.cost_microusd, first.accepted, first.haiku_first) == (33, False, True)
        assert (unknown.usage, unknown.cost_microusd) == (Usage(input=100, output=400), 44)
        assert (review.rung, review.worker, review.batch, review.accepted) == (
            Rung.GEMINI, Rung.HAIKU, True, False,
        )  # fmt: skip
        assert (second.worker, second.accepted, second.unknown) == (Rung.SONNET, True, False)
        assert (corrected.usage, corrected.cost_microusd) == (Usage(input=10, output=40), 4)
        assert len(await paid_calls(session, "GRANTER", until=date(2026, 11, 23))) == 3
        assert await paid_calls(session, "GRANTER", since=date(2026, 11, 23)) == (second, corrected)
        assert await paid_calls(session, "NONE") == ()
