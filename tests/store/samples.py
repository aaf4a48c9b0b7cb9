"""Rows with sensible defaults, and migrated databases to put them into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import make_url

from bot.domain.budget import Limit
from bot.store import tasks
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.tables import CallRow, TaskRow
from bot.wiring import data_folder

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ROUTE = {
    "rung": "haiku", "type": "docs", "complexity": "low", "security": False, "reason": "documentation",
    "rule": "R-RT-1", "confidence": 1.0,
}  # fmt: skip


@asynccontextmanager
async def migrated(url: str) -> AsyncIterator[Database]:
    """The database at this URL: SQLite's file is made here, PostgreSQL's was by its fixture."""
    if url.startswith("sqlite"):
        migrated_sqlite(Path(make_url(url).database or ""))
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def migrate_at(url: str) -> None:
    database = Database(url)
    try:
        await migrate(database, data_folder("migrations"))
    finally:
        await database.close()


def migrated_sqlite(path: Path) -> str:
    """The URL of a SQLite database there: as the migrations make it, where there is none yet."""
    if not path.exists():
        path.write_bytes(_migrated())
    return f"sqlite+aiosqlite:///{path}"


@cache
def _migrated() -> bytes:
    """A migrated SQLite database, made once: a copy takes a hundredth of the time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orch.db"
        in_a_loop_of_its_own(migrate_at, f"sqlite+aiosqlite:///{path}")
        return path.read_bytes()


def in_a_loop_of_its_own(work: Callable[[str], Coroutine[Any, Any, None]], url: str) -> None:
    """Wait for it, also where a loop runs already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work(url)).result()


def a_task(number: int = 1, **fields: Any) -> TaskRow:
    known: dict[str, Any] = {
        "project": "GRANTER", "task_id": f"S0-D0-{number}", "sprint": 0, "day": 0, "number": number,
        "delivery_key": f"delivery-{number}", "text": f"Task {number}", "route": ROUTE, "state": "queued",
        "priority": "normal", "files": [], "checks": [], "criteria": [], "after": [], "requester": "U0DEV",
        "owner": "U0DEV", "token_budget": 20_000, "attempt": 0, "entry": 0, "security_reasons": [], "learned": [],
        "channel": "C0DEV", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return TaskRow(**known | fields)


def a_call(task: TaskRow, number: int = 1, tokens: int = 100, **fields: Any) -> CallRow:
    known: dict[str, Any] = {
        "id": f"GRANTER/{task.task_id}/1/{number}", "task_pk": task.pk, "attempt": 1, "number": number,
        "purpose": "edit", "rung": "haiku", "model": "claude-haiku-5-5", "day": date(2026, 11, 22), "state": "intent",
        "scopes": ["GRANTER/day"], "reserved_tokens": tokens, "reserved_microusd": tokens * 2, "request": {},
        "created_at": NOW,
    }  # fmt: skip
    return CallRow(**known | fields)


async def created(database: Database, number: int = 1, **fields: Any) -> TaskRow:
    """A task in the store, with its first event and its card wanted."""
    row = a_task(number, **fields)
    async with database.begin() as session:
        await tasks.create(session, row, who="U0DEV", why="assigned")
    return row


def limit(tokens: int, scope: str = "GRANTER/day", microusd: int | None = None) -> Limit:
    return Limit(scope=scope, name=scope, tokens=tokens, microusd=microusd)
