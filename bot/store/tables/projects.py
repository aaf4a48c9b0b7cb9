"""What belongs to a project as a whole, or to its people: sprints, plans, the clock, settings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


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


class ScheduleRow(Base):
    """A project's clock, or that of Orch's own upkeep: up to when its slots are in `slots`, and the times that leads
    changed (domain.slots)."""

    __tablename__ = "schedules"

    project: Mapped[str] = mapped_column(String(16), primary_key=True)
    looked_until: Mapped[datetime]
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # kind -> time, as the configuration writes it


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
