"""Sprints as decisions see them: which may start, which may be closed, and which limits hold in one (R-BUD-2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bot.domain.budget import Limits
from bot.domain.plan import PlanTask
from bot.domain.slots import Timetable
from bot.domain.task import ENDED, Frozen, Rung, Task, TaskState

SprintState = Literal["planned", "open", "closed"]
#: What becomes of unfinished tasks when their sprint is closed.
Leftover = Literal["carry", "cancel"]


class Sprint(Frozen):
    """One sprint of a project. `budget`: tokens by rung; empty = the project's own limit."""

    number: int
    title: str = ""
    days: int = 5
    state: SprintState = "planned"
    budget: Mapping[Rung, int] = {}
    first_day: date | None = None  # its first working day, once it was started
    closed_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"sprint {self.number}"


def current(sprints: Sequence[Sprint]) -> Sprint | None:
    """The sprint that ad-hoc work belongs to (R-MSG-4): the one that is open."""
    return next((sprint for sprint in reversed(sprints) if sprint.state == "open"), None)


def number_of(going_on: Sprint | None) -> int:
    """The number that work has now: the open sprint's, and 0 where none is open (R-MSG-4)."""
    return going_on.number if going_on else 0


def day_one(timetable: Timetable, now: datetime) -> date:
    """The first day of a sprint that starts now: the first working day whose end, the consolidation, is still to come.
    A day that is over would make all of its tasks late at once. Where no working day comes within a year, which can
    only be a mistake in the configuration, it is today."""
    end = timetable.next("evening", now)
    return end.day if end else now.astimezone(ZoneInfo(timetable.zone)).date()


def why_not_start(
    number: int, sprints: Sequence[Sprint], planned: Sequence[PlanTask], known: Collection[str]
) -> str | None:
    """Why a sprint cannot start now, or None. `planned`: the tasks of all sprints that are not queued yet; `known`: ids
    of the tasks that are. A task must not start without one that it waits for (R-PAR-3)."""
    found = next((sprint for sprint in sprints if sprint.number == number), None)
    if found is None:
        numbers = ", ".join(str(sprint.number) for sprint in sprints)
        return f"There is no sprint {number}. " + (f"There are: {numbers}." if numbers else "No plan is loaded yet.")
    if found.state != "planned":
        return f"Sprint {number} is {found.state} already."
    going_on = current(sprints)
    if going_on:
        return f"Sprint {going_on.number} is still open; close it first: `/orch sprint close {going_on.number}`."
    own = [task for task in planned if task.sprint == number]
    ids = {task.id for task in own}
    missing = next(((t.id, name) for t in own for name in t.after if name not in ids and name not in known), None)
    if missing:
        return f"{missing[0]} waits for {missing[1]}, which is not queued yet. Start its sprint first."
    return None


def why_not_close(sprint: Sprint | None, number: int, tasks: Sequence[Task]) -> str | None:
    """Why a sprint cannot be closed now, or None. `tasks`: those that belong to it."""
    if sprint is None or sprint.state != "open":
        return f"Sprint {number} is not open; there is nothing to close."
    merging = [task.id for task in tasks if task.state is TaskState.MERGING]
    if merging:
        return f"{', '.join(merging)} is being merged at this moment. Close the sprint when that is done."
    return None


def unfinished(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """The tasks that closing a sprint asks about; what failed or was cancelled is over."""
    return tuple(task for task in tasks if task.state not in ENDED)


def with_budget(limits: Limits, number: int, budget: Mapping[Rung, int]) -> Limits:
    """The limits where a plan gives the sprint its own tokens; the configuration goes before the plan.

    The sum limits the sprint, as in the configuration: what the plan gives each rung says how the sum came about, and
    is shown beside what was used. As a limit of its own it would leave the reviews of R-BUD-2's sprint 1 no room."""
    if number in limits.sprints or not budget:
        return limits
    return limits.model_copy(update={"sprints": {**limits.sprints, number: sum(budget.values())}})
