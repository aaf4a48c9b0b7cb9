"""The task and its life: states, and the one table of transitions between them (DESIGN, "Life of a task")."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.shortening import first_line

Priority = Literal["low", "normal", "high", "critical"]

ORCH, CI = "orch", "ci"  # who did it, where no person did
MACHINES = (ORCH, CI)


class Frozen(BaseModel):
    """Base of every value in the domain: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskType(StrEnum):
    """What kind of work a task is (RULEBOOK R-RT, `--type`)."""

    SETUP = "setup"
    CONFIG = "config"
    DOCS = "docs"
    SCHEMA = "schema"
    AUTH = "auth"
    LOGIC = "logic"
    INTEGRATION = "integration"
    TESTS = "tests"
    DEBUG = "debug"
    REVIEW = "review"
    ANALYSIS = "analysis"
    SEARCH = "search"
    VALIDATION = "validation"
    OPS = "ops"


class Rung(StrEnum):
    """Who does the work. Which vendor's model stands behind a rung is configuration."""

    HAIKU = "haiku"
    SONNET = "sonnet"
    GEMINI = "gemini"
    OPUS = "opus"
    MANUAL = "manual"


#: Types whose result is a report, not a change.
REPORTS = frozenset({TaskType.REVIEW, TaskType.ANALYSIS, TaskType.SEARCH, TaskType.VALIDATION})
#: Types whose result changes no file.
CHANGELESS = REPORTS | {TaskType.OPS}
#: The rungs that a model stands behind.
PAID = tuple(rung for rung in Rung if rung is not Rung.MANUAL)


class TaskState(StrEnum):
    """Where a task stands. `running`, `checking`, `in_review`, `merging` and `splitting` each have a stage workflow."""

    QUEUED = "queued"
    RUNNING = "running"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    AWAITING_APPROVAL = "awaiting_approval"
    MERGING = "merging"
    SPLITTING = "splitting"
    MERGED = "merged"
    WITH_HUMAN = "with_human"
    DONE = "done"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def words(self) -> str:
        """As people read it."""
        return "with a person" if self is TaskState.WITH_HUMAN else self.value.replace("_", " ")


S = TaskState

