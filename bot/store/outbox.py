"""Slack messages that are wanted. Written in the transaction that gives the reason; sent by workflows.messenger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.statements import insert, took_effect
from bot.store.tables import OutboxRow, TaskRow


async def want_card(session: AsyncSession, row: TaskRow) -> None:
    """The task's card has something new to show; what it shows is read when it is sent (last state wins)."""
    changed = (
        update(OutboxRow)
        .where(OutboxRow.key == card_key(row))
        .values(wanted_revision=OutboxRow.wanted_revision + 1, due=True)
    )
    if not await took_effect(session, changed):
        await want(session, card_key(row), "card", row.channel, {}, row.updated_at, task_pk=row.pk)


async def want(
    session: AsyncSession,
    key: str,
    kind: str,
    channel: str,
    payload: Mapping[str, Any],
    at: datetime,
    *,
    task_pk: int | None = None,
    thread_of: str | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Ask for one message, once: the same key again is a no-op, and False. `not_before`: its reader has quiet hours.
    An `upload` has the payload {"name", "title"} and "content" (text) or "base64" (bytes) with "alt", or {"name",
    "chart"}, drawn when it is sent; a `reaction` {"ts", "name"}; a `whisper`, which one person sees, {"user",
    "message", "thread_ts"}."""
    row = {"key": key, "kind": kind, "channel": channel, "payload": dict(payload), "created_at": at, "task_pk": task_pk,
           "thread_of": thread_of, "due": kind != "part"}  # fmt: skip
    if not_before is not None:
        row |= {"leased_until": not_before, "error": "waits for its reader's working hours"}
    await session.flush()
    added = (
        insert(session, OutboxRow).values(row).on_conflict_do_nothing(index_elements=["key"]).returning(OutboxRow.key)
    )
    return await session.scalar(added) is not None


async def keys(session: AsyncSession, start: str) -> Sequence[str]:
    """The keys that begin so, of all that was ever wanted."""
    query = select(OutboxRow.key).where(OutboxRow.key.startswith(start, autoescape=True))
    return (await session.scalars(query.order_by(OutboxRow.key))).all()


async def rewrite(session: AsyncSession, key: str, payload: Mapping[str, Any]) -> bool:
    """Let a post or direct message say something else, in place; False where it was never wanted."""
    changed = (
        update(OutboxRow)
        .where(OutboxRow.key == key)
        .values(payload=dict(payload), wanted_revision=OutboxRow.wanted_revision + 1, due=OutboxRow.kind != "part")
    )
    return await took_effect(session, changed)


async def lock(session: AsyncSession, keys: Collection[str]) -> None:
    """Hold these messages until the transaction ends; in one order, so that two that hold several cannot deadlock."""
    query = select(OutboxRow.key).where(OutboxRow.key.in_(keys)).order_by(OutboxRow.key).with_for_update()
    await session.execute(query)


async def digest_of(session: AsyncSession, key: str) -> str | None:
    """The key of the message that carries this one; None for one that comes by itself."""
    return await session.scalar(select(OutboxRow.thread_of).where(OutboxRow.key == key, OutboxRow.kind == "part"))


async def parts(session: AsyncSession, digest: str) -> Sequence[OutboxRow]:
    """What a message carries, oldest first. It is locked, so that of two that change it at a time each sees both."""
    await lock(session, [digest])
    query = select(OutboxRow).where(OutboxRow.thread_of == digest, OutboxRow.kind == "part")
    ordered = query.order_by(OutboxRow.created_at, OutboxRow.key).execution_options(populate_existing=True)
    return (await session.scalars(ordered)).all()


async def about(session: AsyncSession, key: str, task_pk: int | None) -> None:
    """Which task a message is about: replies below it belong to that."""
    await session.execute(update(OutboxRow).where(OutboxRow.key == key).values(task_pk=task_pk))


async def newest_direct(session: AsyncSession, task_pk: int, start: str = "", person: str = "") -> str | None:
    """The key of the newest direct message about a task whose key begins so, or that this person got, if any."""
    query = select(OutboxRow.key).where(OutboxRow.task_pk == task_pk, OutboxRow.kind.in_(("direct", "part")))
    if start:
        query = query.where(OutboxRow.key.startswith(start, autoescape=True))
    if person:
        query = query.where(OutboxRow.channel == person)
    return await session.scalar(query.order_by(OutboxRow.created_at.desc(), OutboxRow.key.desc()).limit(1))


def card_key(row: TaskRow) -> str:
    return f"card/{row.project}/{row.task_id}"


async def due(session: AsyncSession, now: datetime, limit: int = 50) -> Sequence[OutboxRow]:
    """What is to be sent and nobody is sending, oldest first. A task's card goes before what hangs on its thread."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.due.is_(True), or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until < now))
        .order_by(OutboxRow.created_at, OutboxRow.key)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def lease(session: AsyncSession, key: str, now: datetime, until: datetime) -> OutboxRow | None:
    """Claim a message for sending: the message as it is now, or None when another sender was first. `tries` > 0 from
    here on until it is known to be sent."""
    claimed = (
        update(OutboxRow)
        .where(
            OutboxRow.key == key,
            OutboxRow.due.is_(True),
            or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until < now),
        )
        .values(leased_until=until, tries=OutboxRow.tries + 1, error="")
        .returning(OutboxRow)
    )
    return await session.scalar(claimed)


async def hold(session: AsyncSession, key: str, until: datetime) -> None:
    """Lengthen the lease of a message that is being sent."""
    await session.execute(
        update(OutboxRow).where(OutboxRow.key == key, OutboxRow.leased_until.is_not(None)).values(leased_until=until)
    )


async def release_all(session: AsyncSession) -> None:
    """No message is being sent now: for a start where no other process can be at work. What waits after a failed
    send goes on waiting."""
    await session.execute(
        update(OutboxRow).where(OutboxRow.leased_until.is_not(None), OutboxRow.error == "").values(leased_until=None)
    )


async def sent(session: AsyncSession, key: str, revision: int, ts: str | None) -> None:
    """The message shows `revision` now; it stays due where more was wanted meanwhile."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.key == key)
        .values(
            shown_revision=revision,
            ts=ts,
            leased_until=None,
            tries=0,
            error="",
            due=OutboxRow.wanted_revision > revision,
        )
    )


async def failed(session: AsyncSession, key: str, error: str, again_at: datetime | None) -> None:
    """Sending failed: tried again at `again_at`, or given up (None)."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.key == key)
        .values(leased_until=again_at, error=error[:2000], due=again_at is not None)
    )
