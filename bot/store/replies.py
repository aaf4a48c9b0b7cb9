"""Replies in the threads of tasks: which task a thread belongs to, what was said there, and which calls heard it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.thread_words import newest_that_fit
from bot.store.statements import insert
from bot.store.tables import OutboxRow, ReplyRow, TaskRow


async def task_of_thread(session: AsyncSession, channel: str, thread_ts: str, person: str) -> TaskRow | None:
    """The task whose card, or whose direct message to this person, stands at the top of the thread."""
    query = (
        select(TaskRow)
        .join(OutboxRow, OutboxRow.task_pk == TaskRow.pk)
        .where(
            OutboxRow.ts == thread_ts,
            or_(
                (OutboxRow.kind == "card") & (OutboxRow.channel == channel),
                (OutboxRow.kind == "direct") & (OutboxRow.channel == person),
            ),
        )
    )
    return (await session.scalars(query)).first()


async def awaits_its_place(session: AsyncSession, channel: str, person: str) -> bool:
    """Whether a card there, or a direct message to this person, is being posted: Slack shows it, and lets people reply,
    a moment before Orch knows its ts."""
    query = select(OutboxRow.key).where(
        OutboxRow.due.is_(True),
        OutboxRow.ts.is_(None),
        OutboxRow.tries > 0,
        or_(
            (OutboxRow.kind == "card") & (OutboxRow.channel == channel),
            (OutboxRow.kind == "direct") & (OutboxRow.channel == person),
        ),
    )
    return (await session.scalars(query.limit(1))).first() is not None


async def is_below_a_direct_message(session: AsyncSession, thread_ts: str, person: str) -> bool:
    """Whether a thread hangs on a direct message that Orch wrote to this person of its own accord."""
    query = select(OutboxRow.key).where(
        OutboxRow.ts == thread_ts, OutboxRow.kind == "direct", OutboxRow.channel == person
    )
    return (await session.scalars(query)).first() is not None


async def add(session: AsyncSession, row: TaskRow, *, channel: str, ts: str, who: str, text: str, at: datetime) -> None:
    """Keep a reply; the same message again is a no-op."""
    values = {"task_pk": row.pk, "channel": channel, "ts": ts, "who": who, "text": text, "at": at}
    await session.execute(
        insert(session, ReplyRow).values(values).on_conflict_do_nothing(index_elements=["channel", "ts"])
    )


async def take_back(session: AsyncSession, row: TaskRow, channel: str, ts: str, at: datetime) -> ReplyRow | None:
    """Its writer changed or deleted a reply: it is no longer told. Returns it, if it was kept; a row without text
    stays, so that the message as it first was cannot be kept any more, should it be worked on only now."""
    found = await session.scalar(select(ReplyRow).where(ReplyRow.channel == channel, ReplyRow.ts == ts))
    if found is None:
        await add(session, row, channel=channel, ts=ts, who="", text="", at=at)
        return None
    was = ReplyRow(who=found.who, text=found.text, heard_attempt=found.heard_attempt)
    found.text = ""
    await session.flush()
    return was if was.text else None


async def put_right(
    session: AsyncSession, row: TaskRow, *, channel: str, ts: str, who: str, text: str, at: datetime
) -> None:
    """Keep a reply as its writer changed it: as a row of its own, since a call under way may carry the earlier one."""
    await session.execute(delete(ReplyRow).where(ReplyRow.channel == channel, ReplyRow.ts == ts))
    await add(session, row, channel=channel, ts=ts, who=who, text=text, at=at)


async def of_task(session: AsyncSession, pk: int) -> Sequence[ReplyRow]:
    """Oldest first."""
    kept = select(ReplyRow).where(ReplyRow.task_pk == pk, ReplyRow.text != "").order_by(ReplyRow.id)
    return (await session.scalars(kept)).all()


async def for_call(session: AsyncSession, row: TaskRow, *, unheard: bool = False) -> Sequence[ReplyRow]:
    """What a call of the running attempt is told, oldest first, no more than fits; `unheard`: only what no call of
    this attempt was told yet."""
    every = await of_task(session, row.pk)
    wanted = [reply for reply in every if not unheard or reply.heard_attempt != row.attempt]
    return wanted[len(wanted) - newest_that_fit([reply.text for reply in wanted]) :]


async def told_in_attempt(session: AsyncSession, row: TaskRow) -> tuple[Sequence[str], bool]:
    """What calls of the running attempt were told and still stands, oldest first; and whether anything that they were
    told was taken back since."""
    told = select(ReplyRow.text).where(ReplyRow.task_pk == row.pk, ReplyRow.heard_attempt == row.attempt)
    found = (await session.scalars(told.order_by(ReplyRow.id))).all()
    return [text for text in found if text], "" in found


async def heard(session: AsyncSession, row: TaskRow, ids: Collection[int]) -> Sequence[ReplyRow]:
    """A call of the running attempt was told these; returns those that no call had been told before."""
    if not ids:
        return []
    fresh = select(ReplyRow).where(ReplyRow.id.in_(ids), ReplyRow.heard_attempt.is_(None), ReplyRow.text != "")
    found = (await session.scalars(fresh.order_by(ReplyRow.id))).all()
    await session.execute(
        update(ReplyRow)
        .where(ReplyRow.id.in_(ids))
        .values(heard_attempt=row.attempt)
        .execution_options(synchronize_session=False)
    )
    return found
