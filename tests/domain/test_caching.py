"""R-BUD-5: what of a prompt is marked for the provider's cache."""

from __future__ import annotations

import pytest

from bot.domain.caching import SHARED, pays, worth_caching
from bot.domain.models import cacheable_from
from bot.domain.prices import Price, Rate

SONNET = Price(base=Rate(input=2_000_000, output=10_000_000, cache_write=2_500_000, cache_read=100_000))
HAIKU = Price(base=Rate(input=100_000, output=500_000, cache_write=125_000, cache_read=10_000))

PAYS = [  # price, chance of being read again, whether to write
    (SONNET, 0.26, False),
    (SONNET, 0.27, True),
    (HAIKU, 0.27, False),
    (HAIKU, 0.28, True),
    (HAIKU, 0.0, False),
    (HAIKU, SHARED, True),
    (SONNET, SHARED, True),
]


@pytest.mark.parametrize(("price", "chance", "expected"), PAYS)
def test_writing_pays_where_reading_is_likely_enough(price: Price, chance: float, expected: bool) -> None:
    assert pays(price, 1_000, chance) is expected


WORTH = [  # tokens, the provider's minimum, price, whether to mark
    (600, 512, SONNET, True),
    (600, 512, HAIKU, True),
    (500, 512, SONNET, False),
    (600, 4_096, HAIKU, False),
    (9_000, None, SONNET, False),  # a provider that caches by itself
]


@pytest.mark.parametrize(("tokens", "minimum", "price", "expected"), WORTH)
def test_what_is_worth_a_mark(tokens: int, minimum: int | None, price: Price, expected: bool) -> None:
    assert worth_caching(tokens, minimum, price) is expected


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("claude-haiku-5-5", 512), ("claude-sonnet-5-5", 512), ("claude-haiku-4-5-20251001", 4_096),
     ("claude-sonnet-6", 4_096), ("gemini-3.8-flash", None)],
)  # fmt: skip
def test_how_long_a_prompt_must_be(model: str, tokens: int | None) -> None:
    assert cacheable_from(model) == tokens
