"""What may run now, and what each waiting task waits for (R-PAR)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.paths import may_share
from bot.domain.task import ENDED, STAGED, Frozen, Rung, Task, TaskState

PRIORITY_ORDER = {"critical": 0, "high": 1, "normal": 2, "low": 3}
#: States in which a task holds its files: from the first attempt until it is merged or given up (R-PAR-2).
HOLDING = STAGED | {TaskState.AWAITING_APPROVAL}


class Start(Frozen):
    """This task may start now."""

    task: Task


class Wait(Frozen):
    """This task waits; `why` is shown to people."""

    task: Task
    why: str


def ready(tasks: Sequence[Task], concurrency: Mapping[Rung, int]) -> tuple[Start | Wait, ...]:
    """What each queued task of one project does now: critical priority first, then deadline, then age (R-PAR-5)."""
    by_id = {task.id: task for task in tasks}
    holding = [task for task in tasks if task.state in HOLDING]
    busy: dict[Rung, int] = {}
    for task in tasks:
        if task.state in STAGED:
            busy[task.route.rung] = busy.get(task.route.rung, 0) + 1
    decisions: list[Start | Wait] = []
    for task in sorted((t for t in tasks if t.state is TaskState.QUEUED), key=_urgency):
        why = _dependency(task, by_id) or _file(task, holding) or _slot(task, busy, concurrency)
        if why:
            decisions.append(Wait(task=task, why=why))
            continue
        decisions.append(Start(task=task))
        holding.append(task)
        busy[task.route.rung] = busy.get(task.route.rung, 0) + 1
    return tuple(decisions)


def _urgency(task: Task) -> tuple[int, float, float, str]:
    deadline = task.deadline.timestamp() if task.deadline else float("inf")
    return PRIORITY_ORDER[task.priority], deadline, task.created_at.timestamp(), task.id


def _dependency(task: Task, by_id: Mapping[str, Task]) -> str | None:
    for name in task.after:
        other = by_id.get(name)
        if other is not None and other.state not in (TaskState.MERGED, TaskState.DONE):
            ended = f", which is {other.state}" if other.state in ENDED else ""
            return f"waiting for {name}{ended}"
    return None


def _file(task: Task, holding: Sequence[Task]) -> str | None:
    for other in holding:
        if other.id != task.id and (shared := may_share(task.files, other.files)):
            return f"waiting for {other.id}: {shared}"
    return None


def _slot(task: Task, busy: Mapping[Rung, int], concurrency: Mapping[Rung, int]) -> str | None:
    limit = concurrency.get(task.route.rung)
    if limit is not None and busy.get(task.route.rung, 0) >= limit:
        return f"waiting for one of {limit} {task.route.rung} slots"
    return None
