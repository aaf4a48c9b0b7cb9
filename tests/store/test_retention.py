"""What is trimmed, and that no number, event or export changes by it; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bot.store import exports, outbox, retention, spending
from bot.store.database import Database
from bot.store.tables import CallRow, InboxRow, OutboxRow, TaskRow
from tests.store.samples import NOW, a_call, created

OLD = NOW - timedelta(days=100)
CUTOFF = NOW - timedelta(days=90)
ASKED = {"model": "claude-haiku-5-5", "system": "long", "messages": [{"role": "user"}], "max_output": 700}


async def _task(database: Database, number: int, state: str, at: Any = OLD) -> TaskRow:
    """A task with a call of each kind of outcome and messages of each kind."""
    row = await created(database, number, state=state, created_at=at, updated_at=at)
    settled = {"state": "settled", "used_tokens": 30, "reply": {"text": "long"}, "applied": {"head": None}}
    async with database.begin() as session:
        session.add(a_call(row, 1, request=ASKED, created_at=at, settled_at=at, **settled))
        session.add(a_call(row, 2, request=ASKED, created_at=at, settled_at=at, state="unknown", used_tokens=100))
        for kind in ("direct", "thread", "upload"):
            await outbox.want(session, f"{kind}/{number}", kind, "C0DEV", {"text": "long"}, at, task_pk=row.pk)
            await outbox.sent(session, f"{kind}/{number}", 1, f"{number}.0")
        await outbox.sent(session, outbox.card_key(row), 1, f"{number}.1")
    return row


async def _trimmed(database: Database, limit: int = 100) -> list[int]:
    every = (retention.drop_deliveries, retention.drop_messages, retention.empty_messages, retention.empty_calls)
    found = []
    for function in every:
        async with database.begin() as session:
            found.append(await function(session, CUTOFF, limit))
    return found


async def _read(database: Database) -> list[Any]:
    """All that is told of the past."""
    wanted = exports.Wanted()
    async with database.read() as session:
        spent = await spending.paid_calls(session, "GRANTER")
    return [spent, [line async for line in exports.ledger(database, wanted)],
            [line async for line in exports.events(database, wanted)]]  # fmt: skip


async def test_what_is_read_of_the_past_stays(database: Database) -> None:
    for number, state in enumerate(("merged", "done", "cancelled", "blocked"), 1):
        await _task(database, number, state)
    before = await _read(database)
    assert await _trimmed(database) == [0, 4, 8, 6]
    assert await _read(database) == before
    assert await _trimmed(database) == [0, 0, 0, 0], "and only once"
    async with database.read() as session:
        calls = {call.id: call for call in await session.scalars(select(CallRow))}
        kept = {row.key: (row.payload, row.ts) for row in await session.scalars(select(OutboxRow))}
    assert calls["GRANTER/S0-D0-1/1/1"].request == {"max_output": 700}
    assert calls["GRANTER/S0-D0-1/1/1"].reply is None
    assert calls["GRANTER/S0-D0-4/1/1"].reply == {"text": "long"}, "it is open: a click may need it"
    assert "thread/1" not in kept and kept["card/GRANTER/S0-D0-1"] == ({}, "1.1")
    assert kept["direct/1"] == ({}, "1.0"), "its key stays, so that it is not sent again"


async def test_what_is_younger_or_not_done_stays(database: Database) -> None:
    await _task(database, 1, "merged", NOW - timedelta(days=89))
    async with database.begin() as session:
        for key, at, done in (("old", OLD, OLD), ("open", OLD, None), ("new", NOW, NOW)):
            session.add(InboxRow(key=key, kind="command", payload={"text": "x"}, received_at=at, done_at=done))
        await outbox.want(session, "unsent", "direct", "U0DEV", {"text": "x"}, OLD)
        await outbox.want(session, "refused", "direct", "U0DEV", {"text": "x"}, OLD)
        await outbox.failed(session, "refused", "invalid_blocks", None)
    assert await _trimmed(database) == [1, 0, 0, 0]
    async with database.read() as session:
        assert sorted(await session.scalars(select(InboxRow.key))) == ["new", "open"]


async def test_so_many_at_once(database: Database) -> None:
    await _task(database, 1, "merged")
    await _task(database, 2, "merged")
    assert await _trimmed(database, 2) == [0, 2, 2, 2]
    assert await _trimmed(database, 2) == [0, 2, 0, 2]
