"""R-PAR: what may run now, and what each waiting task waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.order import HOLDING, Start, Wait, ready
from bot.domain.paths import may_share
from bot.domain.task import Priority, Route, Rung, Task, TaskState, TaskType

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)


def task(number: int, state: TaskState = TaskState.QUEUED, rung: Rung = Rung.HAIKU, **given: Any) -> Task:
    route = Route(rung=rung, type=TaskType.DOCS, complexity="low", security=False, reason="r", rule="R", confidence=1)
    at = NOW + timedelta(minutes=number)
    facts: dict[str, Any] = {"created_at": at, "updated_at": at, **given}
    return Task(project="P", id=f"S0-D0-{number}", text="t", route=route, state=state, **facts)


def said(decisions: tuple[Start | Wait, ...]) -> list[str]:
    return [f"{d.task.id[-1]} {'starts' if isinstance(d, Start) else d.why}" for d in decisions]


def test_different_files_run_in_parallel() -> None:
    assert said(ready([task(1, files=("a.py",)), task(2, files=("b.py",))], {})) == ["1 starts", "2 starts"]


def test_the_same_file_waits_and_says_for_whom() -> None:
    """R-PAR-2"""
    both = [task(1, files=("src/auth.py",)), task(2, files=("README.md", "src/Auth.py"))]
    assert said(ready(both, {})) == ["1 starts", "2 waiting for S0-D0-1: src/Auth.py"]
    running = [task(1, TaskState.IN_REVIEW, files=("src",)), task(2, files=("src/a.py",))]
    assert said(ready(running, {})) == ["2 waiting for S0-D0-1: src/a.py"]
    ended = [task(1, TaskState.MERGED, files=("a.py",)), task(2, files=("a.py",))]
    assert said(ready(ended, {})) == ["2 starts"]


def test_dependencies() -> None:
    """R-PAR-3"""
    for state, expected in (
        (TaskState.RUNNING, "2 waiting for S0-D0-1"),
        (TaskState.MERGED, "2 starts"),
        (TaskState.DONE, "2 starts"),
        (TaskState.FAILED, "2 waiting for S0-D0-1, which is failed"),
    ):
        assert said(ready([task(1, state), task(2, after=("S0-D0-1",))], {})) == [expected]


@pytest.mark.parametrize(
    ("before", "batched", "waiting", "hurries"),
    [
        ("low", True, {"files": ("a.py",)}, True),  # its file
        ("low", True, {"files": ("a.py",), "priority": "critical"}, True),
        ("low", True, {"after": ("S0-D0-1",)}, True),  # or its result
        ("low", True, {"files": ("a.py",), "priority": "low"}, False),  # in no more of a hurry
        ("low", True, {"files": ("b.py",)}, False),  # of no matter to it
        ("low", False, {"files": ("a.py",)}, False),  # done in minutes
        ("normal", True, {"files": ("a.py",)}, False),  # pulled out before
    ],
)
def test_what_is_more_urgent_hurries_a_batch(
    before: Priority, batched: bool, waiting: dict[str, Any], hurries: bool
) -> None:
    """R-PAR-5"""
    both = [task(1, TaskState.RUNNING, files=("a.py",), priority=before), task(2, **waiting)]
    (decision,) = ready(both, {}, batched=["S0-D0-1"] if batched else [])
    assert (isinstance(decision, Wait) and decision.hurries == ("S0-D0-1",)) is hurries


@pytest.mark.parametrize(
    ("waiting", "counted", "hurries"),
    [
        ({"priority": "high"}, False, True),
        ({"priority": "high"}, True, False),  # its own deadline says how long the batch may take
        ({"priority": "critical"}, True, True),  # has no time to wait, whatever its deadline
        ({"priority": "normal"}, False, False),  # in no more of a hurry
    ],
)
def test_a_deadline_that_counts_hurries_nobody(waiting: dict[str, Any], counted: bool, hurries: bool) -> None:
    """R-PAR-5"""
    both = [task(1, TaskState.RUNNING), task(2, after=("S0-D0-1",), **waiting)]
    (decision,) = ready(both, {}, batched=["S0-D0-1"], counted=["S0-D0-2"] if counted else [])
    assert (isinstance(decision, Wait) and decision.hurries == ("S0-D0-1",)) is hurries


def test_order_and_slots() -> None:
    """R-PAR-5: critical priority first, then deadline, then age; at most so many at once."""
    queue = [
        task(1, priority="low"),
        task(2),
        task(3, deadline=NOW + timedelta(days=1)),
        task(4, priority="critical"),
        task(5, priority="high"),
    ]
    wait = "waiting for one of 2 haiku slots"
    assert said(ready(queue, {Rung.HAIKU: 2})) == ["4 starts", "5 starts", f"3 {wait}", f"2 {wait}", f"1 {wait}"]


def test_what_waits_in_a_batch_takes_no_slot_and_keeps_its_files() -> None:
    """R-BUD-5, R-PAR-2"""
    queue = [task(1, TaskState.RUNNING, files=("a.py",)), task(2), task(3, files=("a.py",))]
    assert said(ready(queue, {Rung.HAIKU: 1}))[0] == "2 waiting for one of 1 haiku slots"
    batched = said(ready(queue, {Rung.HAIKU: 1}, batched=["S0-D0-1"]))
    assert batched == ["2 starts", "3 waiting for S0-D0-1: a.py"]


def test_what_attempts_touched_is_held_where_nothing_was_declared() -> None:
    """R-PAR-2"""
    both = [task(1, TaskState.CHECKING, touched=("src/a.py",)), task(2, touched=("src/a.py",)), task(3)]
    assert said(ready(both, {})) == ["2 waiting for S0-D0-1: src/a.py", "3 starts"]
    declared = [task(1, TaskState.CHECKING, files=("b.py",), touched=("src/a.py",)), task(2, touched=("src/a.py",))]
    assert said(ready(declared, {})) == ["2 starts"]


def test_the_critical_path_comes_before_the_deadline() -> None:
    """R-PAR-5"""
    queue = [
        task(1, deadline=NOW + timedelta(hours=1)),
        task(2, token_budget=10),
        task(3, after=("S0-D0-2",), token_budget=10),
        task(4, priority="high"),
    ]
    started = [d.task.id[-1] for d in ready(queue, {}) if isinstance(d, Start)]
    assert started == ["4", "2", "1"]


def test_a_waiting_task_keeps_its_place() -> None:
    """No starvation: while what it waits for is being worked on, its other files are not given away."""
    queue = [task(1, TaskState.RUNNING, files=("a.py",)), task(2, files=("a.py", "b.py")), task(3, files=("b.py",))]
    assert said(ready(queue, {})) == ["2 waiting for S0-D0-1: a.py", "3 waiting for S0-D0-2: b.py"]
    queue[0] = task(1, TaskState.AWAITING_APPROVAL, files=("a.py",))  # a person may take days
    assert said(ready(queue, {})) == ["2 waiting for S0-D0-1: a.py", "3 starts"]


def test_a_cycle_that_should_not_be_there_stops_nothing_else() -> None:
    queue = [task(1, after=("S0-D0-2",)), task(2, after=("S0-D0-1",)), task(3)]
    assert "3 starts" in said(ready(queue, {}))


paths = st.lists(st.sampled_from(["a.py", "b.py", "src", "src/c.py"]), max_size=3, unique=True).map(tuple)


@given(st.data(), st.integers(1, 9), st.integers(1, 3))
def test_every_plan_comes_to_its_end(data: st.DataObject, size: int, slots: int) -> None:
    """No deadlock, no starvation: whatever finishes when, every task of a random plan runs, and never two at a time
    on one file (R-PAR-1, R-PAR-2, R-PAR-3)."""
    tasks = [
        task(
            n,
            files=data.draw(paths),
            after=tuple(f"S0-D0-{m}" for m in range(n) if data.draw(st.booleans()) and m % 3 == 0),
        )
        for n in range(size)
    ]
    for _round in range(4 * size):
        started = {d.task.id for d in ready(tasks, {Rung.HAIKU: slots}) if isinstance(d, Start)}
        tasks = [t.model_copy(update={"state": TaskState.RUNNING}) if t.id in started else t for t in tasks]
        running = [t for t in tasks if t.state is TaskState.RUNNING]
        assert len(running) <= slots
        assert not any(may_share(a.files, b.files) for n, a in enumerate(running) for b in running[n + 1 :])
        if not running:
            break
        ends = data.draw(st.sampled_from([t.id for t in running]))
        tasks = [t.model_copy(update={"state": TaskState.MERGED}) if t.id == ends else t for t in tasks]
    assert {t.state for t in tasks} == {TaskState.MERGED}


states = st.sampled_from([TaskState.QUEUED, TaskState.RUNNING, TaskState.AWAITING_APPROVAL, TaskState.MERGED])
files = st.lists(st.sampled_from(["a.py", "src", "src/b.py", "docs/c.md"]), max_size=2, unique=True).map(tuple)


@given(st.lists(st.tuples(states, files), max_size=8), st.integers(1, 3))
def test_what_starts_together_shares_no_file_and_fits_the_slots(
    made: list[tuple[TaskState, tuple[str, ...]]], slots: int
) -> None:
    tasks = [task(n, state, files=paths) for n, (state, paths) in enumerate(made)]
    decisions = ready(tasks, {Rung.HAIKU: slots})
    started = [d.task for d in decisions if isinstance(d, Start)]
    holding = [t for t in tasks if t.state in HOLDING] + started
    assert all(not may_share(a.files, b.files) for n, a in enumerate(holding) for b in holding[n + 1 :] if b in started)
    assert len(started) <= slots
    assert {d.task.id for d in decisions} == {t.id for t in tasks if t.state is TaskState.QUEUED}
    if not any(t.state in HOLDING for t in tasks) and any(t.state is TaskState.QUEUED for t in tasks):
        assert started, "no deadlock: with nothing running, something starts"
