"""R-ESC: what follows a failed attempt."""

from __future__ import annotations

import pytest

from bot.domain.escalation import Again, Attempt, Repair, Stop, after_failure, next_step
from bot.domain.task import Rung

H, S, O = Rung.HAIKU, Rung.SONNET, Rung.OPUS  # noqa: E741
MOST = {H: 3, S: 3, O: 1}


def tried(*attempts: tuple[Rung, str] | tuple[Rung, str, str]) -> tuple[Attempt, ...]:
    """Attempts, each failing in its own way unless a signature is given."""
    return tuple(
        Attempt(rung=a[0], outcome=a[1], signature=a[2] if len(a) > 2 else f"way {n}")  # type: ignore[arg-type, misc]
        for n, a in enumerate(attempts)
    )


ROWS = [
    # rule      history                                                         security  expected
    ("R-ESC-4", tried((H, "checks")), False, (H, False)),
    ("R-ESC-4", tried((H, "checks"), (H, "refused")), False, (H, False)),
    ("R-ESC-1", tried((H, "checks"), (H, "refused"), (H, "tokens")), False, (S, False)),
    ("R-ESC-1", tried((H, "checks", "same"), (H, "checks", "same")), False, (S, False)),
    ("R-ESC-1", tried((H, "beyond")), False, (S, False)),
    ("R-ESC-4", tried((H, "findings")), False, (H, True)),
    ("R-ESC-3", tried((H, "critical")), False, (S, True)),
    ("R-ESC-3", tried((S, "critical")), False, (S, True)),
    ("R-ESC-5", tried((H, "security")), False, (S, False)),
    ("R-ESC-5", tried((H, "checks")), True, (S, False)),
    ("R-ESC-4", tried((S, "checks"), (S, "checks")), False, (S, False)),
    ("R-ESC-6", tried((S, "checks"), (S, "checks"), (S, "checks")), False, O),
    ("R-ESC-6", tried((H, "beyond"), (S, "beyond")), False, O),
    ("R-ESC-4", tried((H, "interrupted"), (H, "provider"), (H, "checks")), False, (H, False)),
    ("R-ESC-4", tried((H, "checks"), (H, "provider")), False, (H, False)),
    ("R-ESC-4", tried((H, "provider"), (H, "provider"), (H, "interrupted")), False, None),
    ("R-ESC-8", tried((S, "person")), False, (S, True)),
    ("R-ESC-4", tried((O, "checks")), False, Rung.MANUAL),
    # a rung's count starts anew on the next rung, and what a person asked for never counts
    ("R-ESC-4", tried((H, "checks"), (H, "checks"), (H, "checks"), (S, "checks")), False, (S, False)),
    ("R-ESC-4", tried((S, "person"), (S, "person"), (S, "person"), (S, "checks")), False, (S, False)),
]


@pytest.mark.parametrize("rule, history, security, expected", ROWS)
def test_next_step(
    rule: str, history: tuple[Attempt, ...], security: bool, expected: tuple[Rung, bool] | Rung | None
) -> None:
    decision = next_step(history, MOST, security=security)
    assert decision.rule == rule
    if isinstance(expected, tuple):
        assert isinstance(decision, Again)
        assert (decision.rung, decision.keep) == expected
    else:
        assert isinstance(decision, Stop)
        assert decision.propose == expected
    assert decision.why


@pytest.mark.parametrize(
    "failed, repaired, can_repair, gets",
    [
        ("checks", False, True, True),
        ("refused", False, True, True),
        ("checks", True, True, False),  # at most one repair (R-ESC-4)
        ("checks", False, False, False),
        ("tokens", False, True, False),
        ("beyond", False, True, False),
        ("security", False, True, False),  # haiku must not touch it again (R-SEC-1)
        ("findings", False, True, False),
        ("provider", False, True, False),
    ],
)
def test_one_repair_an_attempt(failed: str, repaired: bool, can_repair: bool, gets: bool) -> None:
    step = after_failure(failed, repaired=repaired, can_repair=can_repair)  # type: ignore[arg-type]
    assert isinstance(step, Repair) is gets


def test_haiku_never_gets_a_security_task_again() -> None:
    """R-SEC-1: whatever happened before."""
    for outcome in ("refused", "checks", "tokens", "findings", "critical", "beyond", "security", "provider", "person"):
        decision = next_step(tried((H, outcome)), MOST, security=True)
        assert isinstance(decision, Again)
        assert decision.rung is S
