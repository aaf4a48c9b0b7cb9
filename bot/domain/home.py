"""What a person's Home shows: which of a project's tasks concern them, why, and what they can do about each there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from bot.domain import card
from bot.domain.approvals import Person, Team, who_is_asked
from bot.domain.card import Button
from bot.domain.clicks import may_click
from bot.domain.task import ENDED, Frozen, Rung, Task, TaskState

#: Tasks on one page: with their buttons and the projects' day it stays within the 100 blocks of a view.
PAGE = 20
AT_WORK = frozenset({TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW, TaskState.MERGING,
                     TaskState.SPLITTING})  # fmt: skip


class Group(StrEnum):
    """Why a task is on somebody's Home, in the order of the page: first what waits for this person."""

    APPROVE = "approve"
    BY_HAND = "by_hand"
    BLOCKED = "blocked"
    RUNNING = "running"
    WAITING = "waiting"  # in the queue, or for somebody else


class Mine(Frozen):
    """What is known of one open task besides its row."""

    task: Task
    approved_by: tuple[str, ...] = ()  # of its head commit
    blocked: bool = False  # a blocker of it is open
    told: tuple[str, ...] = ()  # who was alerted of that


def group_of(person: str, team: Team, mine: Mine) -> Group | None:
    """Why the task is on this person's Home; None = it does not concern them."""
    task = mine.task
    own = person in (task.requester, task.owner)
    if task.state in ENDED:
        return None
    if task.state is TaskState.AWAITING_APPROVAL and _may_approve(person, team, mine):
        return Group.APPROVE
    if task.state is TaskState.WITH_HUMAN and person == task.owner:
        return Group.BY_HAND
    if person in mine.told or (own and (mine.blocked or task.state is TaskState.BLOCKED)):
        return Group.BLOCKED
    if own:
        return Group.RUNNING if task.state in AT_WORK else Group.WAITING
    return None


def buttons_of(
    group: Group, person: Person, team: Team, mine: Mine, *, proposed: Rung | None = None, was_split: bool = False
) -> tuple[Button, ...]:
    """What this person's click would do something about (R-APR): no button that would only be refused. `Acknowledge`
    is offered while a blocker is open."""
    task = mine.task
    match group:
        case Group.APPROVE | Group.BY_HAND:
            offered: Sequence[Button] = card.buttons(task)
        case Group.BLOCKED:
            offered = card.alert_buttons(task, proposed=proposed, was_split=was_split)
        case _:
            return ()
    usable = tuple(each for each in offered if each not in (card.ACKNOWLEDGE, card.STOP)
                   and may_click(each.action, person, team, task))  # fmt: skip
    return (*usable, card.ACKNOWLEDGE) if mine.blocked else usable


def pages_of(count: int) -> int:
    """How many pages so many tasks take; at least one."""
    return max(1, -(-count // PAGE))


def _may_approve(person: str, team: Team, mine: Mine) -> bool:
    return person in who_is_asked(team, mine.task) and person not in mine.approved_by
