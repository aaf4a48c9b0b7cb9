"""R-ESC: what follows a failed attempt. Every trigger of the rulebook has its row."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.escalation import TOO_LONG, Again, Attempt, Outcome, Policy, Repair, Stop, after_failure, next_step
from bot.domain.task import Rung

H, S, G, O = Rung.HAIKU, Rung.SONNET, Rung.GEMINI, Rung.OPUS  # noqa: E741
MOST = {H: 3, S: 3, O: 2}
LONG = TOO_LONG[S] + 1


def tried(*attempts: tuple[Any, ...]) -> tuple[Attempt, ...]:
    """(rung, outcome[, signature[, seconds]]): each fails in its own way unless a signature is given."""
    return tuple(
        Attempt(
            rung=a[0],
            outcome=a[1],
            signature=a[2] if len(a) > 2 else f"way {n}",
            seconds=a[3] if len(a) > 3 else 1.0,
        )
        for n, a in enumerate(attempts)
    )


def policy(**fields: Any) -> Policy:
    return Policy(max_attempts=MOST, **fields)


AUTO = [
    # rule      history                                                        goes on at, building on the last commit
    # Haiku cannot handle it: its tokens are exhausted, it is too complex, the quality is poor.
    ("R-ESC-1", tried((H, "tokens")), S, False),
    ("R-ESC-1", tried((H, "beyond")), S, False),
    ("R-ESC-1", tried((H, "checks"), (H, "refused"), (H, "checks")), S, False),
    ("R-ESC-1", tried((H, "checks", "same"), (H, "checks", "same")), S, False),
    # The review finds a critical issue: back to sonnet for a fix, whoever made it.
    ("R-ESC-3", tried((H, "critical")), S, True),
    ("R-ESC-3", tried((S, "critical")), S, True),
    ("R-ESC-3", tried((S, "critical", "", LONG)), S, True),
    # Up to three counted failures a rung.
    ("R-ESC-4", tried((H, "checks")), H, False),
    ("R-ESC-4", tried((H, "checks"), (H, "refused")), H, False),
    ("R-ESC-4", tried((H, "findings")), H, True),
    ("R-ESC-4", tried((S, "checks"), (S, "checks")), S, False),
    ("R-ESC-4", tried((H, "interrupted"), (H, "interrupted"), (H, "checks")), H, False),
    ("R-ESC-4", tried((H, "checks"), (H, "interrupted")), H, False),
    # A rung's count starts anew on the next rung, and what a person asked for never counts.
    ("R-ESC-4", tried((H, "checks"), (H, "checks"), (H, "checks"), (S, "checks")), S, False),
    ("R-ESC-4", tried((S, "person"), (S, "person"), (S, "person"), (S, "checks")), S, False),
    # To sonnet also: quality stays poor, complexity underestimated, security, haiku's day gone.
    ("R-ESC-5", tried((H, "findings"), (H, "findings"), (H, "findings")), S, False),
    ("R-ESC-5", tried((H, "too_big")), S, False),
    ("R-ESC-5", tried((H, "security")), S, False),
    ("R-ESC-5", tried((H, "checks"), (H, "day")), S, False),
    # A person asked for changes.
    ("R-ESC-8", tried((S, "person")), S, True),
    ("R-ESC-8", tried((H, "person")), H, True),
]

BLOCKED = [
    # rule      history                                                                    proposes, a split
    # Sonnet takes too long or too many tokens: a split is proposed.
    ("R-ESC-2", tried((S, "tokens")), O, True),
    ("R-ESC-2", tried((S, "too_big")), O, True),
    ("R-ESC-2", tried((H, "beyond"), (S, "checks", "", LONG)), O, True),
    ("R-ESC-2", tried((S, "provider", "timed out", LONG)), O, True),
    # Lost attempts do not count, and still do not go on for ever.
    ("R-ESC-4", tried((H, "interrupted"), (H, "interrupted"), (H, "interrupted")), None, False),
    # Sonnet failed as well, or the problem is new to it: opus, with a person.
    ("R-ESC-6", tried((S, "checks"), (S, "checks"), (S, "checks")), O, False),
    ("R-ESC-6", tried((H, "beyond"), (S, "beyond")), O, False),
    ("R-ESC-6", tried((S, "critical"), (S, "critical"), (S, "critical")), O, False),
    # A critical finding in a security audit.
    ("R-ESC-6", tried((G, "audit")), O, False),
    # Every attempt at opus is approved by a person, and the last rung is a person.
    ("R-ESC-8", tried((O, "checks")), O, False),
    ("R-ESC-8", tried((O, "person")), O, False),
    ("R-ESC-8", tried((O, "interrupted")), O, False),
    ("R-ESC-4", tried((O, "checks"), (O, "refused")), Rung.MANUAL, False),
    ("R-ESC-4", tried((O, "beyond")), Rung.MANUAL, False),
    ("R-ESC-4", tried((O, "tokens")), Rung.MANUAL, False),
]


@pytest.mark.parametrize(("rule", "history", "rung", "keep"), AUTO)
def test_what_goes_on_by_itself(rule: str, history: tuple[Attempt, ...], rung: Rung, keep: bool) -> None:
    step = next_step(history, policy())
    assert isinstance(step, Again)
    assert (step.rule, step.rung, step.keep) == (rule, rung, keep)
    assert step.why


@pytest.mark.parametrize(("rule", "history", "propose", "split"), BLOCKED)
def test_what_needs_a_person(rule: str, history: tuple[Attempt, ...], propose: Rung | None, split: bool) -> None:
    step = next_step(history, policy())
    assert isinstance(step, Stop)
    assert (step.rule, step.propose, step.split) == (rule, propose, split)
    assert step.why


def test_haikus_day_is_gone() -> None:
    """R-ESC-5: queued for sonnet, next in its priority, on the commit that it built on."""
    step = next_step(tried((H, "findings"), (H, "day")), policy())
    assert isinstance(step, Again) and step.urgent and step.same_start
    assert step.rung is S


def test_complexity_was_underestimated() -> None:
    """R-ESC-5: the task is re-scoped as well as reassigned."""
    for outcome in ("tokens", "too_big", "beyond"):
        step = next_step(tried((H, outcome)), policy())
        assert isinstance(step, Again) and step.complex


def test_an_approved_attempt_at_opus_goes_on() -> None:
    """R-ESC-8: where it cost nothing, or an approver asked for changes."""
    lost = next_step(tried((O, "interrupted")), policy(opus_approved=True))
    assert isinstance(lost, Again) and (lost.rung, lost.keep) == (O, False)
    changed = next_step(tried((O, "person")), policy(opus_approved=True))
    assert isinstance(changed, Again) and (changed.rung, changed.keep) == (O, True)


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
def test_one_repair_an_attempt(failed: Outcome, repaired: bool, can_repair: bool, gets: bool) -> None:
    step = after_failure(failed, repaired=repaired, can_repair=can_repair)
    assert isinstance(step, Repair) is gets


def test_haiku_never_gets_a_security_task_again() -> None:
    """R-SEC-1: whatever happened before."""
    for outcome in get_args(Outcome):
        step = next_step(tried((H, outcome)), policy(security=True))
        assert isinstance(step, Again)
        assert step.rung is S


HISTORIES = st.lists(
    st.builds(
        Attempt,
        rung=st.sampled_from([H, S, O, G]),
        outcome=st.sampled_from([o for o in get_args(Outcome) if o != "passed"]),
        signature=st.sampled_from(["", "a", "b"]),
        seconds=st.sampled_from([1.0, LONG]),
    ),
    min_size=1,
    max_size=8,
).map(tuple)
POLICIES = st.builds(Policy, security=st.booleans(), haiku_may=st.booleans(), opus_approved=st.booleans())


@given(HISTORIES, POLICIES)
def test_there_is_always_a_next_step_and_it_keeps_the_floor(history: tuple[Attempt, ...], rules: Policy) -> None:
    """R-ESC-7: at once an attempt or a blocker, whatever happened; R-ESC-8: opus never by itself; R-SEC-1."""
    step = next_step(history, rules)
    assert step.why and step.rule
    if isinstance(step, Again):
        assert step.rung is not Rung.MANUAL
        assert step.rung is not O or rules.opus_approved
        assert not (rules.security and step.rung is H)
