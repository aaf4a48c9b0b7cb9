"""What of a prompt is worth caching at the provider (R-BUD-5).

What holds for the whole project ends the system text: the conventions, the checks, the paths. A mark there asks the
provider to keep everything up to it (the tools included) for five minutes. Writing costs more than plain input and
reading far less, so a mark pays only where a later call is likely enough to read it: at November 2026's prices from
26 % (sonnet) or 28 % (haiku) on. Files get none: only the same task's next attempt reads them, and about one first
attempt in five fails.
"""

from __future__ import annotations

from bot.domain.prices import Price

#: What the editor tool's definition takes at the provider, before everything else; tokens.
EDITOR_TOKENS = 700
#: How likely another call of the project reads the same beginning within five minutes: every task on the rung does.
SHARED = 0.5


def pays(price: Price, prompt_tokens: int, chance: float) -> bool:
    """Whether writing to the cache costs less than what reading it saves, by expectation."""
    rate = price.rate(prompt_tokens)
    return chance * (rate.input - rate.cache_read) > rate.cache_write - rate.input


def worth_caching(prompt_tokens: int, minimum: int | None, price: Price) -> bool:
    """Whether to mark the end of what the project's prompts share. `prompt_tokens`: up to there, tools included;
    `minimum`: tokens below which the provider caches nothing, None where it decides by itself."""
    return minimum is not None and prompt_tokens >= minimum and pays(price, prompt_tokens, SHARED)
