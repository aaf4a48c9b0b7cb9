"""What may run now, and what each waiting task waits for (R-PAR)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError

from bot.domain.file_holds import Holds
from bot.domain.plan_graph import graph_of, tails
from bot.domain.providers import Provider, Rest
from bot.domain.task import ENDED, FINISHED, WORKED_ON, Frozen, Rung, Task, TaskState

PRIORITY_ORDER = {"critical": 0, "high": 1, "normal": 2, "low": 3}
#: States in which a task holds its files: from the first attempt until it is merged or given up (R-PAR-2).
HOLDING = WORKED_ON | {TaskState.AWAITING_APPROVAL}


class Start(Frozen):
    """This task may start now."""

    task: Task


class Wait(Frozen):
    """This task waits; `why` is shown to people. `hurries`: the ids of what it waits for that itself waits in a batch,
    though this one is more urgent, so that it is wanted now (R-PAR-5)."""

    task: Task
    why: str
    hurries: tuple[str, ...] = ()


def ready(
    tasks: Sequence[Task],
    concurrency: Mapping[Rung, int],
    rests: Mapping[Rung, Rest] | None = None,
    short: Mapping[str, str] | None = None,
    batched: Collection[str] = (),
    counted: Collection[str] = (),
) -> tuple[Start | Wait, ...]:
    """What each queued task of one project does now, the most urgent first (R-PAR-5). A task that waits for work
    going on keeps its place: no less urgent one takes a file that it wants meanwhile, so that it cannot starve.
    `rests`: the rungs whose provider rests; `short`: the tasks that no budget is left for, and why; `batched`: those
    that wait in a provider's batch, and take no slot; `counted`: those whose deadlines say how long these may."""
    return decide(in_order(tasks), tasks, concurrency, rests, short, batched, counted)


def decide(
    queue: Sequence[Task],
    tasks: Sequence[Task],
    concurrency: Mapping[Rung, int],
    rests: Mapping[Rung, Rest] | None = None,
    short: Mapping[str, str] | None = None,
    batched: Collection[str] = (),
    counted: Collection[str] = (),
) -> tuple[Start | Wait, ...]:
    """The same for queued tasks that are in order already; `tasks`: they and all that may be in their way."""
    resting = _Rests(rests or {})
    by_id = {task.id: task for task in tasks}
    holding = Holds(task for task in tasks if task.state in HOLDING)
    busy = Counter(task.route.rung for task in tasks if task.state in WORKED_ON and task.id not in batched)
    decisions: list[Start | Wait] = []
    for task in queue:
        holder = holding.first(task)
        why = (
            _dependency(task, by_id)
            or (f"waiting for {holder[0].id}: {holder[1]}" if holder else None)
            or (short or {}).get(task.id)
            or _slot(task, busy, concurrency)
            or resting.why(task)
        )
        if why is None:
            decisions.append(Start(task=task))
            busy[task.route.rung] += 1
            resting.started(task)
        else:
            before = [*task.after, *([holder[0].id] if holder else [])]
            named = (name for name in dict.fromkeys(before) if name in batched and hurries(task, by_id[name], counted))
            decisions.append(Wait(task=task, why=why, hurries=tuple(named)))
        if why is None or (holder and holder[0].state in WORKED_ON):
            holding.add(task)
    return tuple(decisions)


def in_order(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """The queued ones of a project's tasks, the most urgent first (R-PAR-5)."""
    lengths = chains(tasks)
    queued = (task for task in tasks if task.state is TaskState.QUEUED)
    return tuple(sorted(queued, key=lambda task: urgency(task, lengths[task.id])))


def hurries(task: Task, holder: Task, counted: Collection[str]) -> bool:
    """Whether a task that waits for another is too urgent to wait for that one's batch. `counted`: those whose
    deadlines say how long the batch may take, so that it is pulled out in time by itself."""
    more_urgent = PRIORITY_ORDER[task.priority] < PRIORITY_ORDER[holder.priority]
    return more_urgent and (task.id not in counted or task.priority == "critical")


Urgency = tuple[int, int, float, float, str]


def urgency(task: Task, chain: int) -> Urgency:
    """Critical priority first, then the critical path, then the deadline, then age: what is less comes first."""
    deadline = task.deadline.timestamp() if task.deadline else float("inf")
    return PRIORITY_ORDER[task.priority], -chain, deadline, task.created_at.timestamp(), task.id


def chains(tasks: Sequence[Task]) -> dict[str, int]:
    """Task id -> tokens of the longest chain of open tasks that begins with it: the more hangs on it, the sooner."""
    try:
        return tails(graph_of(tasks), {task.id: task.token_budget for task in tasks})
    except CycleError:  # refused at load; should one be here all the same, age decides
        return {task.id: 0 for task in tasks}


def _dependency(task: Task, by_id: Mapping[str, Task]) -> str | None:
    for name in task.after:
        other = by_id.get(name)
        if other is not None and other.state not in FINISHED:
            ended = f", which is {other.state}" if other.state in ENDED else ""
            return f"waiting for {name}{ended}"
    return None


def _slot(task: Task, busy: Mapping[Rung, int], concurrency: Mapping[Rung, int]) -> str | None:
    limit = concurrency.get(task.route.rung)
    if limit is not None and busy.get(task.route.rung, 0) >= limit:
        return f"waiting for one of {limit} {task.route.rung} slots"
    return None


class _Rests:
    """The providers that rest, and how many tasks may try one of them again."""

    def __init__(self, rests: Mapping[Rung, Rest]) -> None:
        self._rests = rests
        self._probes: dict[Provider, int] = {rest.provider: rest.probes for rest in rests.values()}

    def why(self, task: Task) -> str | None:
        rest = self._rests.get(task.route.rung)
        return rest.why if rest and self._probes[rest.provider] <= 0 else None

    def started(self, task: Task) -> None:
        if rest := self._rests.get(task.route.rung):
            self._probes[rest.provider] -= 1