#: Every allowed step of a task's life. What is not here cannot happen.
TRANSITIONS: dict[TaskState, frozenset[TaskState]] = {
    S.QUEUED: frozenset({S.RUNNING, S.WITH_HUMAN, S.SPLITTING, S.BLOCKED, S.CANCELLED}),
    S.RUNNING: frozenset({S.CHECKING, S.RUNNING, S.QUEUED, S.DONE, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.CHECKING: frozenset({S.IN_REVIEW, S.RUNNING, S.QUEUED, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.IN_REVIEW: frozenset({S.AWAITING_APPROVAL, S.IN_REVIEW, S.QUEUED, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.AWAITING_APPROVAL: frozenset({S.MERGING, S.QUEUED, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.MERGING: frozenset({S.MERGED, S.AWAITING_APPROVAL, S.QUEUED, S.BLOCKED, S.FAILED}),
    S.SPLITTING: frozenset({S.QUEUED, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.WITH_HUMAN: frozenset({S.DONE, S.QUEUED, S.BLOCKED, S.CANCELLED, S.FAILED}),
    S.BLOCKED: frozenset(
        {S.QUEUED, S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.WITH_HUMAN, S.SPLITTING, S.CANCELLED, S.FAILED}
    ),
    S.MERGED: frozenset(),
    S.DONE: frozenset(),
    S.CANCELLED: frozenset({S.QUEUED}),
    S.FAILED: frozenset({S.QUEUED}),
}

#: States that a stage workflow works on.
STAGED = frozenset({S.RUNNING, S.CHECKING, S.IN_REVIEW, S.MERGING, S.SPLITTING})
#: States that work on a commit which was paid for: what something else interrupted there goes on there.
RESUMED = frozenset({S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.MERGING})
#: States in which its own rung works on a task, or its work is looked at: it needs a slot and its files.
WORKED_ON = STAGED - {S.SPLITTING}
#: States in which nothing more happens by itself or by a click, `retry` of a cancelled or failed task apart.
ENDED = frozenset({S.MERGED, S.DONE, S.CANCELLED, S.FAILED})
#: Ended for good: what was asked for is there, and nothing of it can be queued again.
FINISHED = frozenset({S.MERGED, S.DONE})
#: Ended without it: stopped or rejected; `retry` queues it again.
GIVEN_UP = ENDED - FINISHED
#: A commit is there, and somebody looks at it.
UNDER_REVIEW = frozenset({S.IN_REVIEW, S.AWAITING_APPROVAL})
#: R-MSG-6: what the plan's status updates call each state.
PLAN_STATUS: dict[TaskState, str] = {
    S.QUEUED: "queued",
    **dict.fromkeys((S.RUNNING, S.CHECKING, S.IN_REVIEW, S.AWAITING_APPROVAL, S.MERGING, S.WITH_HUMAN), "in_progress"),
    S.SPLITTING: "in_progress",
    S.MERGED: "completed",
    S.DONE: "completed",
    S.BLOCKED: "blocked",
    S.FAILED: "failed",
    S.CANCELLED: "failed",
}


def may_step(before: TaskState, after: TaskState) -> bool:
    """Whether a task may go from `before` to `after`."""
    return after in TRANSITIONS[before]


class Route(Frozen):
    """The chosen rung and why (R-RT-7). Tokens are input + output; money is micro-dollars."""

    rung: Rung
    type: TaskType
    complexity: Literal["low", "medium", "high", "critical"]
    security: bool
    reason: str  # one sentence for the person
    rule: str  # the rule id, say "R-RT-1"
    confidence: float  # 0..1
    expected_tokens: int = 0
    max_cost_microusd: int = 0
    approvals_only: bool = False  # a security task for its approvals (R-APR), not for its code (R-SEC-1)

    @property
    def is_report(self) -> bool:
        """Whether a model answers in words, and changes no file (R-RT-3)."""
        return self.rung is Rung.GEMINI or self.type in REPORTS

    @property
    def is_reviewed(self) -> bool:
        """Whether gemini reviews the result: every change that a model makes (R-RT-3)."""
        return self.rung is not Rung.MANUAL and self.type not in CHANGELESS

    @property
    def code_critical(self) -> bool:
        """Whether its code is security-critical, so that haiku never writes it (R-SEC-1)."""
        return self.security and not self.approvals_only


class Task(Frozen):
    """One task as every decision sees it; the row in the store is its truth."""

    project: str
    id: str  # S<sprint>-D<day>-<n> (R-MSG-4)
    text: str
    route: Route
    state: TaskState = S.QUEUED
    priority: Priority = "normal"
    files: tuple[str, ...] = ()  # declared: what it may change, and holds while it runs (R-PAR-2)
    touched: tuple[str, ...] = ()  # changed by its attempts: what it holds where it declared none
    checks: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    requester: str = ""
    owner: str = ""
    deadline: datetime | None = None  # UTC
    token_budget: int = 0  # tokens per attempt, repair included (R-BUD-4)
    attempt: int = 0
    entry: int = 0  # counts stage entries, so that each stage workflow has its own id
    base_commit: str | None = None
    head_commit: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def holds(self) -> tuple[str, ...]:
        """The files that no other task may change meanwhile."""
        return self.files or self.touched

    @property
    def place(self) -> tuple[int, int]:
        """The sprint and the day that its id names (R-MSG-4)."""
        sprint, day, _ = self.id.split("-")
        return int(sprint[1:]), int(day[1:])

    @property
    def title(self) -> str:
        """The first line of the text, at most 100 characters."""
        first = first_line(self.text)
        return first if len(first) <= 100 else first[:97].rstrip() + "..."
