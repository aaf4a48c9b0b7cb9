"""What the day's three posts do by themselves, and what they ask a person to do (R-DAY-1, R-DAY-2, R-DAY-3).

By themselves they do only what the rules allow anyway and what costs no more: a next step of domain.escalation, the
review that every change needs, a cheaper rung, a merge that was approved. Everything else is a button.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from bot.domain.budget_waits import cheaper
from bot.domain.card import APPROVE, REASSIGN, SPLIT, STOP, TAKE_OVER, Button, buttons, may_be_split
from bot.domain.day_plan import Fit, Room, fit, needed_by
from bot.domain.escalation import Again, Stop
from bot.domain.plan_budget import TERSE_REVIEW
from bot.domain.spans import rough
from bot.domain.task import CI, Frozen, Rung, Task, TaskState

#: After so many reviews of one commit without a verdict a person has to look (R-SEC-4).
VERDICTS_TRIED = 2
#: How much of a blocker's reason a post repeats; the card has all of it.
WHY_CHARACTERS = 240


class Stuck(Frozen):
    """A blocked task, and what its last event and its history say of it."""

    task: Task
    why: str
    since: datetime
    blocked_by: str = ""  # the person who did, or CI; "" = a rule
    wants_tokens: bool = False  # it was blocked since a budget had no room
    wants_review: bool = False  # only its review is missing
    reviews_tried: int = 0  # of its commit, without a verdict
    proposed: Rung | None = None
    was_proposed_split: bool = False  # a proposal of smaller tasks waits for an answer
    next: Again | Stop | None = None  # what the rules say after its last attempt


class Waiting(Frozen):
    """A task whose review or approval is outstanding. `people`: who could approve it, and has not."""

    task: Task
    since: datetime
    why: str = ""
    people: tuple[str, ...] = ()


class DayFacts(Frozen):
    """All that the three posts look at. `room` is today's, `tomorrow` the next working day's."""

    now: datetime
    tasks: tuple[Task, ...] = ()  # the open ones
    lost: tuple[str, ...] = ()  # ids of failed and cancelled tasks that open ones wait for
    stuck: tuple[Stuck, ...] = ()
    reviews: tuple[Waiting, ...] = ()
    approved: tuple[Task, ...] = ()  # may be merged as they stand
    resting: frozenset[Rung] = frozenset()  # whose provider rests
    room: Room = Room()
    tomorrow: Room = Room()
    sprint: int | None = None  # the open one
    sprint_day: int = 0  # which of its working days today is
    review_sla: timedelta = timedelta(hours=4)


What = Literal["requeue", "step", "review", "cheaper", "merge", "chase", "remind"]


class Action(Frozen):
    """One thing that is done to a task. `people`: who is told; `rung`: where it goes; `told`: what others read of that
    beside the reason."""

    what: What
    task: Task
    why: str  # after the task's id: "goes on at sonnet: ..."
    rule: str
    rung: Rung | None = None
    people: tuple[str, ...] = ()
    told: str = ""

    @property
    def said(self) -> str:
        """What the post and the log say of it, after the task's id."""
        return f"{self.why}; {self.told}" if self.told else self.why


class Need(Frozen):
    """One thing that a person has to see to."""

    task: Task
    why: str
    buttons: tuple[Button, ...] = ()


class Day(Frozen):
    """What a post does and says. `plan`: the day's queue in the morning, tomorrow's in the evening."""

    actions: tuple[Action, ...] = ()
    needs: tuple[Need, ...] = ()
    behind: tuple[tuple[Task, str], ...] = ()
    plan: Fit = Fit()


