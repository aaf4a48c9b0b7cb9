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
    limits_of_call,
    padded,
    size_call,
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
