"""A project as it stood at a moment, by its events (R-REP-3)."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.task import TaskState as S
from bot.store import report_facts, tasks
from bot.store.database import Database
from tests.store.samples import NOW, created


async def test_each_task_as_it_stood(database: Database) -> None:
    """Since it came into the state without a break, and why, as it was said last; what else is noted, or remarked with
    an old state, changes none."""
    row = await created(database, 1)
    await created(database, 2, created_at=NOW + timedelta(hours=3))
    await created(database, 3, project="OTHER")
    async with database.begin() as session:
        row = await tasks.lock(session, row.pk)
        for hour, state in ((1, S.RUNNING), (2, S.BLOCKED), (4, S.QUEUED), (5, S.BLOCKED)):
            at = NOW + timedelta(hours=hour)
            await tasks.step(session, row, state, at=at, who="orch", why=f"at {hour}")
            await tasks.note(session, row, at=at + timedelta(minutes=5), who="orch", kind="noted", why="a note")
        await tasks.note(session, row, at=NOW + timedelta(hours=6), who="ci", kind="blocked", why="said anew")
        row.state = S.RUNNING.value
        tasks.add_event(session, row, at=NOW + timedelta(hours=6), who="orch", kind="alerted", why="", detail={})
        row.state = S.BLOCKED.value
    seen = []
    async with database.read() as session:
        for hour in (-1, 0, 2.5, 3, 4.5, 5.5, 9):
            found = await report_facts.standings(session, "GRANTER", NOW + timedelta(hours=hour))
            seen.append([(each.row.number, each.state, (each.since - NOW).seconds // 3600, each.why) for each in found])
    late = (2, "queued", 3, "assigned")
    assert seen == [
        [],
        [(1, "queued", 0, "assigned")],
        [(1, "blocked", 2, "at 2")],
        [(1, "blocked", 2, "at 2"), late],
        [(1, "queued", 4, "at 4"), late],
        [(1, "blocked", 5, "at 5"), late],
        [(1, "blocked", 5, "said anew"), late],
    ]
