"""Which tasks fit into a day's tokens (R-DAY-1, R-DAY-3). A forecast, and no promise: the ledger holds the limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.domain.order import in_order
from bot.domain.plan_budget import TERSE_REVIEW
from bot.domain.task import Frozen, Rung, Task, TaskState


class Room(Frozen):
    """Tokens that new attempts may still take: by rung, of the day together, and of the sprint."""

    rungs: Mapping[Rung, int] = {}
    day: int = 0
    sprint: int = 0

    def lacks(self, needed: Mapping[Rung, int]) -> str | None:
        """Whose tokens do not suffice, or None where these fit."""
        short = next((rung for rung, tokens in needed.items() if tokens > self.rungs.get(rung, 0)), None)
        if short:
            return f"{short}'s tokens"
        total = sum(needed.values())
        return "the day's tokens" if total > self.day else "the sprint's tokens" if total > self.sprint else None

    def less(self, needed: Mapping[Rung, int]) -> Room:
        """What is left once these are taken."""
        total = sum(needed.values())
        rungs = {rung: left - needed.get(rung, 0) for rung, left in self.rungs.items()}
        return Room(rungs=rungs, day=self.day - total, sprint=self.sprint - total)


class Fit(Frozen):
    """The queued tasks of a day, the most urgent first. `later`: the rest, each with the reason. `tokens`: expected."""

    fits: tuple[Task, ...] = ()
    later: tuple[tuple[Task, str], ...] = ()
    tokens: int = 0
    left: Room = Room()


def needed_by(task: Task) -> dict[Rung, int]:
    """The tokens that a task is expected to take, its review by gemini included (R-RT-3); none for a person's work."""
    rung = task.route.rung
    if rung is Rung.MANUAL:
        return {}
    needed: dict[Rung, int] = {rung: task.route.expected_tokens or task.token_budget}
    if task.route.is_reviewed:
        needed[Rung.GEMINI] = needed.get(Rung.GEMINI, 0) + TERSE_REVIEW
    return needed


def fit(tasks: Sequence[Task], room: Room, lost: Collection[str] = ()) -> Fit:
    """What of the queued tasks fits, in the order of work: one that does not fit lets smaller ones pass. A task fits
    only after all that it waits for. `lost`: the ids of tasks that failed or were cancelled."""
    open_ids = {task.id: task for task in tasks}
    fits: list[Task] = []
    later: list[tuple[Task, str]] = []
    before = room
    for task in in_order(tasks):
        taken = {each.id for each in fits}
        waits = next((name for name in task.after if name in lost or _holds_up(name, open_ids, taken)), None)
        needed = needed_by(task)
        short = before.lacks(needed)
        if waits or short:
            later.append((task, f"waits for {waits}" if waits else f"{short} do not suffice"))
        else:
            fits.append(task)
            before = before.less(needed)
    tokens = sum(sum(needed_by(task).values()) for task in fits)
    return Fit(fits=tuple(fits), later=tuple(later), tokens=tokens, left=before)


def _holds_up(name: str, open_tasks: Mapping[str, Task], taken: Collection[str]) -> bool:
    """Whether a task that is waited for is open, and will not be worked on that day."""
    other = open_tasks.get(name)
    return other is not None and name not in taken and other.state in (TaskState.QUEUED, TaskState.BLOCKED)
