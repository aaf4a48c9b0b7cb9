"""The tables. Times are UTC; money is integer micro-dollars; JSON columns hold domain values as pydantic dumps them."""

from __future__ import annotations

from bot.store.tables.base import Base
from bot.store.tables.messages import InboxRow, OutboxRow
from bot.store.tables.money import CallRow, CounterRow, LimitOrderRow
from bot.store.tables.projects import (
    PersonRow,
    PlanTaskRow,
    ProjectEventRow,
    ScheduleRow,
    SlotRow,
    SprintRow,
    StandupAnswerRow,
)
from bot.store.tables.tasks import ApprovalRow, AttemptRow, BlockerRow, CheckRow, EventRow, ReplyRow, ReviewRow, TaskRow

__all__ = [
    "ApprovalRow",
    "AttemptRow",
    "Base",
    "BlockerRow",
    "CallRow",
    "CheckRow",
    "CounterRow",
    "EventRow",
    "InboxRow",
    "LimitOrderRow",
    "OutboxRow",
    "PersonRow",
    "PlanTaskRow",
    "ProjectEventRow",
    "ReplyRow",
    "ReviewRow",
    "ScheduleRow",
    "SlotRow",
    "SprintRow",
    "StandupAnswerRow",
    "TaskRow",
]