def morning(facts: DayFacts) -> Day:
    """R-DAY-1: what is blocked goes on where the rules let it; finished work is reviewed; the day is planned."""
    actions: list[Action] = []
    needs: list[Need] = []
    room = facts.room
    for stuck in facts.stuck:
        found = _go_on(stuck, facts, room)
        if isinstance(found, Action):
            actions.append(found)
            room = room.less(_cost(found))
        else:
            needs.append(found)
    needs += [_approval(waiting, facts) for waiting in _with_people(facts)]
    moved = {action.task.id: action for action in actions}
    going_on = [_as_queued(task, moved[task.id]) if task.id in moved else task for task in facts.tasks]
    return Day(actions=tuple(actions), needs=tuple(needs), plan=fit(going_on, facts.room, facts.lost))


def midday(facts: DayFacts) -> Day:
    """R-DAY-2: reviews over their time are chased; what is behind goes where it costs no more, or is proposed."""
    actions = [chased for waiting in facts.reviews if (chased := _chase(waiting, facts))]
    needs = [_approval(waiting, facts) for waiting in _with_people(facts) if _over(waiting, facts)]
    late = [(task, why) for task in facts.tasks if (why := behind(task, facts))]
    room = facts.room
    for task, why in late:
        found = _catch_up(task, why, room)
        if isinstance(found, Action):
            actions.append(found)
            room = room.less(_cost(found))
        elif found is not None:
            needs.append(found)
    needs += [_left_stuck(stuck, facts) for stuck in facts.stuck]
    return Day(actions=tuple(actions), needs=tuple(needs), behind=tuple(late), plan=fit(facts.tasks, room, facts.lost))


def evening(facts: DayFacts) -> Day:
    """R-DAY-3: what is approved is merged, blockers are reported, tomorrow is planned within its tokens."""
    actions = tuple(
        Action(what="merge", task=task, why="is being merged: it was approved and waited", rule="R-DAY-3")
        for task in facts.approved
    )
    needs = [_left_stuck(stuck, facts) for stuck in facts.stuck]
    needs += [_approval(waiting, facts) for waiting in _with_people(facts)]
    return Day(actions=actions, needs=tuple(needs), plan=fit(facts.tasks, facts.tomorrow, facts.lost))


def behind(task: Task, facts: DayFacts) -> str | None:
    """Why a task is behind, or None: its deadline is past, or its day of the open sprint is over."""
    if task.state in (TaskState.MERGING, TaskState.AWAITING_APPROVAL):
        return None  # its work is done
    if task.deadline and task.deadline <= facts.now:
        return "its deadline is past"
    id_sprint, id_day = task.place
    if facts.sprint is not None and id_sprint == facts.sprint and 0 < id_day < facts.sprint_day:
        return f"it was planned for day {id_day} of the sprint, and this is day {facts.sprint_day}"
    return None


def _go_on(stuck: Stuck, facts: DayFacts, room: Room) -> Action | Need:
    """How a blocked task goes on by itself in the morning; or why it needs a person."""
    task = stuck.task
    if stuck.blocked_by or stuck.was_proposed_split:
        return _left_stuck(stuck, facts)
    if stuck.wants_review:
        short = room.lacks({Rung.GEMINI: TERSE_REVIEW})
        if short or stuck.reviews_tried >= VERDICTS_TRIED or Rung.GEMINI in facts.resting:
            return _left_stuck(stuck, facts)
        return Action(what="review", task=task, why="is sent to gemini's review again", rule="R-SEC-4")
    if stuck.wants_tokens:
        if room.lacks(needed_by(task)) or task.route.rung in facts.resting:
            return _left_stuck(stuck, facts)
        return Action(what="requeue", task=task, why="is queued again: there are tokens for it today", rule="R-BUD-3")
    if isinstance(stuck.next, Again) and stuck.next.rung is not Rung.OPUS:
        why = f"goes on at {stuck.next.rung}: {stuck.next.why}"
        return Action(what="step", task=task, why=why, rule=stuck.next.rule, rung=stuck.next.rung)
    return _left_stuck(stuck, facts)


