"""Tasks: only legal steps, events that are never lost or changed, numbers that are unique whatever runs at once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from bot.domain.task import STAGED, TRANSITIONS, TaskState
from bot.store import outbox, tasks
from bot.store.database import Database
from bot.store.tables import EventRow, OutboxRow, TaskRow
from tests.store.samples import NOW, a_task, created, migrated


async def step(database: Database, pk: int, to: TaskState) -> None:
    async with database.begin() as session:
        await tasks.step(session, await tasks.lock(session, pk), to, at=NOW, who="orch", why=f"to {to}")


async def told(database: Database, pk: int) -> list[tuple[str, str, str]]:
    async with database.read() as session:
        return [(e.kind, e.state, e.why) for e in await tasks.events(session, pk)]


async def test_every_step_is_judged_by_the_table(database: Database) -> None:
    row = await created(database)
    for before in TaskState:
        for after in TaskState:
            async with database.begin() as session:
                locked = await tasks.lock(session, row.pk)
                locked.state, entry = before.value, locked.entry
                if after in TRANSITIONS[before]:
                    await tasks.step(session, locked, after, at=NOW, who="orch", why="may")
                    assert locked.state == after
                    assert locked.entry == entry + (after in STAGED)
                else:
                    with pytest.raises(tasks.IllegalStep, match=f"{before.value} -> {after.value}"):
                        await tasks.step(session, locked, after, at=NOW, who="orch", why="may not")
                    assert (locked.state, locked.entry) == (before, entry)
    assert all(why != "may not" for _, _, why in await told(database, row.pk))


async def test_a_step_writes_its_event_and_wants_the_card(database: Database) -> None:
    row = await created(database)
    await step(database, row.pk, TaskState.RUNNING)
    await step(database, row.pk, TaskState.CHECKING)
    assert await told(database, row.pk) == [
        ("created", "queued", "assigned"),
        ("running", "running", "to running"),
        ("checking", "checking", "to checking"),
    ]
    async with database.read() as session:
        card = await session.get_one(OutboxRow, outbox.card_key(row))
    assert (card.wanted_revision, card.shown_revision, card.due) == (3, 0, True)


async def test_a_failure_leaves_neither_the_change_nor_its_event(database: Database) -> None:
    row = await created(database)
    with pytest.raises(RuntimeError, match="on purpose"):
        async with database.begin() as session:
            locked = await tasks.lock(session, row.pk)
            await tasks.step(session, locked, TaskState.RUNNING, at=NOW, who="orch", why="lost")
            await tasks.note(session, locked, at=NOW, who="orch", kind="noted", why="lost")
            raise RuntimeError("on purpose")
    async with database.read() as session:
        kept = await session.get_one(TaskRow, row.pk)
        card = await session.get_one(OutboxRow, outbox.card_key(row))
    assert (kept.state, kept.entry, card.wanted_revision) == ("queued", 0, 1)
    assert await told(database, row.pk) == [("created", "queued", "assigned")]


async def test_a_lock_shows_what_is_true_now(database: Database) -> None:
    """A row that the session read before is read anew when it is locked: a cancel in between is not overwritten."""
    row = await created(database)
    async with database.read() as session:
        stale = await tasks.find(session, "GRANTER", "s0-d0-1")
        assert stale is not None
        await session.commit()
        await step(database, row.pk, TaskState.CANCELLED)
        assert (await tasks.lock(session, row.pk)).state == "cancelled"


async def test_a_lock_holds_off_another_step(database: Database) -> None:
    """Two at once from the same state: one goes first, the other finds the state that it left."""
    row = await created(database)
    await step(database, row.pk, TaskState.RUNNING)
    both = await asyncio.gather(
        step(database, row.pk, TaskState.CANCELLED), step(database, row.pk, TaskState.CHECKING),
        return_exceptions=True,
    )  # fmt: skip
    assert sum(result is None for result in both) >= 1  # cancelling a checking task is legal, the reverse is not
    states = [state for _, state, _ in await told(database, row.pk)]
    assert states in (
        ["queued", "running", "cancelled"],
        ["queued", "running", "checking", "cancelled"],
    )


async def test_numbers_are_unique_whatever_comes_at_once(database: Database) -> None:

    async def create(at: int) -> str:
        async with database.begin() as session:
            await tasks.lock_project(session, "GRANTER")
            number = await tasks.next_number(session, "GRANTER", 0, 0)
            await asyncio.sleep(0)
            row = a_task(number, delivery_key=f"delivery/{at}", text=f"typed as number {at}")
            await tasks.create(session, row, who="U0DEV", why="assigned")
        return row.task_id

    made = await asyncio.gather(*map(create, range(20)))
    assert sorted(made, key=lambda name: int(name.rpartition("-")[2])) == [f"S0-D0-{n}" for n in range(1, 21)]
    async with database.read() as session:
        assert await session.scalar(select(func.count(TaskRow.text.distinct()))) == 20


async def test_projects_do_not_wait_for_each_other(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer")
    async with migrated(database_url) as database, database.begin() as held:
        await tasks.lock_project(held, "GRANTER")
        async with asyncio.timeout(60), database.begin() as session:
            await tasks.lock_project(session, "OTHER")


async def test_the_store_never_changes_or_deletes_an_event(database: Database) -> None:
    """Append-only: ids and times of earlier events stay as they are, whatever happens to the task."""
    row = await created(database)
    seen: list[tuple[int, str]] = []
    for to in (TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW, TaskState.QUEUED, TaskState.CANCELLED):
        await step(database, row.pk, to)
        async with database.read() as session:
            now = [(e.id, e.kind) for e in (await session.scalars(select(EventRow).order_by(EventRow.id))).all()]
        assert now[: len(seen)] == seen
        assert len(now) == max(2, len(seen) + 1)
        seen = now
