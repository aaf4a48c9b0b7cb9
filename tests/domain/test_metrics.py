"""R-MET: each metric from a written record, and never a number where nothing was measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.metrics import Covered, Happened, Metric, Record, Stuck, Tried, metrics, percentile
from bot.domain.saving import Saving
from bot.domain.task import TaskState

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=30)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def happened(*steps: tuple[str, str, float]) -> tuple[Happened, ...]:
    return tuple(Happened(id=n, task=t, state=TaskState(s), at=at(h)) for n, (t, s, h) in enumerate(steps, 1))


def measured(name: str, **facts: Any) -> Metric:
    return next(m for m in metrics(Record(start=START, end=END, **facts)) if m.name == name)


#: 2,900 of 10,000 micro-dollars: 71 % saved; routing brings 60 points of it, haiku first 10, the cache 1.
SAVED = Saving(
    calls=9, tokens=900, rehearsed_calls=2,
    microusd={"all_sonnet": 11_000, "all_sonnet_cached": 10_000, "routing": 4_000, "haiku_first": 3_000,
              "prompt_cache": 2_900, "light_reviewer": 2_900, "batch": 2_900},
)  # fmt: skip
EVENTS = happened(
    ("A", "queued", 0), ("A", "running", 1), ("A", "in_review", 2), ("A", "in_review", 3),
    ("A", "awaiting_approval", 7),
    ("B", "queued", 0), ("B", "blocked", 3), ("B", "queued", 5), ("B", "running", 8), ("A", "merged", 9),
    ("C", "queued", 0), ("C", "cancelled", 9), ("D", "queued", -99), ("D", "running", -98), ("D", "done", 24),
)  # fmt: skip


def tried(task: str, number: int, rung: str, outcome: str, hour: float = 1) -> Tried:
    return Tried(task=task, number=number, rung=rung, outcome=outcome, ended_at=at(hour))


@pytest.mark.parametrize(
    "name, facts, value, count, met",
    [
        ("blocker_detection", {"blockers": [Stuck(task="B", since=at(1), detected_at=at(2))]}, 3600, 1, True),
        ("blocker_detection", {"blockers": [Stuck(task="B", since=at(1), detected_at=at(4))]}, 10800, 1, False),
        ("unblock_time", {"events": EVENTS}, 7200, 1, None),
        ("review_turnaround", {"events": EVENTS}, 5 * 3600, 1, False),
        ("on_schedule", {"events": EVENTS, "deadlines": {**dict.fromkeys("ABC", at(9)), "E": END}}, 0.5, 2, False),
        ("on_schedule", {"events": EVENTS, "deadlines": {"A": at(9)}}, 1.0, 1, True),
        ("budget_days", {"days": {date(2026, 11, 1): (30, 30), date(2026, 11, 2): (31, 30)}}, 0.5, 2, False),
        ("critical_missed", {"events": EVENTS}, 0, 2, True),
        ("critical_missed", {"events": EVENTS, "incidents": ("I",)}, 1, 2, False),
        ("saving", {"saving": SAVED}, 0.71, 9, True),
        ("cost_per_merge", {"events": EVENTS, "cost_microusd": 500}, 500, 1, None),
        ("coverage", {"covered": [Covered(event=1, share=0.5), Covered(event=2, share=0.7)]}, 0.7, 2, True),
        ("coverage", {"covered": [Covered(event=1, share=0.69)]}, 0.69, 1, False),
        ("queue_time", {"events": EVENTS}, 10800, 3, None),
        ("ack_latency", {"ack_seconds": (0.01, 0.02, 5.0)}, 5.0, 3, False),
    ],
)  # fmt: skip
def test_a_metric(name: str, facts: dict[str, Any], value: float, count: int, met: bool | None) -> None:
    found = measured(name, **facts)
    assert (found.value, found.count, found.met) == (value, count, met)


def test_first_attempts_are_counted_by_rung() -> None:
    attempts = [
        tried("A", 1, "haiku", "checks"), tried("A", 2, "haiku", "passed"), tried("A", 3, "sonnet", "passed"),
        tried("B", 1, "haiku", "interrupted"), tried("B", 2, "haiku", "passed"), tried("C", 1, "haiku", "passed", -5),
    ]  # fmt: skip
    found = measured("first_attempt", attempts=attempts)
    assert (found.value, found.count, found.parts) == (2 / 3, 3, {"haiku": 0.5, "sonnet": 1.0})


def test_without_data_nothing_is_claimed() -> None:
    for metric in metrics(Record(start=START, end=END)):
        assert metric.value is None and metric.met is None and metric.count == 0 and metric.why_none


def test_what_ended_outside_the_window_is_not_counted() -> None:
    late = Record(start=END, end=END + timedelta(days=1), events=EVENTS)
    assert all(metric.value is None for metric in metrics(late))


@pytest.mark.parametrize(
    "values, share, found",
    [((), 0.5, None), ((7,), 0.99, 7), ((1, 2, 3, 4), 0.5, 2), (range(1, 101), 0.99, 99), (range(1, 11), 0.9, 9)],
)
def test_percentile(values: Any, share: float, found: float | None) -> None:
    assert percentile(list(values), share) == found


def test_the_events_behind_are_named() -> None:
    assert measured("unblock_time", events=EVENTS).events == (8,)
    assert measured("cost_per_merge", events=EVENTS, cost_microusd=1).events == (10,)


def test_the_saving_has_both_baselines_and_each_lever() -> None:
    """R-BUD-5: nothing is a number before there is something to compare with; a rehearsal says that it is one."""
    found = measured("saving", saving=SAVED)
    assert found.parts == pytest.approx(
        {
            "against sonnet without its cache": 1 - 2_900 / 11_000, "each task on its rung": 0.6,
            "haiku first where the floor allows": 0.1, "prompt cache": 0.01,
            "a lighter reviewer for ordinary work": 0.0, "batch API for what is not urgent": 0.0,
        }
    )  # fmt: skip
    assert sum(share for name, share in found.parts.items() if "against" not in name) == pytest.approx(found.value)
    assert found.note == "rehearsal: emulated models answered 2 of the 9 calls"
    nothing = measured("saving")
    assert (nothing.value, nothing.parts, nothing.note, nothing.why_none) == (None, {}, "", "no data yet")
    failed = measured(
        "saving", saving=Saving(calls=1, microusd={**SAVED.microusd, "all_sonnet": 0, "all_sonnet_cached": 0})
    )
    assert failed.value is None and failed.parts == {} and "no work that was paid for" in failed.why_none
