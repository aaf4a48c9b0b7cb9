"""What is done about a provider that fails: waits, stand-ins, rests (DESIGN; R-SEC-1, R-SEC-4, R-ESC-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.escalation import Again, Attempt, Policy, next_step
from bot.domain.order import Start, Wait, ready
from bot.domain.providers import (
    PROVIDER_OF,
    CallOutcome,
    Health,
    Healthy,
    Patience,
    Provider,
    Rest,
    Resting,
    Trying,
    backoff_seconds,
    fallback,
    health,
    rest_of,
)
from bot.domain.task import Route, Rung, Task, TaskState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
P = Patience()
H, S, G, O, M = Rung.HAIKU, Rung.SONNET, Rung.GEMINI, Rung.OPUS, Rung.MANUAL  # noqa: E741


@pytest.mark.parametrize(
    ("try_no", "retry_after", "least", "most"),
    [
        (1, None, 0, 2),
        (2, None, 0, 4),
        (3, None, 0, 8),
        (9, None, 0, 30),  # never longer, however often
        (1, 5.0, 5, 7),  # what the provider asks for comes first
        (1, 3_600.0, 30, 32),  # and is capped
        (1, -1.0, 0, 2),
    ],
)
def test_waits(try_no: int, retry_after: float | None, least: float, most: float) -> None:
    waits = [backoff_seconds(try_no, retry_after, f"GRANTER/S0-D0-{n}/1/1", P) for n in range(200)]
    assert all(least <= wait <= most for wait in waits)
    assert max(waits) - min(waits) > 0.8 * (most - least), "full jitter: they spread over the whole range"
    assert waits == [backoff_seconds(try_no, retry_after, f"GRANTER/S0-D0-{n}/1/1", P) for n in range(200)]


@pytest.mark.parametrize(
    ("rung", "security", "haiku_may", "stand_in"),
    [
        # rung security haiku_may stand-in
        (H, False, True, S),
        (H, False, False, S),
        (H, True, True, S),
        (S, False, True, H),
        (S, False, False, None),  # the matrix says that haiku may not
        (S, True, True, None),  # R-SEC-1: never below the floor
        (S, True, False, None),
        (G, False, True, None),  # R-SEC-4: a review waits, nobody stands in
        (G, True, True, None),
        (O, False, True, None),  # R-ESC-8: a person approved opus, nothing else
        (M, False, True, None),
    ],
)
def test_stand_ins(rung: Rung, security: bool, haiku_may: bool, stand_in: Rung | None) -> None:
    assert fallback(rung, security=security, haiku_may=haiku_may) is stand_in


def history(*seconds: float) -> list[CallOutcome]:
    """Failures that many seconds after NOW; a negative number is an answer at its absolute value."""
    return [CallOutcome(at=NOW + timedelta(seconds=abs(s)), answered=s < 0) for s in seconds]


def kind(state: Health) -> str:
    return type(state).__name__


FIVE = (0.0, 1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("seconds", "after", "expected", "until"),
    [
        ((), 0, "Healthy", None),
        ((0, 1, 2, 3), 4, "Healthy", None),  # four are not enough
        (FIVE, 5, "Resting", 64),
        ((0, 1, -2, 3, 4, 5), 6, "Healthy", None),  # an answer between them
        ((*FIVE, -5), 6, "Healthy", None),
        ((0, 100, 200, 301, 400), 401, "Healthy", None),  # not within five minutes
        ((0, 100, 200, 301, 350, 399), 400, "Resting", 459),
        ((*FIVE, 5, 6), 7, "Resting", 64),  # those that were under way change nothing
        (FIVE, 64, "Trying", None),
        ((*FIVE, 70), 71, "Resting", 190),  # the one that tried failed: longer
        ((*FIVE, 70, 200), 201, "Resting", 500),  # and longer
        ((*FIVE, 70, 200, 510), 511, "Resting", 810),  # but no more
        ((*FIVE, 70, 200, -510, 511), 512, "Healthy", None),
        (FIVE, 1_900, "Healthy", None),  # nobody called for long
        ((*FIVE, 2_000), 2_001, "Healthy", None),
    ],
)
def test_health(seconds: tuple[float, ...], after: float, expected: str, until: float | None) -> None:
    state = health(history(*seconds), NOW + timedelta(seconds=after), P)
    assert kind(state) == expected
    if isinstance(state, Resting):
        assert state.until == NOW + timedelta(seconds=until or 0)
        assert state.since == NOW


def test_a_rest_says_whom_it_waits_for_and_lets_one_try() -> None:
    until = datetime(2026, 11, 22, 9, 4, 1, tzinfo=UTC)
    resting = Resting(until=until, since=NOW, failures=5)
    rest = rest_of(Provider.ANTHROPIC, resting, UTC, being_tried=False)
    assert rest == Rest(provider=Provider.ANTHROPIC, why="waiting for Anthropic, resting until 09:05", probes=0)
    for tried, probes in ((False, 1), (True, 0)):
        trying = rest_of(Provider.GEMINI, Trying(since=NOW, failures=5), UTC, being_tried=tried)
        assert trying is not None and trying.probes == probes
    assert rest_of(Provider.GEMINI, Healthy(), UTC, being_tried=False) is None


def a_task(number: int, rung: Rung, state: TaskState = TaskState.QUEUED, files: tuple[str, ...] = ()) -> Task:
    route = Route(rung=rung, type="docs", complexity="low", security=False, reason="", rule="", confidence=1)
    at = NOW + timedelta(seconds=number)
    return Task(
        project="P", id=f"T{number}", text="x", route=route, state=state, files=files, created_at=at, updated_at=at
    )


@pytest.mark.parametrize(("probes", "started"), [(0, [3, 4]), (1, [1, 3, 4])])
def test_tasks_wait_for_a_resting_provider(probes: int, started: list[int]) -> None:
    """All rungs of the provider together try it once; the others go on, and nobody waits for a waiting task's file."""
    rests = {
        rung: Rest(provider=provider, why="resting", probes=probes)
        for rung, provider in PROVIDER_OF.items()
        if provider is Provider.ANTHROPIC
    }
    tasks = [a_task(1, H), a_task(2, S, files=("a.md",)), a_task(3, G), a_task(4, M, files=("a.md",))]
    decisions = ready(tasks, {}, rests)
    assert [int(d.task.id[1:]) for d in decisions if isinstance(d, Start)] == started
    assert {d.why for d in decisions if isinstance(d, Wait)} == {"resting"}


