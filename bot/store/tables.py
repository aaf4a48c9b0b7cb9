"""The tables. Times are UTC; money is integer micro-dollars; JSON columns hold domain values as pydantic dumps them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.domain.calls import Purpose


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime (SQLite forgets the zone; this gives it back)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a datetime without a zone must not reach the store")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Utc,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


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


class ProjectEventRow(Base):
    """Append-only: what a person or the clock did to a project as a whole, in the transaction of the change itself."""

    __tablename__ = "project_events"
    __table_args__ = (Index("project_events_by_time", "project", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    project: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(String(40))  # a Slack id, or "orch"
    kind: Mapped[str] = mapped_column(String(40))
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


class SprintRow(Base):
    """One sprint of a project (domain.sprint.Sprint)."""

    __tablename__ = "sprints"

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    plan: Mapped[str] = mapped_column(String(80), default="")  # the plan that it came from
    title: Mapped[str] = mapped_column(Text, default="")
    days: Mapped[int] = mapped_column(default=5)
    state: Mapped[str] = mapped_column(String(10), default="planned")  # planned | open | closed
    budget: Mapped[dict[str, Any]] = mapped_column(default=dict)  # tokens by rung; empty = the project's own limit
    first_day: Mapped[date | None]
    started_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class PlanTaskRow(Base):
    """What a plan or an assignment in JSON asked for (domain.plan.PlanTask). It becomes a task when it is queued."""

    __tablename__ = "plan_tasks"

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    task_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    plan: Mapped[str] = mapped_column(String(80), default="")  # "" = an assignment in JSON
    sprint: Mapped[int]
    place: Mapped[int] = mapped_column(default=0)  # in its plan
    task: Mapped[dict[str, Any]]
    queued: Mapped[bool] = mapped_column(default=False)


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


class PersonRow(Base):
    """What one person set for themselves (domain.person_settings.PersonSettings)."""

    __tablename__ = "people"

    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    away_until: Mapped[date | None]
    zone: Mapped[str | None] = mapped_column(String(64))
    quiet_from: Mapped[str | None] = mapped_column(String(5))  # 20:00, local
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    digest: Mapped[bool] = mapped_column(default=True)
    notify: Mapped[str] = mapped_column(String(10), default="dm")  # dm | thread
    updated_at: Mapped[datetime]


class ScheduleRow(Base):
    """A project's clock, or that of Orch's own upkeep: up to when its slots are in `slots`, and the times that leads
    changed (domain.slots)."""

    __tablename__ = "schedules"

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    looked_until: Mapped[datetime]
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # kind -> time, as the configuration writes it


class StandupAnswerRow(Base):
    """What one person said at the stand-up of one day (domain.people_standup.Answer)."""

    __tablename__ = "standup_answers"

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # in the project's zone
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    done: Mapped[str] = mapped_column(Text)
    next: Mapped[str] = mapped_column(Text)
    blocked: Mapped[str] = mapped_column(Text)
    task: Mapped[str | None] = mapped_column(String(40))  # the one that cannot go on


class SlotRow(Base):
    """One post of the day (domain.slots.Slot). There is one row for a kind and a date, whoever fires how often."""

    __tablename__ = "slots"
    __table_args__ = (Index("slots_by_state", "state", "project"),)

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # in the project's zone
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))  # due | started | posted | missed | skipped
    tries: Mapped[int] = mapped_column(default=0)  # workflows that were started for it
    started_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(Text, default="")  # it was skipped or missed
