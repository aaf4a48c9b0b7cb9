"""What of a prompt is worth caching at the provider, and where (R-BUD-5).

A prompt's parts come in the order in which they stay the same: what holds for the project, the files, the task. A mark
at the end of a part asks the provider to keep everything up to there (tools and system text included) for five minutes.
Writing costs more than plain input and reading far less, so a mark pays only where a later call is likely enough to
read it: at November 2026's prices from 26 % (sonnet) or 28 % (haiku) on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.context import estimate_tokens
from bot.domain.prices import Price

MARK = {"type": "ephemeral"}
#: What the editor tool's definition takes at the provider, before everything else; tokens.
EDITOR_TOKENS = 700
#: How likely another call reads the same beginning within five minutes. What holds for the project, every task on the
#: rung reads; the files, only the same task's repair or next attempt, and about one first attempt in five fails.
SHARED = 0.5
FIRST_TRY, LATER_TRY = 0.2, 0.5


def pays(price: Price, prompt_tokens: int, chance: float) -> bool:
    """Whether writing to the cache costs less than what reading it saves, by expectation."""
    rate = price.rate(prompt_tokens)
    return chance * (rate.input - rate.cache_read) > rate.cache_write - rate.input


def content(
    parts: Sequence[tuple[str, float]], *, before: int, minimum: int | None, price: Price
) -> str | list[dict[str, Any]]:
    """A first message of these parts, each with the chance that a later call reads all up to its end. Plain text where
    nothing is worth a mark. `before`: tokens of tools and system text; `minimum`: tokens below which the provider
    caches nothing, None where it decides by itself. Empty parts are left out."""
    kept = [(text, chance) for text, chance in parts if text]
    blocks: list[dict[str, Any]] = []
    length = before
    for text, chance in kept:
        length += estimate_tokens(text)
        block: dict[str, Any] = {"type": "text", "text": text}
        if minimum is not None and length >= minimum and pays(price, length, chance):
            block["cache_control"] = dict(MARK)
        blocks.append(block)
    return blocks if any("cache_control" in block for block in blocks) else "\n\n".join(text for text, _ in kept)
