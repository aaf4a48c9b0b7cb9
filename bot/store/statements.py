"""What SQLite and PostgreSQL say differently, said once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Delete, Update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import Base


def insert(session: AsyncSession, table: type[Base]) -> Any:
    """An INSERT that can say what is done where the row is there already (ON CONFLICT)."""
    return (sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert)(table)


async def took_effect(session: AsyncSession, change: Update) -> bool:
    """Run an UPDATE; False where it found no row, since another was faster or there is none."""
    return await rows_changed(session, change) > 0


async def rows_changed(session: AsyncSession, change: Update | Delete) -> int:
    """Run an UPDATE or a DELETE; how many rows it found."""
    result = await session.execute(change)
    return int(result.rowcount)  # type: ignore[attr-defined]
