"""Which task waits for which (R-PAR-3): cycles, the critical path, and what a task unblocks (R-MSG-6).

A graph maps each id to the ids that it waits for. An id that is no key of it counts as done long ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from bot.domain.task import FINISHED, TaskState

Graph = Mapping[str, Sequence[str]]
#: So many cycles are named at once.
MOST_CYCLES = 5


class Waiting(Protocol):
    """A task of a plan, or one at work."""

    @property
    def id(self) -> str: ...

    @property
    def after(self) -> Sequence[str]: ...


def graph_of(tasks: Iterable[Waiting]) -> dict[str, tuple[str, ...]]:
    """The graph of some tasks, in their order."""
    return {task.id: tuple(task.after) for task in tasks}


def blocked_by(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The graph turned around: for each id the ids that cannot start if it fails (`blockers_if_fail`, R-PAR-3)."""
    waiting: dict[str, dict[str, None]] = {name: {} for name in graph}
    for name, befores in graph.items():
        for before in befores:
            if before in waiting:
                waiting[before][name] = None
    return {name: tuple(found) for name, found in waiting.items()}


def find_cycle(graph: Graph) -> tuple[str, ...] | None:
    """One cycle in the order of the work, its first id also its last: `A -> B -> A` where B waits for A and A for B.

    Starts at the task of the cycle that the graph names first. None where there is no cycle."""
    known = {name: [before for before in befores if before in graph] for name, befores in graph.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        return _from_first(error.args[1][:-1], graph)
    return None


def _from_first(cycle: list[str], graph: Graph) -> tuple[str, ...]:
    order = {name: at for at, name in enumerate(graph)}
    first = cycle.index(min(cycle, key=order.__getitem__))
    turned = cycle[first:] + cycle[:first]
    return (*turned, turned[0])


def find_cycles(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Cycles that share no task, at most MOST_CYCLES."""
    left, found = dict(graph), list[tuple[str, ...]]()
    while len(found) < MOST_CYCLES and (cycle := find_cycle(left)):
        found.append(cycle)
        left = {name: befores for name, befores in left.items() if name not in cycle}
    return tuple(found)


def tails(graph: Graph, weights: Mapping[str, int]) -> dict[str, int]:
    """For each id the weight of the heaviest chain that starts with it: what the end waits for (R-PAR-5).

    `weights`: expected tokens or minutes; an id without one counts 1, so that work without tokens counts too.
    Raises graphlib.CycleError."""
    successors = blocked_by(graph)
    found: dict[str, int] = {}
    for name in TopologicalSorter(successors).static_order():  # what waits comes before what it waits for
        found[name] = max(1, weights.get(name, 1)) + max((found[n] for n in successors[name]), default=0)
    return found


def critical_path(graph: Graph, weights: Mapping[str, int]) -> tuple[str, ...]:
    """The heaviest chain of all (R-PAR-5); of equal ones, the one whose tasks the graph names first."""
    weight, successors = tails(graph, weights), blocked_by(graph)
    place = {name: at for at, name in enumerate(graph)}
    path: list[str] = []
    choices: Sequence[str] = list(graph)
    while choices:
        path.append(min(choices, key=lambda name: (-weight[name], place[name])))
        choices = successors[path[-1]]
    return tuple(path)


def first_unblocked(graph: Graph, states: Mapping[str, TaskState], finished: str) -> str | None:
    """The first queued task that can start once `finished` is over, and could not before: `next_task_id` (R-MSG-6).

    A task that the states do not name counts as queued, since it has not begun."""

    def is_over(name: str) -> bool:
        return name == finished or name not in graph or states.get(name) in FINISHED

    return next(
        (
            name
            for name, befores in graph.items()
            if finished in befores
            and states.get(name, TaskState.QUEUED) is TaskState.QUEUED
            and all(map(is_over, befores))
        ),
        None,
    )
