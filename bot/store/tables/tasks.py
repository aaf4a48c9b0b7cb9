"""Tasks, and what hangs on each of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


class TaskRow(Base):
    """The truth about a task (domain.task.Task), and what its stages need to go on."""

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("project", "task_id"), Index("tasks_by_state", "state", "project"))

    pk: Mapped[int] = mapped_column(Integer, primary_key=True)
    project: Mapped[str] = mapped_column(String(16))
    task_id: Mapped[str] = mapped_column(String(40))
    sprint: Mapped[int]
    day: Mapped[int]
    number: Mapped[int]
    delivery_key: Mapped[str | None] = mapped_column(String(255), unique=True)  # of the inbox row that made it
    text: Mapped[str] = mapped_column(Text)
    route: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(20))
    priority: Mapped[str] = mapped_column(String(10))
    files: Mapped[list[str]]
    touched: Mapped[list[str]] = mapped_column(default=list, server_default="[]")  # by attempts, where none is declared
    checks: Mapped[list[str]]
    criteria: Mapped[list[str]]
    after: Mapped[list[str]]
    requester: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str] = mapped_column(String(40))
    deadline: Mapped[datetime | None]
    token_budget: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=0)
    entry: Mapped[int] = mapped_column(default=0)
    base_commit: Mapped[str | None] = mapped_column(String(64))
    start_commit: Mapped[str | None] = mapped_column(String(64))  # what the attempt builds on, where not the base
    head_commit: Mapped[str | None] = mapped_column(String(64))
    merge_commit: Mapped[str | None] = mapped_column(String(64))
    waits_for: Mapped[str | None] = mapped_column(Text)  # why a queued task waits, or a blocked one stands still
    security_reasons: Mapped[list[str]] = mapped_column(default=list)  # what the gate found in the diff
    learned: Mapped[list[str]] = mapped_column(default=list)  # what the next attempt is told
    opus_approved_by: Mapped[str | None] = mapped_column(String(40))
    needs_tokens: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")  # at least, by a refused call
    needs_microusd: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    channel: Mapped[str] = mapped_column(String(40))
    zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")  # of the times in its messages
    muted: Mapped[bool] = mapped_column(default=False, server_default=false())  # only what is said to Orch is heard
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class EventRow(Base):
    """Append-only: who did what to a task and why, written in the transaction of the change itself."""

    __tablename__ = "task_events"
    __table_args__ = (Index("task_events_by_task", "task_pk", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(40))  # a Slack id, "orch" or "ci"
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))  # the state after it
    why: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]


class AttemptRow(Base):
    """One attempt at one rung: one edit and at most one repair (R-ESC-4)."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("task_pk", "number"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    number: Mapped[int]
    rung: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))  # domain.escalation.Outcome
    why: Mapped[str] = mapped_column(Text, default="")


class CheckRow(Base):
    """One check as it ran on one commit (domain.change.CheckRun)."""

    __tablename__ = "check_runs"
    __table_args__ = (Index("check_runs_by_commit", "task_pk", "commit"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    commit: Mapped[str] = mapped_column(String(64))
    run: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class ReviewRow(Base):
    """A model's verdict on one exact head commit; `verdict` null = no verdict."""

    __tablename__ = "reviews"
    __table_args__ = (Index("reviews_by_commit", "task_pk", "head_commit"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    head_commit: Mapped[str] = mapped_column(String(64))
    rung: Mapped[str] = mapped_column(String(10))
    model: Mapped[str] = mapped_column(String(80))
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    why_none: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class ApprovalRow(Base):
    """A person's consent to one exact head commit; counts once per person (R-APR-1)."""

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("task_pk", "head_commit", "person"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    head_commit: Mapped[str] = mapped_column(String(64))
    person: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    voided_at: Mapped[datetime | None]


class ReplyRow(Base):
    """What somebody who may steer a task wrote in its thread, without secrets: the next model call is told it."""

    __tablename__ = "task_replies"
    __table_args__ = (UniqueConstraint("channel", "ts"), Index("task_replies_by_task", "task_pk", "id"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    channel: Mapped[str] = mapped_column(String(40))
    ts: Mapped[str] = mapped_column(String(40))
    who: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    heard_attempt: Mapped[int | None]  # the last attempt whose calls carried it


class BlockerRow(Base):
    """One blocker (domain.blockers.Blocker), from when it was seen until it is solved: the times that R-MET counts."""

    __tablename__ = "blockers"
    __table_args__ = (Index("blockers_open", "resolved_at"), Index("blockers_by_task", "task_pk"))

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    project: Mapped[str] = mapped_column(String(16))
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    kind: Mapped[str] = mapped_column(String(20))
    critical: Mapped[bool]
    owner: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]  # when the clock began
    detected_at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(10), default="")  # the farthest step reached (domain.nudges.Step)
    told: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # domain.nudges.Told, oldest first
    acknowledged_by: Mapped[str | None] = mapped_column(String(40))
    acknowledged_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
