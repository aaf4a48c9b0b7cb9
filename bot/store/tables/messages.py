"""What came in and what is to go out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


class InboxRow(Base):
    """One inbound delivery. Written before the ack, since Slack does not send again what was acked."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_open", "done_at"),)

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class OutboxRow(Base):
    """One Slack message that is wanted: a task's card, a post in a channel, a DM, a thread reply, an upload.

    A card's text is rendered when it is sent; a post or a DM can be rewritten (store.outbox.rewrite). Replies and
    uploads go into the thread of `thread_of`, or of the task's card.

    A `part` is never sent: it stands in the direct message of the key `thread_of` (workflows.reach).

    It is `due` until the revision that was wanted last is shown. `leased_until` keeps two senders apart; a lease that
    ran out means that a send may have happened, so the next sender looks for the message by its key first."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "due"), Index("outbox_by_ts", "ts"))

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # card|channel|direct|part|thread|upload|reaction|whisper
    thread_of: Mapped[str | None] = mapped_column(String(255))  # key of the message in whose thread it belongs
    task_pk: Mapped[int | None] = mapped_column(ForeignKey("tasks.pk"))
    channel: Mapped[str] = mapped_column(String(40))  # a person's id for a direct message
    payload: Mapped[dict[str, Any]]
    wanted_revision: Mapped[int] = mapped_column(default=1)
    shown_revision: Mapped[int] = mapped_column(default=0)
    due: Mapped[bool] = mapped_column(default=True)
    ts: Mapped[str | None] = mapped_column(String(40))
    leased_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
