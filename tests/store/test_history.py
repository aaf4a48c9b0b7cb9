"""What the router learns from, as the tables hold it (R-RT-6)."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.history import history_of
from bot.domain.task import Rung, TaskType
from bot.store.database import Database
from bot.store.history import past_attempts
from bot.store.tables import AttemptRow
from tests.store.samples import NOW, ROUTE, a_call, created

LOGIC = {**ROUTE, "type": "logic"}
LATER = NOW + timedelta(seconds=20)


async def test_attempts_of_the_newest_tasks_with_what_they_took(database: Database) -> None:
    task = await created(database, 1, route=LOGIC, attempt=2, state="merged")
    going_on = await created(database, 2, route=LOGIC, attempt=1, state="running")
    docs = await created(database, 3, route={**ROUTE, "type": "docs"}, attempt=1, state="merged")
    elsewhere = await created(database, 4, project="OTHER", route=LOGIC, attempt=1, state="merged")
    old = await created(database, 5, route=LOGIC, attempt=1, state="merged", created_at=NOW - timedelta(days=100))
    async with database.begin() as session:
        for pk, number, rung, outcome in (
            (task.pk, 1, "haiku", "checks"), (task.pk, 2, "sonnet", "passed"), (going_on.pk, 1, "haiku", None),
            *((other.pk, 1, "haiku", "passed") for other in (docs, elsewhere, old)),
        ):  # fmt: skip
            session.add(AttemptRow(task_pk=pk, number=number, rung=rung, started_at=NOW, outcome=outcome))
        paid = {"state": "settled", "settled_at": LATER, "cost_microusd": 30}
        session.add_all(
            [
                a_call(task, 1, **paid),
                a_call(task, 2, purpose="repair", **paid),
                a_call(task, 3, purpose="triage", **paid),
                a_call(task, 4, attempt=2, rung="sonnet", **paid),
                a_call(task, 5, attempt=2, rung="gemini", purpose="review", batch=True, **paid),
            ]
        )
    async with database.read() as session:
        found = await past_attempts(session, "GRANTER", [TaskType.LOGIC], NOW - timedelta(days=90))
        assert await past_attempts(session, "GRANTER", [TaskType.TESTS], NOW - timedelta(days=90)) == ()
    assert [(past.rung, past.outcome, past.microusd, past.seconds) for past in found] == [
        (Rung.HAIKU, "checks", 60, 40.0),
        (Rung.SONNET, "passed", 60, 20.0),
    ]
    history = history_of(found, {})
    assert history.of(Rung.HAIKU, TaskType.LOGIC, found[0].size).passed == 0
    assert history.of(Rung.SONNET, TaskType.LOGIC, found[0].size).passed == 1