def lost(*attempts: tuple[Rung, str]) -> tuple[Attempt, ...]:
    return tuple(Attempt(rung=rung, outcome=outcome, signature=outcome) for rung, outcome in attempts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attempts", "security", "haiku_may", "goes_to"),
    [
        (lost((H, "busy")), False, True, S),  # refused again and again: the stand-in at once
        (lost((H, "provider")), False, True, H),  # an unknown outcome: the same once more
        (lost((H, "provider"), (H, "provider")), False, True, S),
        (lost((S, "busy")), False, True, H),
        (lost((S, "busy")), False, False, S),
        (lost((S, "busy")), True, True, S),  # R-SEC-1
        (lost((G, "busy")), False, True, G),
        (lost((H, "busy"), (S, "busy"), (H, "busy")), False, True, None),  # three in a row: a person
        (lost((S, "busy"), (S, "busy"), (S, "busy")), True, True, None),
        # a rest does not count, and ends where the task was before
        (lost((H, "rest")), False, True, H),
        (lost((H, "busy"), (S, "rest")), False, True, H),
        (lost((H, "busy"), (S, "rest")), True, True, S),  # R-SEC-1: it turned out security-critical meanwhile
        (lost((H, "busy"), (S, "busy"), (S, "rest"), (H, "busy")), False, True, S),
        (lost((S, "checks"), (S, "rest")), False, True, S),
        (lost(*[(H, "rest")] * 9), False, True, H),
    ],
)
def test_what_follows_a_lost_attempt(
    attempts: tuple[Attempt, ...], security: bool, haiku_may: bool, goes_to: Rung | None
) -> None:
    """R-ESC-4: none of these counts against the rung."""
    step = next_step(attempts, Policy(security=security, haiku_may=haiku_may))
    assert (step.rung if isinstance(step, Again) else None) is goes_to
