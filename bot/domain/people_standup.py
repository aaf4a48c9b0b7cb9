"""The stand-up of people: who is asked before the morning's post, and what their form says already (issue 6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.domain.order import in_order
from bot.domain.person_settings import NOTHING_SET, PersonSettings
from bot.domain.shortening import shortened
from bot.domain.slots import Slot, Timetable
from bot.domain.task import Frozen, Task, TaskState
from bot.domain.working_hours import WorkingHours

#: So many lines of each kind are filled in; people know the rest.
LINES = 6
#: A line of the board, and a choice of Slack's, has at most so many characters.
TITLE = 70
#: A select of Slack's has at most so many choices.
CHOICES = 100


class Answer(Frozen):
    """What one person said. `task`: the one of theirs that cannot go on, if they named one."""

    done: str = ""
    next: str = ""
    blocked: str = ""
    task: str | None = None


class Choice(Frozen):
    """A task to choose."""

    id: str
    title: str


class Board(Frozen):
    """What the board knows of a person: a form is filled in with it."""

    done: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    tasks: tuple[Choice, ...] = ()  # their open ones


def to_ask(timetable: Timetable, before: timedelta, now: datetime, skipped: Collection[date]) -> Slot | None:
    """The stand-up that people are asked about now, if it is time; none that is skipped."""
    slot = timetable.next("morning", now, skipped)
    return slot if slot and slot.at - before <= now else None


def asked(
    owners: Collection[str], settings: Mapping[str, PersonSettings], hours: WorkingHours, now: datetime
) -> tuple[str, ...]:
    """Who may be asked now: who is there, on a working day and in their own hours."""

    def there(person: str) -> bool:
        own = settings.get(person, NOTHING_SET)
        return not own.is_away(now, hours.zone) and own.hours(hours).held_until(now) is None

    return tuple(person for person in sorted(owners) if person and there(person))


def board(person: str, tasks: Sequence[Task], finished: Sequence[Task]) -> Board:
    """`tasks`: the project's open ones; `finished`: those since the last working day's stand-up."""
    own = [task for task in tasks if task.owner == person and task.state is not TaskState.MERGING]
    queued = [task for task in in_order(tasks) if task.owner == person]
    at_work = [task for task in own if task.state not in (TaskState.QUEUED, TaskState.BLOCKED)]
    return Board(
        done=tuple(_line(task) for task in finished if task.owner == person)[:LINES],
        next=tuple(_line(task) for task in (*at_work, *queued))[:LINES],
        tasks=tuple(Choice(id=task.id, title=_line(task)) for task in own)[:CHOICES],
    )


def _line(task: Task) -> str:
    return shortened(f"{task.id} {' '.join(task.title.split())}", TITLE)
