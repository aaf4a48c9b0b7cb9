"""Inbound deliveries: written before the ack, worked from afterwards, so that nothing acked is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.statements import insert
from bot.store.tables import InboxRow


async def take(session: AsyncSession, key: str, kind: str, payload: Mapping[str, Any], at: datetime) -> bool:
    """Record a delivery; False when this key was delivered before (Slack sends again, sockets repeat)."""
    result = await session.execute(
        insert(session, InboxRow)
        .values(key=key, kind=kind, payload=dict(payload), received_at=at)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(InboxRow.key)  # PostgreSQL's driver does not count inserted rows
    )
    return result.scalar_one_or_none() is not None


async def find(session: AsyncSession, key: str) -> InboxRow | None:
    """The delivery of this key, if it came before."""
    return await session.get(InboxRow, key)


async def done(session: AsyncSession, key: str, at: datetime) -> None:
    await session.execute(update(InboxRow).where(InboxRow.key == key).values(done_at=at))


async def is_open(session: AsyncSession, key: str) -> bool:
    return await session.scalar(select(InboxRow.done_at).where(InboxRow.key == key)) is None


async def is_newest(session: AsyncSession, key: str, start: str) -> bool:
    """Whether no delivery whose key begins so came with a greater key: keys that end in Slack's times tell the order
    in which things happened, however they are worked on."""
    newest = select(func.max(InboxRow.key)).where(InboxRow.key.startswith(start, autoescape=True))
    return bool((await session.scalar(newest) or key) <= key)


async def left_over(session: AsyncSession, before: datetime) -> Sequence[InboxRow]:
    """Deliveries that were acked before `before` and whose work did not end: a crash fell between."""
    query = (
        select(InboxRow).where(InboxRow.done_at.is_(None), InboxRow.received_at < before).order_by(InboxRow.received_at)
    )
    return (await session.scalars(query)).all()
