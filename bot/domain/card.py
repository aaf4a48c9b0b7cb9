"""What a task's card offers to click, by state. The labels are DESIGN's."""

from __future__ import annotations

from typing import Literal

from bot.domain.task import Frozen, Rung, Task, TaskState


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
STOP = Button(action="task_stop", label="Stop", style="danger")
MARK_DONE = Button(action="task_done", label="Mark done", style="primary")

#: State -> what can be done next.
OFFERED: dict[TaskState, tuple[Button, ...]] = {
    TaskState.QUEUED: (STOP,),
    TaskState.RUNNING: (STOP,),
    TaskState.CHECKING: (STOP,),
    TaskState.IN_REVIEW: (STOP,),
    TaskState.AWAITING_APPROVAL: (APPROVE, REQUEST_CHANGES, REJECT),
    TaskState.MERGING: (),
    TaskState.WITH_HUMAN: (MARK_DONE, STOP),
    TaskState.BLOCKED: (RETRY, TO_SONNET, TO_OPUS, STOP),
    TaskState.MERGED: (),
    TaskState.DONE: (),
    TaskState.CANCELLED: (RETRY,),
    TaskState.FAILED: (RETRY,),
}


def buttons(task: Task) -> tuple[Button, ...]:
    """The buttons of a task's card: an escalation is offered only upwards."""
    rung = task.route.rung
    hidden = set()
    if rung is not Rung.HAIKU:
        hidden.add(TO_SONNET)
    if rung is not Rung.SONNET and not (rung is Rung.OPUS and task.attempt == 0):
        hidden.add(TO_OPUS)
    return tuple(button for button in OFFERED[task.state] if button not in hidden)
