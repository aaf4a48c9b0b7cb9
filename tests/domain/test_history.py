"""What earlier tasks teach the router (R-RT-6, R-BUD-5), and what they never may (R-SEC-1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.escalation import Outcome
from bot.domain.history import ENOUGH, History, Kind, Past, Record, Size, history_of, preference, size_of
from bot.domain.routing import LEARNABLE, RoutePolicy, RouteRequest, route
from bot.domain.task import Rung, TaskState, TaskType

HAIKU, SONNET = Rung.HAIKU, Rung.SONNET
LOGIC, TESTS = TaskType.LOGIC, TaskType.TESTS
USUAL = {HAIKU: 2_000, SONNET: 9_000}


def past(task: int, outcome: Outcome, rung: Rung = HAIKU, microusd: int = 1_000, **given: Any) -> Past:
    facts: dict[str, Any] = {"type": LOGIC, "size": "small", "state": TaskState.MERGED, "seconds": 10.0, **given}
    return Past(task=task, rung=rung, outcome=outcome, microusd=microusd, **facts)


def known(passed: int, tasks: int, *, haiku: int = 2_000, sonnet: int = 9_000, size: Size = "small") -> History:
    records = {
        Kind(HAIKU, kind, size): Record(tasks=tasks, passed=passed, microusd=haiku * tasks) for kind in LEARNABLE
    }
    also = {Kind(SONNET, kind, size): Record(tasks=10, passed=10, microusd=sonnet * 10) for kind in LEARNABLE}
    return History(records={**records, **also}, usual=USUAL)


#: attempts of one task, oldest first -> (haiku's tasks, passed, retries), (sonnet's)
STAYS: list[tuple[list[Past], tuple[int, int, int], tuple[int, int, int]]] = [
    ([past(1, "passed")], (1, 1, 0), (0, 0, 0)),
    ([past(1, "checks"), past(1, "passed")], (1, 1, 1), (0, 0, 0)),
    ([past(1, "checks"), past(1, "checks"), past(1, "passed", SONNET)], (1, 0, 1), (1, 1, 0)),
    ([past(1, "security"), past(1, "passed", SONNET)], (1, 0, 0), (1, 1, 0)),
    # Still at work, or sent back by a person: nothing is known yet.
    ([past(1, "checks", state=TaskState.RUNNING)], (0, 0, 0), (0, 0, 0)),
    ([past(1, "person", state=TaskState.QUEUED)], (0, 0, 0), (0, 0, 0)),
    # Blocked after counted failures: it failed there. Lost or interrupted: not the rung's fault.
    ([past(1, "beyond", SONNET, state=TaskState.BLOCKED)], (0, 0, 0), (1, 0, 0)),
    ([past(1, "provider", state=TaskState.BLOCKED)], (0, 0, 0), (0, 0, 0)),
    ([past(1, "day"), past(1, "passed", SONNET)], (0, 0, 0), (1, 1, 0)),
    ([past(1, "interrupted", state=TaskState.CANCELLED)], (0, 0, 0), (0, 0, 0)),
]


@pytest.mark.parametrize(("attempts", "haiku", "sonnet"), STAYS)
def test_what_counts_for_a_rung(
    attempts: list[Past], haiku: tuple[int, int, int], sonnet: tuple[int, int, int]
) -> None:
    """R-ESC-4: what does not count against a rung teaches nothing about it."""
    found = history_of(attempts, USUAL)
    for rung, expected in ((HAIKU, haiku), (SONNET, sonnet)):
        record = found.of(rung, LOGIC, "small")
        assert (record.tasks, record.passed, record.retries) == expected


def test_costs_and_times_add_up_over_attempts() -> None:
    record = history_of(
        [past(1, "checks", microusd=1_500), past(1, "passed", microusd=500), past(2, "passed", microusd=1_000)], USUAL
    ).of(HAIKU, LOGIC, "small")
    assert (record.microusd, record.seconds, record.mean_seconds) == (3_000, 30.0, 15.0)
    assert record.cost(2_000) == (3_000 + 2 * 2_000) / 4
    assert record.chance == 3 / 4


#: passed, tasks, haiku's cost, sonnet's cost -> the rung to try first
CHOICES = [
    (0, 0, 0, 9_000, None),
    (4, 4, 1_000, 9_000, None),  # too few, however good
    (7, 9, 2_000, 9_000, HAIKU),
    (5, 5, 2_000, 9_000, HAIKU),
    (1, 9, 2_000, 9_000, SONNET),  # 2,000 for a chance of 2 in 11 to save 9,000
    (2, 9, 2_000, 9_000, HAIKU),
    (0, 20, 2_000, 9_000, SONNET),
    (20, 20, 9_500, 9_000, SONNET),  # it always makes it, and costs more by its retries
]


@pytest.mark.parametrize(("passed", "tasks", "haiku", "sonnet", "rung"), CHOICES)
def test_the_cheaper_expectation_goes_first(
    passed: int, tasks: int, haiku: int, sonnet: int, rung: Rung | None
) -> None:
    found = preference(known(passed, tasks, haiku=haiku, sonnet=sonnet), LOGIC, "small")
    assert (found.rung if found else None) is rung


def test_the_counts_are_told() -> None:
    found = preference(known(7, 9), LOGIC, "small")
    assert found is not None
    assert found.why == "haiku did 7 of 9 such tasks; haiku first is expected to cost $0.0045 against $0.0090"


def test_retries_and_time_are_told_where_they_were_seen() -> None:
    """Issue 4: success, retries, cost and time, with counts."""
    for retries, words in ((0, "no retry"), (1, "one retry"), (3, "3 retries")):
        record = Record(tasks=6, passed=5, retries=retries, microusd=6_000, seconds=150.0)
        history = History(records={Kind(HAIKU, LOGIC, "small"): record}, usual={HAIKU: 1_000, SONNET: 9_000})
        found = preference(history, LOGIC, "small")
        assert found is not None
        assert found.why.startswith(f"haiku did 5 of 6 such tasks with {words} in 25 s each; haiku first is expected")


# a task, its type where it is said, the policy's history -> the rung, and a part of the reason
ROUTES = [
    ("Keep drafts of orders", LOGIC, known(0, 0), SONNET, "business logic needs care"),
    ("Keep drafts of orders", LOGIC, known(8, 9), HAIKU, "You said logic: haiku did 8 of 9 such tasks"),
    ("Keep drafts of orders", LOGIC, known(8, 9, size="large"), SONNET, "business logic needs care"),
    ("Change the padding of orders", LOGIC, known(0, 0), HAIKU, "haiku first"),
    ("Change the padding of orders", LOGIC, known(0, 9), SONNET, "haiku did 0 of 9 such tasks"),
    ("Write tests for the order service", None, known(9, 9), HAIKU, "haiku did 9 of 9 such tasks"),
    # Where nobody knows what kind of work it is, no record is its record.
    ("Keep drafts of orders", None, known(9, 9), SONNET, "the safer choice"),
    # No history moves what the matrix decides, or lifts what the floor holds (R-SEC-1).
    ("Document the order service in docs/orders.md", None, known(0, 9), HAIKU, "haiku writes clearly"),
    ("Add a migration for the orders table", None, known(9, 9), SONNET, "schema changes are complex"),
    ("Change the login service to keep sessions", None, known(9, 9), SONNET, "Security-critical"),
    ("Write tests for the session of the order service", None, known(9, 9), SONNET, ""),
]


@pytest.mark.parametrize(("text", "kind", "history", "rung", "part"), ROUTES)
def test_history_in_a_route(text: str, kind: TaskType | None, history: History, rung: Rung, part: str) -> None:
    """R-RT-6, R-RT-7"""
    found = route(RouteRequest(text=text, type=kind), RoutePolicy(history=history))
    assert found.rung is rung and part in found.reason


def test_a_project_without_haiku_first_learns_nothing() -> None:
    request = RouteRequest(text="Keep drafts of orders", type=LOGIC)
    assert route(request, RoutePolicy(history=known(9, 9))).rung is HAIKU
    assert route(request, RoutePolicy(history=known(9, 9), haiku_first=False)).rung is SONNET


def test_a_persons_model_stands() -> None:
    request = RouteRequest(text="Keep drafts of orders", type=LOGIC, model=SONNET)
    assert route(request, RoutePolicy(history=known(9, 9))).reason == "You asked for sonnet."


@given(
    tasks=st.integers(0, 50),
    share=st.floats(0, 1),
    haiku=st.integers(0, 10_000),
    text=st.sampled_from(["Implement JWT login", "Rotate the encryption key", "Change the orders page", "Add tests"]),
    files=st.sampled_from([(), ("src/auth/a.ts",), ("src/orders.ts",)]),
    flag=st.booleans(),
)
def test_no_history_lowers_the_floor(
    tasks: int, share: float, haiku: int, text: str, files: tuple[str, ...], flag: bool
) -> None:
    """R-SEC-1"""
    request = RouteRequest(text=text, files=files, security=flag)
    rules = RoutePolicy(security_paths=("**/auth/**",))
    before = route(request, rules)
    after = route(request, rules.model_copy(update={"history": known(round(tasks * share), tasks, haiku=haiku)}))
    assert after.security == before.security
    assert not (after.security and after.rung is HAIKU)
    if after.type not in LEARNABLE or tasks < ENOUGH:
        assert after == before


SIZES: list[tuple[str, int, Size]] = [
    ("Short", 0, "small"),
    ("Short", 1, "small"),
    ("Short", 2, "medium"),
    ("x" * 301, 1, "medium"),
    ("Short", 6, "large"),
    ("x" * 1_501, 0, "large"),
]


@pytest.mark.parametrize(("text", "files", "size"), SIZES)
def test_size(text: str, files: int, size: Size) -> None:
    assert size_of(text, [f"{n}.py" for n in range(files)]) == size
