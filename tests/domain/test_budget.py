"""R-BUD: which counters a call counts against, and what it may reserve."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import (
    LEAN,
    MIN_OUTPUT_TOKENS,
    Grant,
    Level,
    Limit,
    LimitName,
    Refused,
    first_red,
    in_percent,
    limits_of_call,
    padded,
    percent,
    size_call,
    usual_output,
)
from bot.domain.task import Rung

DAY = date(2026, 2, 3)


def level(
    tokens: int,
    used: int = 0,
    reserved: int = 0,
    scope: str = "P/day/2026-02-03/haiku",
    kind: LimitName | None = "haiku",
    **dollars: int,
) -> Level:
    limit = Limit(scope=scope, name="haiku's tokens", kind=kind, tokens=tokens, microusd=dollars.get("microusd"))
    return Level(limit=limit, used_tokens=used, reserved_tokens=reserved, used_microusd=dollars.get("used_microusd", 0))


def test_lean_is_the_rulebooks() -> None:
    """R-BUD-1"""
    assert (LEAN.day.rungs[Rung.HAIKU], LEAN.day.rungs[Rung.SONNET], LEAN.day.rungs[Rung.GEMINI]) == (
        15_000,
        10_000,
        5_000,
    )
    assert (LEAN.day.rungs[Rung.OPUS], LEAN.day.total, LEAN.sprint) == (0, 30_000, 150_000)


def test_scopes_of_a_call() -> None:
    """R-BUD-4: an edit draws on its attempt, its rung's day, the day and the sprint; a review not on the attempt."""
    facts = {"project": "P", "task": "S1-D1-1", "attempt": 2, "sprint": 1, "day": DAY}
    edit = limits_of_call(LEAN, **facts, rung=Rung.HAIKU, budget=2_000)  # type: ignore[arg-type]
    assert [(x.scope, x.tokens) for x in edit] == [
        ("P/task/S1-D1-1/attempt/2", 2_000),
        ("P/day/2026-02-03/haiku", 15_000),
        ("P/day/2026-02-03", 30_000),
        ("P/sprint/1", 150_000),
    ]
    review = limits_of_call(LEAN, **facts, rung=Rung.GEMINI, budget=0)  # type: ignore[arg-type]
    assert [x.scope for x in review] == ["P/day/2026-02-03/gemini", "P/day/2026-02-03", "P/sprint/1"]
    sprints = LEAN.model_copy(update={"sprints": {1: 47_500}})
    assert limits_of_call(sprints, **facts, rung=Rung.HAIKU, budget=0)[-1].tokens == 47_500  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "used, of, whole, words",
    [
        (0, 30_000, 0, "0 %"),
        (1, 30_000, 0, "less than 1 %"),
        (149, 30_000, 0, "less than 1 %"),
        (151, 30_000, 1, "1 %"),
        (3_900, 30_000, 13, "13 %"),
        (3_900, 150_000, 3, "3 %"),  # EXAMPLES.md: 2.6 is 3
        (24_000, 30_000, 80, "80 %"),  # R-BUD-3
        (29_999, 30_000, 99, "99 %"),  # not used up yet
        (999_999_999, 1_000_000_000, 99, "99 %"),
        (30_000, 30_000, 100, "100 %"),
        (30_400, 30_000, 101, "101 %"),
    ],
)
def test_a_share_of_a_budget_in_percent(used: int, of: int, whole: int, words: str) -> None:
    assert (percent(used / of), in_percent(used / of)) == (whole, words)


@pytest.mark.parametrize(
    "counted, left, output",
    [
        (1_000, 2_000, 980),  # 2 % margin on the count
        (100, 100_000, 8_192),
        (1_000, 1_276, 256),  # exactly enough
        (1_000, 1_275, None),
        (0, 0, None),
    ],
)
def test_size_call(counted: int, left: int, output: int | None) -> None:
    sized = size_call(counted, (level(left), level(1_000_000)))
    assert (sized.max_output if isinstance(sized, Grant) else None) == output


@pytest.mark.parametrize(
    ("left", "own", "usual", "output"),
    [
        (2_000, None, 800, 1_000),  # it has what such calls take
        (1_700, None, 800, None),  # it would be cut short, and paid for in vain
        (1_700, None, 0, 700),  # nothing is known of such calls
        (1_700, 1_500, 800, 500),  # its own budget gives it less in any case: that is the escalation's (R-ESC-1)
        (2_700, None, 90_000, 1_700),  # and the limit could never bear more
        (1_200, None, 100, None),  # never less than the least
    ],
)
def test_a_call_that_would_be_cut_short_is_not_paid_for(
    left: int, own: int | None, usual: int, output: int | None
) -> None:
    """R-BUD-4: `left` of 2,700 for 1,000 of input."""
    levels = [level(2_700, 2_700 - left), level(1_000_000, kind="sprint")]
    levels += [level(own, kind=None)] if own else []
    sized = size_call(980, tuple(levels), usual_output=usual)
    assert (sized.max_output if isinstance(sized, Grant) else None) == output


@given(st.integers(0, 4_000), st.integers(0, 20_000), st.integers(0, 20_000), st.integers(0, 20_000))
def test_what_is_usual_never_holds_back_a_call_for_ever(counted: int, day: int, sprint: int, usual: int) -> None:
    """A call that the limits could bear is granted once they are unused, and asks for no more than they have."""
    levels = (level(day), level(sprint, kind="sprint"))
    sized = size_call(counted, levels, usual_output=usual)
    assert isinstance(sized, Grant) == isinstance(size_call(counted, levels), Grant)
    used = size_call(counted, (level(day, used=day), level(sprint, kind="sprint")), usual_output=usual)
    if isinstance(used, Refused) and isinstance(sized, Grant):
        assert used.needed <= min(day, sprint)


def test_what_such_calls_take() -> None:
    assert [usual_output([900] * known) for known in (0, 4, 5)] == [0, 0, 900]
    assert usual_output([100, 200, 300, 4_000, 5_000]) == 300, "half of them took less"


def test_refusal_says_what_is_needed() -> None:
    refused = size_call(5_000, (level(2_000, used=500),))
    assert isinstance(refused, Refused)
    assert refused.text == "haiku's tokens: 1,500 of 2,000 tokens left, and the call needs at least 5,356"
    nothing = size_call(100, (level(0),))
    assert isinstance(nothing, Refused) and "are 0" in nothing.text


@given(
    st.integers(0, 50_000), st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)), min_size=1, max_size=4)
)
def test_a_grant_fits_every_limit(counted: int, limits: list[tuple[int, int]]) -> None:
    levels = tuple(level(tokens, used) for tokens, used in limits)
    sized = size_call(counted, levels)
    if isinstance(sized, Grant):
        assert all(lv.taken + sized.reserve_tokens <= lv.limit.tokens for lv in levels)
        assert sized.reserve_tokens == padded(counted) + sized.max_output
        assert sized.max_output >= MIN_OUTPUT_TOKENS
    else:
        assert any(lv.left < padded(counted) + MIN_OUTPUT_TOKENS for lv in levels)


def test_red() -> None:
    """R-BUD-3: at 95 % of a daily budget, used and reserved together, no new attempt starts."""
    assert first_red((level(1_000, used=900, reserved=49),), 0.95) is None
    assert first_red((level(1_000, used=900, reserved=50),), 0.95) is not None
    assert first_red((level(1_000, used=999, scope="P/sprint/1", kind="sprint"),), 0.95) is not None
    assert first_red((level(1_000, used=999, scope="P/task/S1-D1-1/attempt/1", kind=None),), 0.95) is None
