"""R-BUD-5: what of a prompt is marked for the provider's cache."""

from __future__ import annotations

import pytest

from bot.domain.caching import FIRST_TRY, LATER_TRY, MARK, SHARED, content, pays
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
    (HAIKU, FIRST_TRY, False),
    (HAIKU, LATER_TRY, True),
    (SONNET, SHARED, True),
]


@pytest.mark.parametrize(("price", "chance", "expected"), PAYS)
def test_writing_pays_where_reading_is_likely_enough(price: Price, chance: float, expected: bool) -> None:
    assert pays(price, 1_000, chance) is expected


LONG = "word " * 300  # 600 tokens, estimated on the high side
CASES = [  # parts, before, minimum, which parts are marked
    ([(LONG, 0.5), (LONG, 0.2), ("task", 0.0)], 0, 512, [0]),
    ([(LONG, 0.5), (LONG, 0.5), ("task", 0.0)], 0, 512, [0, 1]),
    ([("short", 0.5), (LONG, 0.5), ("task", 0.0)], 0, 512, [1]),
    ([("short", 0.5), ("task", 0.0)], 700, 512, [0]),  # tools and system text count too
    ([("", 0.5), (LONG, 0.5), ("task", 0.0)], 0, 512, [0]),
    ([(LONG, 0.5), (LONG, 0.5), ("task", 0.0)], 0, 4_096, []),
    ([(LONG, 0.5), ("task", 0.0)], 0, None, []),  # a provider that caches by itself
]


@pytest.mark.parametrize(("parts", "before", "minimum", "marked"), CASES)
def test_where_the_marks_are(
    parts: list[tuple[str, float]], before: int, minimum: int | None, marked: list[int]
) -> None:
    made = content(parts, before=before, minimum=minimum, price=SONNET)
    texts = [text for text, _ in parts if text]
    if not marked:
        assert made == "\n\n".join(texts)
        return
    assert isinstance(made, list)
    assert [block["text"] for block in made] == texts
    assert [n for n, block in enumerate(made) if block.get("cache_control") == MARK] == marked


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("claude-haiku-5-5", 512), ("claude-sonnet-5-5", 512), ("claude-haiku-4-5-20251001", 4_096),
     ("claude-sonnet-6", 4_096), ("gemini-3.8-flash", None)],
)  # fmt: skip
def test_how_long_a_prompt_must_be(model: str, tokens: int | None) -> None:
    assert cacheable_from(model) == tokens