def _left_stuck(stuck: Stuck, facts: DayFacts) -> Need:
    hidden = {STOP, SPLIT} if stuck.was_proposed_split else {STOP}
    offered = tuple(each for each in buttons(stuck.task, proposed=stuck.proposed) if each not in hidden)
    by = f" by {'CI' if stuck.blocked_by == CI else 'a person'}" if stuck.blocked_by else ""
    why = f"blocked{by} for {rough(facts.now - stuck.since)}: {stuck.why[:WHY_CHARACTERS]}"
    return Need(task=stuck.task, why=why, buttons=offered)


def _with_people(facts: DayFacts) -> list[Waiting]:
    approved = {task.id for task in facts.approved}
    return [
        each
        for each in facts.reviews
        if each.task.state is TaskState.AWAITING_APPROVAL and each.task.id not in approved
    ]


def _approval(waiting: Waiting, facts: DayFacts) -> Need:
    long = rough(facts.now - waiting.since)
    return Need(task=waiting.task, why=f"has waited for approval for {long}", buttons=(APPROVE,))


def _over(waiting: Waiting, facts: DayFacts) -> bool:
    return facts.now - waiting.since > facts.review_sla


def _chase(waiting: Waiting, facts: DayFacts) -> Action | None:
    """R-MET: a review is done within its time, or somebody hears of it."""
    if not _over(waiting, facts) or waiting.task.id in {task.id for task in facts.approved}:
        return None
    long = rough(facts.now - waiting.since)
    if waiting.task.state is TaskState.AWAITING_APPROVAL:
        why = f"has waited for approval for {long}; its approvers were reminded"
        return Action(what="chase", task=waiting.task, why=why, rule="R-DAY-2", people=waiting.people)
    why = f"has waited for gemini's review for {long}" + (f" ({waiting.why})" if waiting.why else "")
    owner = (waiting.task.owner,) if waiting.task.owner else ()
    return Action(what="chase", task=waiting.task, why=f"{why}; its owner was told", rule="R-DAY-2", people=owner)


def _catch_up(task: Task, why: str, room: Room) -> Action | Need | None:
    """What becomes of a task that is behind. Blocked ones are needs already; what is at work goes on."""
    if task.state is TaskState.WITH_HUMAN:
        return Action(what="remind", task=task, why=f"is behind ({why})", rule="R-DAY-2", people=(task.owner,),
                      told="its owner was reminded")  # fmt: skip
    if task.state is not TaskState.QUEUED:
        return None
    short = room.lacks(needed_by(task))
    if (
        short
        and task.head_commit is None
        and cheaper(task.route) is Rung.HAIKU  # R-RT-6
        and not room.lacks(needed_by(_at(task, Rung.HAIKU)))
    ):
        told = f"goes to haiku, which costs less: {why}, and {short} do not suffice"
        return Action(what="cheaper", task=task, why=told, rule="R-RT-6", rung=Rung.HAIKU)
    if task.route.rung is Rung.MANUAL:
        return Need(task=task, why=f"behind: {why}", buttons=(REASSIGN,))
    offered = (*((SPLIT,) if may_be_split(task) else ()), TAKE_OVER, REASSIGN)
    return Need(task=task, why=f"behind: {why}" + (f"; {short} do not suffice today" if short else ""), buttons=offered)


def _at(task: Task, rung: Rung) -> Task:
    return task.model_copy(update={"route": task.route.model_copy(update={"rung": rung})})


def _as_queued(task: Task, action: Action) -> Task:
    """The task as it stands once the action is done, for the day's plan; a review is not queued."""
    if action.what == "review":
        return task
    return _at(task, action.rung or task.route.rung).model_copy(update={"state": TaskState.QUEUED})


def _cost(action: Action) -> dict[Rung, int]:
    match action.what:
        case "requeue" | "step" | "cheaper":
            return needed_by(_at(action.task, action.rung or action.task.route.rung))
        case "review":
            return {Rung.GEMINI: TERSE_REVIEW}
        case _:
            return {}
