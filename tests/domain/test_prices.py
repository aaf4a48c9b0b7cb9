"""R-BUD-4: costs in whole micro-dollars, never too low."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calls import Usage
from bot.domain.models import current_model, takes_thinking_level
from bot.domain.prices import Price, Rate, cost, micro, price_from_dollars, worst_cost

PRICE = Price(
    base=Rate(input=2_000_000, output=10_000_000, cache_write=2_500_000, cache_read=100_000),
    long=((1_000, Rate(input=4_000_000, output=20_000_000, cache_write=5_000_000, cache_read=200_000)),),
)

COSTS = [  # usage, micro-dollars
    (Usage(), 0),
    (Usage(input=1), 2),
    (Usage(cache_read=1), 1),  # 0.1, rounded up
    (Usage(cache_write=1), 3),  # 2.5, rounded up
    (Usage(output=3, thinking=3), 30),  # thinking is part of output
    (Usage(input=100, output=10, cache_write=20, cache_read=30), 353),
    (Usage(input=1_000, output=1), 2_010),
    (Usage(input=1_001, output=1), 4_024),  # a long prompt: every token at the long rate
    (Usage(input=1, cache_write=500, cache_read=500), 2_604),  # cached input makes a prompt long too
]


@pytest.mark.parametrize(("usage", "expected"), COSTS)
def test_cost(usage: Usage, expected: int) -> None:
    assert cost(usage, PRICE) == expected


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 2_000), st.integers(0, 500), st.integers(0, 500))
def test_the_reservation_bears_whatever_happens(plain: int, write: int, read: int, output: int, spare: int) -> None:
    usage = Usage(input=plain, cache_write=write, cache_read=read, output=output)
    assert cost(usage, PRICE) <= worst_cost(plain + write + read, output + spare, PRICE)


def test_worst_cost_takes_the_dearest_input() -> None:
    assert worst_cost(100, 10, PRICE) == 100 * 2.5 + 10 * 10


def test_price_from_dollars() -> None:
    assert price_from_dollars(0.10, 0.50).base == Rate(
        input=100_000, output=500_000, cache_write=125_000, cache_read=100_000
    )
    assert price_from_dollars(1, 2, cache_write=0, cache_read=0.05).base == Rate(
        input=1_000_000, output=2_000_000, cache_write=0, cache_read=50_000
    )


@pytest.mark.parametrize("dollars", [-0.1, float("nan"), float("inf")])
def test_no_price(dollars: float) -> None:
    with pytest.raises(ValueError, match="not a price"):
        micro(dollars)


NAMES = [  # name in a config file, id that is used, whether the person is warned
    ("haiku", "claude-haiku-5-5", False),
    ("Sonnet", "claude-sonnet-5-5", False),
    ("opus", "claude-opus-5-5", False),
    ("gemini", "gemini-3.8-flash", False),
    ("claude-haiku-5-5", "claude-haiku-5-5", False),
    ("gemini-3.8-flash", "gemini-3.8-flash", False),
    ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite", False),
    ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001", False),  # still listed
    ("haiku-4.5-20251001", "claude-haiku-5-5", True),  # the plan's own name (R-MSG-5)
    ("sonnet-3.5", "claude-sonnet-5-5", True),  # the plan's own name (R-MSG-5)
    ("claude-3-5-sonnet-20241022", "claude-sonnet-5-5", True),
    ("claude-3-5-haiku-latest", "claude-haiku-5-5", True),
    ("claude-3-haiku-20240307", "claude-haiku-5-5", True),
    ("claude-3-opus-20240229", "claude-opus-5-5", True),
    ("claude-3-7-sonnet-20250219", "claude-sonnet-5-5", True),
    ("claude-sonnet-4-20250514", "claude-sonnet-5-5", True),
    ("claude-sonnet-4-0", "claude-sonnet-5-5", True),
    ("claude-sonnet-4-5", "claude-sonnet-5-5", True),
    ("claude-opus-4-1-20250805", "claude-opus-5-5", True),
    ("claude-sonnet-4-6", "claude-sonnet-4-6", False),
    ("claude-opus-5", "claude-opus-5", False),
    ("sonnet-5.5", "claude-sonnet-5-5", True),
    ("claude-haiku-6", "claude-haiku-6", False),
    ("gemini-pro", "gemini-3.8-flash", True),
    ("gemini-1.5-flash", "gemini-3.8-flash", True),
    ("gemini-2.0-flash-lite", "gemini-3.1-flash-lite", True),
    ("gemini-2.5-flash", "gemini-2.5-flash", False),
    ("gpt-9", "gpt-9", False),  # whose price nobody knows: refused there
    (" haiku ", "claude-haiku-5-5", False),
]


@pytest.mark.parametrize(("name", "model", "warned"), NAMES)
def test_current_model(name: str, model: str, warned: bool) -> None:
    found, warning = current_model(name)
    assert found == model
    assert (warning is not None) is warned
    if warning:
        assert name in warning and model in warning


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gemini-3.8-flash", True),
        ("models/gemini-3.1-flash-lite", True),
        ("gemini-4-argon", True),
        ("gemini-2.5-flash", False),
        ("gemini-1.5-pro", False),
        ("other", False),
    ],
)
def test_takes_thinking_level(model: str, takes: bool) -> None:
    assert takes_thinking_level(model) is takes
