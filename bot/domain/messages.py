"""The plan's messages (R-MSG-1, R-MSG-2, R-MSG-3), with exactly its field names and their order.

Times are `YYYY-MM-DD HH:MM` in the project's zone, and carry no zone of their own; `json_fields` is what leaves us.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from bot.domain.plan_fields import BRIDGES
from bot.domain.task import PLAN_STATUS, Frozen, Priority, Rung, Task, TaskState

TIME_FORMAT = "%Y-%m-%d %H:%M"

PlanStatus = Literal["queued", "in_progress", "completed", "blocked", "failed"]

#: States in which there is a result to look at.
_HAS_RESULT = frozenset(
    {
        TaskState.IN_REVIEW,
        TaskState.AWAITING_APPROVAL,
        TaskState.MERGING,
        TaskState.MERGED,
        TaskState.DONE,
    }
)


def _read_time(value: Any) -> Any:
    """A time without a zone, to the minute; a zone is refused, since whose it is would be lost."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        if moment.tzinfo is not None:
            raise ValueError("a message's time is in the project's zone and names none")
        return moment.replace(second=0, microsecond=0)
    return moment


def _known_bridge(name: str) -> str:
    if name not in BRIDGES.values():
        raise ValueError(f"must be one of {', '.join(dict.fromkeys(BRIDGES.values()))}")
    return name


#: R-MSG-4
Bridge = Annotated[str, AfterValidator(_known_bridge)]
#: A time in the project's zone.
LocalTime = Annotated[
    datetime, BeforeValidator(_read_time), PlainSerializer(lambda moment: moment.strftime(TIME_FORMAT), return_type=str)
]


class Message(Frozen):
    """Base of the three."""

    def json_fields(self) -> dict[str, Any]:
        """The message as JSON has it, keys in the plan's order."""
        return self.model_dump(mode="json")


class Assignment(Message):
    """R-MSG-1: a task is given to somebody."""

    task_id: str
    sprint: int
    day: int
    mcp_assignment: Bridge
    model: Rung
    prompt: str
    token_budget: int  # tokens per attempt
    priority: Priority
    blockers_if_fail: tuple[str, ...]
    success_criteria: tuple[str, ...]
    deadline: LocalTime | None
    assigned_to: str


class StatusUpdate(Message):
    """R-MSG-2: where a task stands."""

    task_id: str
    status: PlanStatus
    tokens_used: int
    quality_score: float | None  # 0-10, of the last review
    issues: tuple[str, ...]
    completedAt: LocalTime | None  # noqa: N815 (the plan's own name)
    next_task_id: str | None
    ready_for_review: bool


class BlockerAlert(Message):
    """R-MSG-3: a task cannot go on by itself."""

    alert_type: Literal["blocker"]
    task_id: str
    reason: str
    recommended_escalation: Rung
    timestamp: LocalTime
    action_required: bool
    priority: Priority


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment as a message's time. Raises ValueError for a moment without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone cannot be told in another")
    return moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def assignment_of(task: Task, *, zone: ZoneInfo, blockers_if_fail: Sequence[str], assigned_to: str = "") -> Assignment:
    """R-MSG-1. `blockers_if_fail`: the ids that wait for it (plan_graph.blocked_by); `assigned_to`: the owner's alias,
    else their Slack id."""
    sprint, day = task.place
    return Assignment(
        task_id=task.id,
        sprint=sprint,
        day=day,
        mcp_assignment=BRIDGES[task.route.rung],
        model=task.route.rung,
        prompt=task.text,
        token_budget=task.token_budget,
        priority=task.priority,
        blockers_if_fail=tuple(blockers_if_fail),
        success_criteria=task.criteria,
        deadline=task.deadline and local(task.deadline, zone),
        assigned_to=assigned_to or task.owner,
    )


def status_update_of(
    task: Task,
    *,
    zone: ZoneInfo,
    tokens_used: int,
    quality_score: float | None = None,
    issues: Sequence[str] = (),
    next_task_id: str | None = None,
) -> StatusUpdate:
    """R-MSG-2, status by R-MSG-6. `next_task_id` is plan_graph.first_unblocked. A task was completed when it was
    last changed."""
    status = PLAN_STATUS[task.state]
    return StatusUpdate(
        task_id=task.id,
        status=status,
        tokens_used=tokens_used,
        quality_score=quality_score,
        issues=tuple(issues),
        completedAt=local(task.updated_at, zone) if status == "completed" else None,
        next_task_id=next_task_id,
        ready_for_review=task.state in _HAS_RESULT,
    )


def blocker_alert_of(
    task: Task,
    *,
    zone: ZoneInfo,
    reason: str,
    at: datetime,
    recommended: Rung | None = None,
) -> BlockerAlert:
    """R-MSG-3. Where no rung is left to propose, a person takes it: `manual`."""
    return BlockerAlert(
        alert_type="blocker",
        task_id=task.id,
        reason=reason,
        recommended_escalation=recommended or Rung.MANUAL,
        timestamp=local(at, zone),
        action_required=True,
        priority=task.priority,
    )
