"""What a task's card offers to click, by state. The labels are DESIGN's."""

from __future__ import annotations

from typing import Literal

from bot.domain.escalation import NEXT_RUNG
from bot.domain.task import REPORTS, Frozen, Rung, Task, TaskState


class Button(Frozen):
    """One button: `action` is its action_id, `style` Slack's."""

    action: str
    label: str
    style: Literal["", "primary", "danger"] = ""


APPROVE = Button(action="task_approve", label="Approve merge", style="primary")
REQUEST_CHANGES = Button(action="task_request_changes", label="Request changes")
REJECT = Button(action="task_reject", label="Reject", style="danger")
RETRY = Button(action="task_retry", label="Retry")
TO_SONNET = Button(action="task_to_sonnet", label="Escalate to Sonnet")
TO_OPUS = Button(action="task_to_opus", label="Escalate to Opus")
SPLIT = Button(action="task_split", label="Split")
TAKE_OVER = Button(action="task_take_over", label="Take over")
REASSIGN = Button(action="task_reassign", label="Reassign")
STOP = Button(action="task_stop", label="Stop", style="danger")
RUN_NOW = Button(action="task_run_now", label="Run now")
ACKNOWLEDGE = Button(action="blocker_acknowledge", label="Acknowledge")
MARK_DONE = Button(action="task_done", label="Mark done", style="primary")
CANNOT_GO_ON = Button(action="task_blocked", label="Blocked")
HAND_OVER = Button(action="task_hand_over", label="Hand over")

#: State -> what can be done next.
OFFERED: dict[TaskState, tuple[Button, ...]] = {
    TaskState.QUEUED: (SPLIT, STOP),
    TaskState.RUNNING: (RUN_NOW, STOP),
    TaskState.CHECKING: (STOP,),
    TaskState.IN_REVIEW: (RUN_NOW, STOP),
    TaskState.AWAITING_APPROVAL: (APPROVE, REQUEST_CHANGES, REJECT),
    TaskState.MERGING: (),
    TaskState.SPLITTING: (STOP,),
    TaskState.WITH_HUMAN: (MARK_DONE, CANNOT_GO_ON, HAND_OVER, STOP),
    TaskState.BLOCKED: (RETRY, TO_SONNET, TO_OPUS, SPLIT, TAKE_OVER, REASSIGN, STOP),
    TaskState.MERGED: (),
    TaskState.DONE: (),
    TaskState.CANCELLED: (RETRY,),
    TaskState.FAILED: (RETRY,),
}


def buttons(
    task: Task, *, proposed: Rung | None = None, was_split: bool = False, in_batch: bool = False
) -> tuple[Button, ...]:
    """The buttons of a task's card (R-ESC-8): an escalation is offered only upwards or where it is `proposed`, a split
    only of a change; a task that was split goes on as its parts; one that waits in a batch can be pulled out."""
    rung = task.route.rung
    hidden = set()
    if rung is not Rung.HAIKU:
        hidden.add(TO_SONNET)
    if Rung.OPUS not in (NEXT_RUNG.get(rung), rung, proposed):
        hidden.add(TO_OPUS)
    if not may_be_split(task):
        hidden.add(SPLIT)
    if not in_batch:
        hidden.add(RUN_NOW)
    if was_split:
        hidden.add(RETRY)
    return tuple(button for button in OFFERED[task.state] if button not in hidden)


def alert_buttons(task: Task, *, proposed: Rung | None = None, was_split: bool = False) -> tuple[Button, ...]:
    """The buttons of an alert about a task: what can be done, the way out that is recommended first, and
    Acknowledge. What is late though it does not stand still can be given to somebody (R-ESC-8)."""
    offered = [each for each in buttons(task, proposed=proposed, was_split=was_split) if each not in (STOP, REJECT)]
    if task.state in _UNDER_WAY:
        offered += (TAKE_OVER, REASSIGN)
    best = {Rung.OPUS: TO_OPUS, Rung.SONNET: TO_SONNET, Rung.MANUAL: TAKE_OVER}.get(proposed or Rung.HAIKU)
    if best in offered:
        offered.remove(best)
        offered.insert(0, best.model_copy(update={"style": "primary"}))
    return (*offered, ACKNOWLEDGE)


_UNDER_WAY = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.CHECKING, TaskState.IN_REVIEW})


def may_be_split(task: Task) -> bool:
    """Whether smaller tasks make sense: it waits, and it is a change that a model makes."""
    waits = task.state in (TaskState.QUEUED, TaskState.BLOCKED)
    return waits and task.route.rung is not Rung.MANUAL and task.route.type not in REPORTS
