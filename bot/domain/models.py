"""Names of vendors' models: what an old or short name means today (R-MSG-5). Data, and two lookups."""

from __future__ import annotations

import re

#: Today's model of each family (FACTS.md, November 2026).
CURRENT = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "gemini-flash-lite": "gemini-3.1-flash-lite",
    "gemini": "gemini-3.8-flash",
}

#: Ids that providers still list although they are old: taken as they are, because the full id was written.
STILL_LISTED = frozenset({"claude-haiku-4-5-20251001", "claude-haiku-4-5"})

#: The newest version of each family that is retired, or retires in November 2026. Sources: the anthropic
#: SDK's own list (DEPRECATED_MODELS) and genai-prices' `deprecated` flags. Newer ones are left alone.
RETIRED_UP_TO = {
    "haiku": (4, 5),  # 4.5 itself is still listed, see above; other spellings of it are not ids
    "sonnet": (4, 5),
    "opus": (4, 1),
    "gemini-flash-lite": (2, 0),
    "gemini": (2, 0),
}

#: Tokens below which Anthropic caches no prompt, by the model's beginning; what is not named is taken at the most.
CACHEABLE_FROM = {"claude-haiku-5-5": 512, "claude-sonnet-5-5": 512, "claude-opus-5-5": 512}
CACHEABLE_FROM_ELSE = 4_096

_CLAUDE = re.compile(r"\b(haiku|sonnet|opus)\b")
_VERSION = re.compile(r"(?<![\d.])(\d)(?:[.-](\d))?(?![\d])")
_GENERATION = re.compile(r"^(?:models/)?gemini-(\d+)")


def current_model(name: str) -> tuple[str, str | None]:
    """The model id to use for a name in a config file, and a warning where that is another model.

    Short names ("sonnet") and today's ids pass silently. Names of no known family are returned as they
    are; whoever looks up their price will refuse them."""
    wanted = name.strip()
    lowered = wanted.lower()
    if lowered in CURRENT:
        return CURRENT[lowered], None
    family = _family(lowered)
    if family is None or lowered in STILL_LISTED or lowered in CURRENT.values():
        return wanted, None
    version = _version(lowered)
    if version is None or version <= RETIRED_UP_TO[family]:
        return CURRENT[family], f'"{wanted}" is a retired model name; using {CURRENT[family]} instead.'
    return _full_id(wanted, family, lowered)


def is_claude(model: str) -> bool:
    """Whether Anthropic stands behind the model."""
    return _CLAUDE.search(model.lower()) is not None


def cacheable_from(model: str) -> int | None:
    """The shortest prompt, in tokens, that a mark makes the provider cache; None where marks are not understood
    (Gemini caches by itself)."""
    if not is_claude(model):
        return None
    return next((n for name, n in CACHEABLE_FROM.items() if model.lower().startswith(name)), CACHEABLE_FROM_ELSE)


def takes_thinking_level(model: str) -> bool:
    """Whether a reviewer's model understands a thinking level (Gemini 3 and later)."""
    found = _GENERATION.match(model.lower())
    return found is not None and int(found[1]) >= 3


def _family(lowered: str) -> str | None:
    claude = _CLAUDE.search(lowered)
    if claude:
        return claude[1]
    if "gemini" not in lowered:
        return None
    return "gemini-flash-lite" if "flash-lite" in lowered else "gemini"


def _version(lowered: str) -> tuple[int, int] | None:
    """The first number that is not a date: `claude-3-5-sonnet-20241022`, `haiku-4.5`, `sonnet-5`."""
    found = _VERSION.search(lowered)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _full_id(wanted: str, family: str, lowered: str) -> tuple[str, str | None]:
    """`sonnet-5.5` is what people say; `claude-sonnet-5-5` is what the provider knows."""
    if family.startswith("gemini") or lowered.startswith("claude-"):
        return wanted, None
    full = "claude-" + lowered.replace(".", "-")
    return full, f'"{wanted}" is read as {full}.'
