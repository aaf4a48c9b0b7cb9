"""The success metrics (R-MET), computed from the event log: definition, goal, value and events behind.

What was not measured has no value and says why; it is never 100 %."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from bot.domain.saving import GOAL, LEVERS, STEPS, Saving
from bot.domain.task import FINISHED, Frozen, TaskState

Unit = Literal["share", "seconds", "count", "microusd"]
#: Of so many events behind a metric the ids are given; `count` tells how many there were.
IDS = 200


class Happened(Frozen):
    """One event of a task: its id in the log, and the state after it."""

    id: int
    task: str
    at: datetime
    state: TaskState
    kind: str = ""


class Tried(Frozen):
    """One attempt that ended."""

    task: str
    number: int
    rung: str
    outcome: str
    ended_at: datetime


class Stuck(Frozen):
    """A blocker: since when it was there, when it was noticed, and when it was solved."""

    task: str
    since: datetime
    detected_at: datetime | None = None
    resolved_at: datetime | None = None


class Covered(Frozen):
    """What a project's checks reported on a commit that was merged: the share of the code, 0 to 1."""

    event: int  # the merge, in the log
    share: float


class Record(Frozen):
    """What happened in [start, end) and is measured. `events`: in order, from before `start` too."""

    start: datetime
    end: datetime
    events: tuple[Happened, ...] = ()
    attempts: tuple[Tried, ...] = ()
    deadlines: Mapping[str, datetime] = {}  # of tasks that have one
    days: Mapping[date, tuple[int, int]] = {}  # tokens used, and the day's limit
    cost_microusd: int = 0
    saving: Saving = Saving()
    incidents: tuple[str, ...] = ()  # ids of the tasks of production incidents
    blockers: tuple[Stuck, ...] | None = None  # None = they are not kept
    covered: tuple[Covered, ...] = ()  # the merges of the window whose checks report it, in order
    ack_seconds: tuple[float, ...] = ()


class Metric(Frozen):
    """One number. `goal`: at least, or at most, so much; `met` None = no goal, or nothing measured."""

    name: str
    title: str
    definition: str
    unit: Unit
    value: float | None = None
    count: int = 0  # of what it is computed from
    goal: float | None = None
    at_most: bool = True
    parts: Mapping[str, float] = {}  # the same by rung, or by percentile
    events: tuple[int | str, ...] = ()  # ids in the event log, or of tasks
    why_none: str = "no data yet"
    note: str = ""  # what one must know about the number

    @property
    def met(self) -> bool | None:
        if self.value is None or self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def metrics(record: Record) -> tuple[Metric, ...]:
    """All of them, in the order of R-MET."""
    return (
        _detection(record), _unblock(record), _review(record), _schedule(record), _budget_days(record),
        _missed(record), _saving(record), _coverage(record), _first_attempts(record), _cost(record), _queue(record),
        _acks(record),
    )  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest of the values that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def stays(record: Record, state: TaskState) -> Iterator[tuple[Happened, Happened]]:
    """(came in, went out) of every stay in the state that ended in the window."""
    since: dict[str, Happened] = {}
    for event in record.events:
        if event.state is state:
            since.setdefault(event.task, event)
        elif (came := since.pop(event.task, None)) and record.start <= event.at < record.end:
            yield came, event


def _stay_times(found: Sequence[tuple[Happened, Happened]]) -> list[float]:
    return [(out.at - came.at).total_seconds() for came, out in found]


def _detection(record: Record) -> Metric:
    known = {
        "name": "blocker_detection", "title": "Blockers detected",
        "definition": "time from when a task stood still to when Orch said so; of ten blockers nine were faster",
        "unit": "seconds", "goal": 7200.0,
    }  # fmt: skip
    if record.blockers is None:
        return Metric.model_validate({**known, "why_none": "not measured yet"})
    seen = [b for b in record.blockers if b.detected_at and record.start <= b.detected_at < record.end]
    times = [(b.detected_at - b.since).total_seconds() for b in seen if b.detected_at]
    return Metric.model_validate(
        {**known, "value": percentile(times, 0.9), "count": len(times), "events": tuple(b.task for b in seen)[:IDS]}
    )


def _unblock(record: Record) -> Metric:
    found = list(stays(record, TaskState.BLOCKED))
    times = _stay_times(found)
    return Metric(
        name="unblock_time", title="Unblock time", definition="time that a task was blocked; half were shorter",
        unit="seconds", value=percentile(times, 0.5), count=len(times), events=tuple(out.id for _, out in found)[:IDS],
    )  # fmt: skip


def _review(record: Record) -> Metric:
    found = list(stays(record, TaskState.IN_REVIEW))
    times = _stay_times(found)
    return Metric(
        name="review_turnaround", title="Review turnaround",
        definition="time from asking for a review to its end; of ten reviews nine were faster",
        unit="seconds", goal=4 * 3600.0, value=percentile(times, 0.9), count=len(times),
        events=tuple(out.id for _, out in found)[:IDS],
    )  # fmt: skip


def _finishes(record: Record) -> list[Happened]:
    """The event by which each task was finished in the window."""
    first: dict[str, Happened] = {}
    for event in record.events:
        if event.state in FINISHED:
            first.setdefault(event.task, event)
    return [event for event in first.values() if record.start <= event.at < record.end]


