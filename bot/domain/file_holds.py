"""Which tasks hold which files, asked by path: the answers of paths.may_share without looking at every holder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from bot.domain.paths import fixed_part, may_share
from bot.domain.task import Task


def places(files: Iterable[str]) -> frozenset[str]:
    """Where declared files lie, for comparison: the fixed part of each, and "" for the root."""
    found = (fixed_part(file).casefold().strip("/") for file in files)
    return frozenset("" if place == "." else place for place in found)


def folders(place: str) -> Iterator[str]:
    """The folders that a place lies in, the root first, and not the place itself."""
    if place:
        yield ""
    for at, letter in enumerate(place):
        if letter == "/":
            yield place[:at]


class Holds:
    """Holders in the order in which they were added."""

    def __init__(self, holders: Iterable[Task] = ()) -> None:
        self._holders: list[Task] = []
        self._at: defaultdict[str, list[int]] = defaultdict(list)  # place -> who holds just it
        self._within: defaultdict[str, list[int]] = defaultdict(list)  # place -> who holds it or something in it
        for holder in holders:
            self.add(holder)

    def add(self, holder: Task) -> None:
        number = len(self._holders)
        self._holders.append(holder)
        for place in places(holder.holds):
            self._at[place].append(number)
            for outer in (*folders(place), place):
                self._within[outer].append(number)

    def first(self, task: Task) -> tuple[Task, str] | None:
        """The first other holder that has a file which the task wants, and the file (R-PAR-2)."""
        found: set[int] = set()
        for place in places(task.holds):
            found.update(self._within.get(place, ()))
            for folder in folders(place):
                found.update(self._at.get(folder, ()))
        for number in sorted(found):
            holder = self._holders[number]
            if holder.id != task.id and (shared := may_share(task.holds, holder.holds)):
                return holder, shared
        return None


def conflicts(tasks: Iterable[Task]) -> dict[str, frozenset[str]]:
    """Task id -> the other tasks that may touch one of its files."""
    at: defaultdict[str, set[str]] = defaultdict(set)
    within: defaultdict[str, set[str]] = defaultdict(set)
    every = {task.id: places(task.holds) for task in tasks}
    for name, own in every.items():
        for place in own:
            at[place].add(name)
            for outer in (*folders(place), place):
                within[outer].add(name)
    found: dict[str, frozenset[str]] = {}
    for name, own in every.items():
        others = [within[place] for place in own] + [
            at.get(folder, set()) for place in own for folder in folders(place)
        ]
        found[name] = frozenset().union(*others) - {name}
    return found
