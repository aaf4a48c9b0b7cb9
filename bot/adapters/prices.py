"""Dated prices, offline, from genai-prices (DESIGN, "Money"). It is loaded at the first question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bot.domain.prices import Price, Rate, micro
from bot.errors import ConfigError

PROVIDERS = ("anthropic", "google")


class PriceBook:
    """What a model costs on a date. `overrides` by model id come from the config (`models.<rung>.price`) and
    win; genai-prices 0.2.3 knows every model that Orch names itself, so there is no table of our own."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def price(self, model: str, on: date) -> Price:
        """The price of the model on the day (UTC). Raises ConfigError for a model whose price is unknown."""
        return self._overrides.get(model) or _dated(model, on)


@lru_cache(maxsize=64)
def _dated(model: str, on: date) -> Price:
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    for provider in PROVIDERS:
        try:
            _, info = snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            continue
        noon = datetime.combine(on, time(12), UTC)
        usual = _price(info.get_prices(noon), model)
        batched = _price(info.get_prices(noon, {"processing": "batch"}), model)
        return usual if batched == usual else usual.model_copy(update={"batched": batched})
    raise ConfigError(_no_price(model))


def _price(given: Any, model: str) -> Price:
    """Whole-prompt tiers become long rates: above a tier's start, its price holds for every token."""
    kinds = {
        "input": given.input_mtok,
        "output": given.output_mtok,
        "cache_write": given.cache_write_mtok,
        "cache_read": given.cache_read_mtok,
    }
    if kinds["input"] is None or kinds["output"] is None:
        raise ConfigError(_no_price(model))
    starts = {tier.start for price in kinds.values() for tier in getattr(price, "tiers", ())}
    return Price(base=_rate(kinds, 0), long=tuple((start, _rate(kinds, start)) for start in sorted(starts)))


def _rate(kinds: dict[str, Any], above: int) -> Rate:
    at = {kind: _at(price, above) for kind, price in kinds.items()}
    plain = at["input"] or 0  # a cache without a price of its own is billed as plain input
    return Rate(**{kind: plain if value is None else value for kind, value in at.items()})


def _at(price: Any, above: int) -> int | None:
    """Micro-dollars per Mtok for prompts of more than `above` tokens."""
    if price is None or isinstance(price, Decimal):
        return None if price is None else micro(price)
    tiers = [tier for tier in price.tiers if tier.start <= above]
    return micro(tiers[-1].price if above and tiers else price.base)


def _no_price(model: str) -> str:
    return (
        f'No price is known for the model "{model}", so Orch will not call it. Set models.<rung>.id to a model '
        'with a known price, or add its price in dollars per million tokens: "models": {"<rung>": {"id": '
        f'"{model}", "price": {{"input": 0.10, "output": 0.50}}}}}}.'
    )
