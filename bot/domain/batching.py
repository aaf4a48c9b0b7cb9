"""Which calls may wait in a provider's batch, at half the price, and until when (R-BUD-5).

Work of low priority waits as long as the provider likes. With `policy.batch_by_deadline`, work with a deadline waits
too, unless it is critical: as long as enough working time is left for the rest of its way, and for each task that
waits for it (`policy.review_sla_minutes` each). An answer that is not there by then is asked for at the usual price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter

from bot.domain.calls import Purpose
from bot.domain.paths import may_share
from bot.domain.plan_graph import blocked_by, graph_of
from bot.domain.project import Project
from bot.domain.task import ENDED, Rung, Task, TaskState

#: Anthropic's rungs; gemini has batches of its own, which are off unless a project wants them.
CLAUDE = frozenset({Rung.HAIKU, Rung.SONNET, Rung.OPUS})
#: What makes up an attempt. The coordinator's question and a split are waited for by something more urgent.
PURPOSES: frozenset[Purpose] = frozenset({"edit", "repair", "report", "review"})
#: The provider ends a batch after a day; one that is older and has no end will not get one. Seconds.
LONGEST_SECONDS = 25 * 3600.0
#: Most batches end within an hour, as Anthropic says; both promise a day. Less room than this is not tried, since time
#: is lost by it; money is not, because nothing is owed for a batch that is cancelled before its turn.
ROOM = timedelta(hours=1)
#: Nobody has said when it is needed.
WHENEVER = datetime.max.replace(tzinfo=UTC)


def may_batch(project: Project, purpose: Purpose, rung: Rung) -> bool:
    """Whether such calls go into batches at all."""
    wanted = project.batch_low_priority or project.batch_by_deadline
    return wanted and purpose in PURPOSES and (rung in CLAUDE or (rung is Rung.GEMINI and project.batch_reviews))


def may_begin(
    project: Project, task: Task, due: Mapping[str, datetime], purpose: Purpose, rung: Rung, now: datetime
) -> bool:
    """Whether a call for the task goes into a batch now. `due`: `latest` of the project's tasks."""
    until = waits_until(project, task, due) if may_batch(project, purpose, rung) else None
    return until is not None and min(until - now, longest(project, purpose)) >= ROOM


def waits_until(project: Project, task: Task, due: Mapping[str, datetime]) -> datetime | None:
    """Until when the task's answers may be waited for; None where they are wanted now."""
    if project.batch_by_deadline and task.priority != "critical" and task.id in due:
        return due[task.id]
    return WHENEVER if project.batch_low_priority and task.priority == "low" else None


def longest(project: Project, purpose: Purpose) -> timedelta:
    """How long one call waits at most. People wait for a review (R-MET): half of what it may take is left for the call
    itself."""
    return project.review_sla / 2 if purpose == "review" else timedelta(seconds=LONGEST_SECONDS)


def latest(project: Project, tasks: Sequence[Task]) -> dict[str, datetime]:
    """Task id -> the last moment for its answer, by its own deadline and by those of the tasks that wait for it to end
    or for a file that it holds. A task without any is not in it; empty where the project does not go by deadlines."""
    if not project.batch_by_deadline:
        return {}
    open_ones = {task.id: task for task in tasks if task.state not in ENDED}
    behind = {name: set(waiting) for name, waiting in blocked_by(graph_of(open_ones.values())).items()}
    for holder, waiting in _file_waits(open_ones.values()):
        behind[holder].add(waiting)
    found: dict[str, datetime] = {}
    try:
        order = list(TopologicalSorter(behind).static_order())  # what waits comes before what it waits for
    except CycleError:  # refused at load; should one be here all the same, nothing waits by its deadline
        return {}
    for name in order:
        own = open_ones[name].deadline
        ends = [*([own] if own else []), *(found[other] for other in behind[name] if other in found)]
        if ends:
            found[name] = project.hours.before(min(ends), project.review_sla)
    return found


def _file_waits(tasks: Iterable[Task]) -> Iterable[tuple[str, str]]:
    """(who is in a stage, who is queued and wants a file of it)."""
    every = list(tasks)
    queued = [task for task in every if task.state is TaskState.QUEUED]
    for holder in every:
        if holder.state in (TaskState.RUNNING, TaskState.IN_REVIEW):
            yield from ((holder.id, other.id) for other in queued if may_share(holder.holds, other.holds))


def custom_id(call_id: str) -> str:
    """The call's id in the form that the provider takes: 1 to 64 of letters, digits, - and _."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[-64:] or "call"
