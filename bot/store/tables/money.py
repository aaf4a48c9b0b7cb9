"""Paid calls, and the counters and limits that they count against."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from bot.domain.calls import Purpose
from bot.store.tables.base import Base


class CallRow(Base):
    """The ledger: one paid call. Written before it is sent (intent), settled after."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("task_pk", "attempt", "number"),
        Index("calls_by_state", "state"),
        Index("calls_by_outcome", "state", "settled_at"),
    )

    id: Mapped[str] = mapped_column(String(80), primary_key=True)  # sent as X-Orch-Call
    task_pk: Mapped[int] = mapped_column(ForeignKey("tasks.pk"))
    attempt: Mapped[int]
    number: Mapped[int]
    purpose: Mapped[Purpose] = mapped_column(String(20))
    rung: Mapped[str] = mapped_column(String(10))
    model: Mapped[str] = mapped_column(String(80))
    answered_by: Mapped[str | None] = mapped_column(String(80))
    day: Mapped[date]  # in the project's zone
    visit: Mapped[str] = mapped_column(String(120), default="", server_default="")  # the stage workflow that makes it
    state: Mapped[str] = mapped_column(String(10))  # intent | sent | settled | refused | unknown | corrected
    scopes: Mapped[list[str]]  # the budget counters it counts against
    reserved_tokens: Mapped[int] = mapped_column(BigInteger)
    reserved_microusd: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    thinking_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    used_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_microusd: Mapped[int] = mapped_column(BigInteger, default=0)
    request: Mapped[dict[str, Any]]
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    applied: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what its edits came to
    error: Mapped[str] = mapped_column(Text, default="")
    retryable: Mapped[bool] = mapped_column(default=False)
    batch: Mapped[bool] = mapped_column(default=False, server_default=false())  # goes through the provider's batch API
    batch_id: Mapped[str | None] = mapped_column(String(80))  # the provider's, once it has the call
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class CounterRow(Base):
    """Used and reserved of one budget scope (domain.budget.Limit.scope); its limit is configuration."""

    __tablename__ = "budget_counters"

    scope: Mapped[str] = mapped_column(String(120), primary_key=True)
    used_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    used_microusd: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_microusd: Mapped[int] = mapped_column(BigInteger, default=0)


class LimitOrderRow(Base):
    """What a lead ordered about a limit (domain.limit_orders.Order), or added to a task's budget (`limit` = its id).
    `ended_at`: it was taken back."""

    __tablename__ = "limit_orders"
    __table_args__ = (UniqueConstraint("delivery_key"), Index("limit_orders_by_project", "project", "ended_at"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    delivery_key: Mapped[str] = mapped_column(String(255))  # of the inbox row that made it: once
    project: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(10))  # raise | defer
    limit: Mapped[str] = mapped_column(String(40))
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    microusd: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    had: Mapped[int | None] = mapped_column(BigInteger)  # tokens of the task's attempts until then
    rung: Mapped[str | None] = mapped_column(String(10))  # of the task then
    sprint: Mapped[int | None]
    first: Mapped[date]  # in the project's zone, like `last`, which is included
    last: Mapped[date | None]
    who: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
