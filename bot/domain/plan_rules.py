"""What makes a plan valid beyond each single value: ids, references, circles, days and deadlines (R-MSG-4, R-PAR-3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from bot.domain.command_text import shown
from bot.domain.plan import PlanSprint, PlanTask
from bot.domain.plan_errors import Report
from bot.domain.plan_fields import DayTime
from bot.domain.plan_graph import blocked_by, find_cycles, graph_of


class ReadTask(NamedTuple):
    """A task, and the lines of its keys by field."""

    task: PlanTask
    lines: Mapping[str, int]

    def line(self, field: str) -> int:
        return self.lines.get(field, self.task.line)


def linked(read: Sequence[ReadTask]) -> tuple[ReadTask, ...]:
    """Both ends of each dependency know of it: `A.blockers_if_fail: [B]` is `B.after: [A]` (R-PAR-3)."""
    after = {each.task.id: dict.fromkeys(each.task.after) for each in read}
    for each in read:
        for name in each.task.blockers_if_fail:
            if name in after:
                after[name][each.task.id] = None
    behind = blocked_by({name: tuple(befores) for name, befores in after.items()})
    return tuple(
        each._replace(
            task=each.task.model_copy(
                update={
                    "after": tuple(after[each.task.id]),
                    "blockers_if_fail": tuple(dict.fromkeys((*each.task.blockers_if_fail, *behind[each.task.id]))),
                }
            )
        )
        for each in read
    )


def judge(sprints: Sequence[PlanSprint], read: Sequence[ReadTask], known: Collection[str], report: Report) -> None:
    """Report everything that is wrong or odd about the tasks together. `known`: ids outside the plan."""
    by_id: dict[str, ReadTask] = {}
    for each in read:
        first = by_id.setdefault(each.task.id, each)
        if first is not each:
            report.error(each.line("id"), each.task.id, f"this id stands there twice (line {first.line('id')})")
    by_number = {sprint.number: sprint for sprint in sprints}
    for each in read:
        _check_days(each, by_number, report)
        _check_references(each, by_id, known, report)
    for cycle in find_cycles(graph_of(each.task for each in by_id.values())):
        text = f"these wait for each other in a circle: {' -> '.join(cycle)}; take one of the dependencies away"
        report.error(by_id[cycle[0]].line("after"), cycle[0], text)
    for each in read:
        for before in each.task.after:
            if before in by_id and before != each.task.id:
                _check_order(by_id[before].task, each, report)


def _check_days(each: ReadTask, sprints: Mapping[int, PlanSprint], report: Report) -> None:
    task, sprint = each.task, sprints.get(each.task.sprint)
    if sprint is None:
        numbers = ", ".join(map(str, sprints))
        report.error(each.line("id"), task.id, f"`sprints` has no sprint {task.sprint}; it has {numbers}")
        return
    if task.day > sprint.days:
        report.error(
            each.line("id"), task.id, f"sprint {sprint.number} has {sprint.days} days, so there is no D{task.day}"
        )
    if not isinstance(task.deadline, DayTime):
        return
    if task.deadline.day > sprint.days:
        text = f"`{task.deadline}` is after the end of sprint {sprint.number}, which has {sprint.days} days"
        report.error(each.line("deadline"), f"{task.id}, deadline", text)
    elif task.deadline.day < task.day:
        text = f"`{task.deadline}` is before the task's own day, D{task.day}"
        report.error(each.line("deadline"), f"{task.id}, deadline", text)


def _check_references(each: ReadTask, by_id: Mapping[str, ReadTask], known: Collection[str], report: Report) -> None:
    for field, also in (("after", known), ("blockers_if_fail", ())):
        for name in getattr(each.task, field):
            if name in by_id or name in also:
                continue
            near = get_close_matches(name, [other for other in by_id if other != each.task.id], n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            report.error(each.line(field), f"{each.task.id}, {field}", f"{shown(name)} is no task of this plan{hint}")


def _check_order(before: PlanTask, each: ReadTask, report: Report) -> None:
    """Warn where the plan's own calendar contradicts a dependency."""
    task, line = each.task, each.line("after")
    if (before.sprint, before.day) > (task.sprint, task.day):
        report.warning(line, task.id, f"it waits for {before.id}, which is planned for later")
    elif _is_due_before(task, before):
        report.warning(each.line("deadline"), task.id, f"it is due before {before.id}, which it waits for")


def _is_due_before(task: PlanTask, other: PlanTask) -> bool:
    mine, others = task.deadline, other.deadline
    if isinstance(mine, DayTime) and isinstance(others, DayTime):
        return task.sprint == other.sprint and (mine.day, mine.at) < (others.day, others.at)
    if isinstance(mine, datetime) and isinstance(others, datetime) and bool(mine.tzinfo) == bool(others.tzinfo):
        return mine < others
    return False
