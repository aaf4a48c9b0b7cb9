"""The commands as values: one frozen kind each, told apart by `command`."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.assign import AssignRequest
from bot.domain.budget import LimitName
from bot.domain.command_values import TaskRef
from bot.domain.task import Frozen, Rung
from bot.domain.working_days import Weekday

ListView = Literal["open", "mine", "running", "blocked", "review", "all"]
Slot = Literal["morning", "midday", "evening", "weekly"]


class Assign(Frozen):
    """Give Orch a task. An empty `request.text` asks for the form, filled in with the options."""

    command: Literal["assign"] = "assign"
    request: AssignRequest


class List(Frozen):
    """The tasks of a view whose text or id holds every word of `words`, and that `owner` owns, where one is named."""

    command: Literal["list"] = "list"
    view: ListView = "open"
    words: str = ""
    owner: str | None = None


class Status(Frozen):
    """One task, or without one how everything is: providers, what runs, what waits."""

    command: Literal["status"] = "status"
    task: TaskRef | None = None


class Why(Frozen):
    command: Literal["why"] = "why"
    task: TaskRef


class Cancel(Frozen):
    command: Literal["cancel"] = "cancel"
    task: TaskRef


class Retry(Frozen):
    command: Literal["retry"] = "retry"
    task: TaskRef


class Unblock(Frozen):
    command: Literal["unblock"] = "unblock"
    task: TaskRef


class Done(Frozen):
    command: Literal["done"] = "done"
    task: TaskRef
    seen: str = ""  # what the person saw, where they say it


class Takeover(Frozen):
    command: Literal["takeover"] = "takeover"
    task: TaskRef


class Block(Frozen):
    command: Literal["block"] = "block"
    task: TaskRef
    reason: str


class Reassign(Frozen):
    """To a rung or to a person: exactly one of the two is set."""

    command: Literal["reassign"] = "reassign"
    task: TaskRef
    rung: Rung | None = None
    user: str | None = None


class Away(Frozen):
    """Be away until the day on which one is back, be `back` now, or (neither) see how it stands."""

    command: Literal["away"] = "away"
    until: date | None = None
    back: bool = False


class Schedule(Frozen):
    """`set` carries slot and time (and a weekday for weekly); `skip` a slot, and a date if not the next."""

    command: Literal["schedule"] = "schedule"
    action: Literal["show", "set", "skip"] = "show"
    slot: Slot | None = None
    weekday: Weekday | None = None
    at: time | None = None  # local to the project
    on: date | None = None


class Budget(Frozen):
    """`show` is about today, `sprint` about the open sprint, `task` about one task, `chart` draws both; `raise` adds
    tokens to a limit (day, sprint, a rung's day, a task), or dollars to the day's or the sprint's; `reset` puts it back
    (None = all of them), `correct` says what a call took whose outcome was unknown, or each that counts against a
    limit."""

    command: Literal["budget"] = "budget"
    action: Literal["show", "sprint", "task", "chart", "raise", "reset", "correct"] = "show"
    limit: LimitName | TaskRef | None = None
    tokens: int | None = None
    microusd: int | None = None
    until: date | None = None  # in the project's calendar, that day included
    call: str | None = None  # a paid call's id


class Sprint(Frozen):
    command: Literal["sprint"] = "sprint"
    action: Literal["start", "close", "show"] = "show"
    number: int | None = None  # None = the current one (show only)


class Plan(Frozen):
    command: Literal["plan"] = "plan"
    action: Literal["load", "show"] = "show"
    name: str | None = None


class Standup(Frozen):
    command: Literal["standup"] = "standup"


class Report(Frozen):
    """Of today or of `on`; about the open sprint, or `sprint`."""

    command: Literal["report"] = "report"
    period: Literal["daily", "weekly"]
    on: date | None = None
    sprint: int | None = None


class Metrics(Frozen):
    """Of so many days until now; none = the usual window."""

    command: Literal["metrics"] = "metrics"
    days: int | None = None


class Incident(Frozen):
    command: Literal["incident"] = "incident"
    what: str


class Help(Frozen):
    """Help on everything, or on one command or one of its actions: `budget`, `budget raise`."""

    command: Literal["help"] = "help"
    topic: str | None = None


Command = Annotated[
    Assign
    | List
    | Status
    | Why
    | Cancel
    | Retry
    | Unblock
    | Done
    | Takeover
    | Block
    | Reassign
    | Away
    | Schedule
    | Budget
    | Sprint
    | Plan
    | Standup
    | Report
    | Metrics
    | Incident
    | Help,
    Field(discriminator="command"),
]
