"""When each button can be clicked, and whose right it takes: R-APR's table, joined with the task's life.

A button that is seen on an old message may come at any time, so every click is asked of this table anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.domain import card
from bot.domain.approvals import Action, Person, Team, refusal
from bot.domain.task import ENDED, Task, TaskState

S = TaskState
#: States that a person can still end or take a task out of; a merge that has begun is seen through.
OPEN = frozenset(S) - ENDED - {S.MERGING}


class Click(NamedTuple):
    """A button: the right that it takes, the states in which it does something, and what is said in others."""

    action: Action
    states: frozenset[TaskState]
    otherwise: str


CLICKS: Mapping[str, Click] = {
    card.APPROVE.action: Click(Action.APPROVE, frozenset({S.AWAITING_APPROVAL}), "there is nothing to approve"),
    card.REQUEST_CHANGES.action: Click(
        Action.REQUEST_CHANGES, frozenset({S.AWAITING_APPROVAL}), "there is no change to send back"
    ),
    card.REJECT.action: Click(Action.REJECT, frozenset({S.AWAITING_APPROVAL}), "there is no change to reject"),
    card.RETRY.action: Click(
        Action.RETRY, frozenset({S.BLOCKED, S.CANCELLED, S.FAILED}),
        "it cannot be retried: only what is blocked, cancelled or failed can",
    ),
    card.TO_SONNET.action: Click(Action.ESCALATE, frozenset({S.BLOCKED}), "it needs no other model now"),
    card.TO_OPUS.action: Click(Action.OPUS, frozenset({S.BLOCKED}), "it needs no other model now"),
    card.SPLIT.action: Click(
        Action.SPLIT, frozenset({S.QUEUED, S.BLOCKED}), "it cannot be split: only a change that waits or is blocked can"
    ),
    card.TAKE_OVER.action: Click(Action.TAKE_OVER, OPEN, "it cannot be taken over"),
    card.REASSIGN.action: Click(Action.RETRY, OPEN | {S.CANCELLED, S.FAILED}, "it cannot be reassigned"),
    card.STOP.action: Click(Action.STOP, OPEN, "it cannot be stopped"),
    card.RUN_NOW.action: Click(Action.RETRY, frozenset({S.RUNNING, S.IN_REVIEW}), "it waits in no batch"),
    card.CANNOT_GO_ON.action: Click(Action.STOP, frozenset({S.WITH_HUMAN}), "there is no manual work to see to"),
    card.HAND_OVER.action: Click(Action.HAND_OVER, frozenset({S.WITH_HUMAN}), "there is no manual work to hand over"),
    card.MARK_DONE.action: Click(Action.DONE, frozenset({S.WITH_HUMAN}), "there is no manual work to mark done"),
}  # fmt: skip


def hindrance(button: str, state: TaskState) -> str | None:
    """Why this button does nothing in this state, in words, or None where it does something."""
    click = CLICKS[button]
    return None if state in click.states else f"is {state.words}, so {click.otherwise}"


def may_click(button: str, person: Person, team: Team, task: Task) -> bool:
    """Whether this person's click does something now."""
    return hindrance(button, task.state) is None and refusal(CLICKS[button].action, person, team, task) is None