def _schedule(record: Record) -> Metric:
    ended = {event.task: event.at for event in record.events if event.state in FINISHED}
    given_up = {event.task for event in record.events if event.state is TaskState.CANCELLED} - set(ended)
    due = {t: at for t, at in record.deadlines.items() if record.start <= at < record.end and t not in given_up}
    kept = [task for task, at in due.items() if task in ended and ended[task] <= at]
    return Metric(
        name="on_schedule", title="Tasks on schedule",
        definition="of the tasks whose deadline came, those that were finished by it; cancelled ones left out",
        unit="share", goal=0.9, at_most=False, value=len(kept) / len(due) if due else None, count=len(due),
        events=tuple(due)[:IDS], why_none="no deadline came",
    )  # fmt: skip


def _budget_days(record: Record) -> Metric:
    within = [day for day, (used, limit) in record.days.items() if used <= limit]
    return Metric(
        name="budget_days", title="Days within the token budget",
        definition="of the days on which tokens were used, those that stayed within the day's limit",
        unit="share", goal=0.95, at_most=False, value=len(within) / len(record.days) if record.days else None,
        count=len(record.days), events=tuple(map(str, record.days))[:IDS], why_none="no tokens were used",
    )  # fmt: skip


def _missed(record: Record) -> Metric:
    finished = len(_finishes(record))
    return Metric(
        name="critical_missed", title="Critical issues missed",
        definition="production incidents that people reported (`/orch incident`), whatever caused them; "
        "what nobody reports is not known",
        unit="count", goal=0.0, value=float(len(record.incidents)) if finished or record.incidents else None,
        count=finished, events=record.incidents[:IDS], why_none="nothing was finished",
    )  # fmt: skip


def _saving(record: Record) -> Metric:
    saved = record.saving
    levers = {STEPS[lever].removeprefix("+ "): saved.points(lever) for lever in LEVERS}
    shares = {"against sonnet without its cache": saved.share_without_cache(), **levers}
    return Metric(
        name="saving", title="Cost against all-sonnet",
        definition="what is saved against the same work done by sonnet alone, with its own prompt cache (R-BUD-5); in "
        "brackets without it, then what each lever brought",
        unit="share", goal=GOAL, at_most=False, value=saved.share, count=saved.calls,
        parts={name: share for name, share in shares.items() if share is not None} if saved.share is not None else {},
        why_none="no data yet" if not saved.calls else "no data yet: no work that was paid for was accepted",
        note=rehearsal(saved),
    )  # fmt: skip


def rehearsal(saved: Saving) -> str:
    """That the figures are no real ones, where emulated models answered."""
    if not saved.rehearsed_calls:
        return ""
    return f"rehearsal: emulated models answered {saved.rehearsed_calls} of the {saved.calls} calls"


def _coverage(record: Record) -> Metric:
    found = record.covered
    return Metric(
        name="coverage", title="Coverage of merged code",
        definition="as the project's own checks reported it on the commit that was merged last",
        unit="share", goal=0.7, at_most=False, value=found[-1].share if found else None, count=len(found),
        parts={"lowest": min(each.share for each in found)} if len(found) > 1 else {},
        events=tuple(each.event for each in found)[-IDS:], why_none="not reported by the project's checks",
    )  # fmt: skip


def _first_attempts(record: Record) -> Metric:
    first: dict[tuple[str, str], Tried] = {}
    for tried in sorted(record.attempts, key=lambda each: each.number):
        if tried.outcome not in ("interrupted", "provider"):
            first.setdefault((tried.task, tried.rung), tried)
    counted = [tried for tried in first.values() if record.start <= tried.ended_at < record.end]
    by_rung: dict[str, list[bool]] = defaultdict(list)
    for tried in counted:
        by_rung[tried.rung].append(tried.outcome == "passed")
    passed = sum(tried.outcome == "passed" for tried in counted)
    return Metric(
        name="first_attempt", title="First attempts that passed",
        definition="of each task's first attempt at a rung, those that passed; interrupted ones left out",
        unit="share", value=passed / len(counted) if counted else None, count=len(counted),
        parts={rung: sum(oks) / len(oks) for rung, oks in sorted(by_rung.items())},
        events=tuple(tried.task for tried in counted)[:IDS],
    )  # fmt: skip


def _cost(record: Record) -> Metric:
    merged = [event for event in _finishes(record) if event.state is TaskState.MERGED]
    return Metric(
        name="cost_per_merge", title="Cost per merged task",
        definition="what all calls cost, failed attempts and reviews too, over the tasks that were merged",
        unit="microusd", value=record.cost_microusd / len(merged) if merged else None, count=len(merged),
        events=tuple(event.id for event in merged)[:IDS], why_none="nothing was merged",
    )  # fmt: skip


def _queue(record: Record) -> Metric:
    found = [(came, out) for came, out in stays(record, TaskState.QUEUED) if out.state is not TaskState.CANCELLED]
    times = _stay_times(found)
    return Metric(
        name="queue_time", title="Queue time", definition="time that a task waited to be worked on; half were shorter",
        unit="seconds", value=percentile(times, 0.5), count=len(times), events=tuple(out.id for _, out in found)[:IDS],
    )  # fmt: skip


def _acks(record: Record) -> Metric:
    half, most = percentile(record.ack_seconds, 0.5), percentile(record.ack_seconds, 0.99)
    return Metric(
        name="ack_latency", title="Answers to Slack",
        definition="time from a delivery's arrival to its acknowledgement, by this process since it started; of a "
        "hundred 99 were faster",
        unit="seconds", goal=3.0, value=most, count=len(record.ack_seconds),
        parts={"p50": half, "p99": most} if half is not None and most is not None else {},
        why_none="not measured in this process",
    )  # fmt: skip
