"""Dated prices: what FACTS.md measured is what genai-prices says, so Orch needs no table of its own."""

from __future__ import annotations

from datetime import date

import pytest

from bot.adapters.prices import PriceBook
from bot.domain.calls import Usage
from bot.domain.models import CURRENT
from bot.domain.prices import cost, price_from_dollars
from bot.errors import ConfigError

NOVEMBER = date(2026, 11, 22)

KNOWN = [  # model, day, dollars per Mtok: input, output, cache write, cache read
    ("claude-haiku-5-5", NOVEMBER, (0.10, 0.50, 0.125, 0.01)),
    ("claude-sonnet-5-5", NOVEMBER, (2, 10, 2.5, 0.1)),
    ("claude-opus-5-5", NOVEMBER, (4, 20, 5, 0.2)),
    ("claude-haiku-4-5-20251001", NOVEMBER, (1, 5, 1.25, 0.1)),
    ("gemini-3.8-flash", NOVEMBER, (0.75, 3.75, 0.75, 0.075)),
    ("gemini-3.1-flash-lite", NOVEMBER, (0.25, 1.50, 0.25, 0.025)),
    ("gemini-3.8-flash", date(2026, 12, 31), (0.75, 3.75, 0.75, 0.075)),
    ("gemini-3.8-flash", date(2027, 1, 1), (1.5, 7.5, 1.5, 0.15)),  # dated: announced already
]


@pytest.mark.parametrize(("model", "day", "dollars"), KNOWN)
def test_known_prices(model: str, day: date, dollars: tuple[float, float, float, float]) -> None:
    assert PriceBook().price(model, day).base == price_from_dollars(*dollars).base


def test_a_long_prompt_costs_more_for_every_token() -> None:
    haiku = PriceBook().price("claude-haiku-5-5", NOVEMBER)
    assert cost(Usage(input=100_000), haiku) == 10_000
    assert cost(Usage(input=100_001), haiku) == 50_001  # 0.50 dollars per Mtok


@pytest.mark.parametrize("model", CURRENT.values())
def test_every_model_that_orch_names_has_a_price(model: str) -> None:
    assert PriceBook().price(model, NOVEMBER).base.output > 0


@pytest.mark.parametrize("model", ["gpt-9", "claude-haiku-9", "", "haiku"])
def test_an_unknown_model_is_refused_with_the_way_out(model: str) -> None:
    with pytest.raises(ConfigError, match=r"models\.<rung>\.id.*price.*input"):
        PriceBook().price(model, NOVEMBER)


def test_the_config_wins() -> None:
    own = price_from_dollars(1, 2)
    book = PriceBook({"gpt-9": own, "claude-haiku-5-5": own})
    assert book.price("gpt-9", NOVEMBER) == own
    assert book.price("claude-haiku-5-5", NOVEMBER) == own


@pytest.mark.parametrize("model", CURRENT.values())
def test_a_batch_costs_half_as_both_providers_document(model: str) -> None:
    """The table behind domain.prices' own half, which holds where the price list is silent."""
    usual = PriceBook().price(model, NOVEMBER)
    silent = usual.model_copy(update={"batched": None})
    used = Usage(input=1_000_000, output=1_000_000, cache_write=100_000, cache_read=100_000)
    for price in (usual, silent):
        assert cost(used, price.of(batch=True)) == pytest.approx(cost(used, price.of(batch=False)) / 2)


def test_the_price_list_says_what_a_batch_costs() -> None:
    haiku = PriceBook().price("claude-haiku-5-5", NOVEMBER)
    assert haiku.of(batch=True).base == price_from_dollars(0.05, 0.25, 0.0625, 0.005).base
    assert haiku.of(batch=True).rate(100_001).input == 250_000
