"""`orch doctor` on the models: keys, ids and prices, by free calls only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Protocol

from bot.adapters.anthropic_model import AnthropicModel
from bot.adapters.gemini_model import GeminiReviewer
from bot.adapters.prices import PriceBook
from bot.cli.finding import Finding, Patient, problem, well
from bot.domain.calls import ModelRequest
from bot.domain.task import Rung
from bot.errors import ConfigError, ModelError

#: Seconds that a provider may take to answer.
PATIENCE = 20.0
MEND_ID = "set models.{rung}.id to one of: {known}"


class Provider(Protocol):
    async def list_models(self) -> tuple[str, ...]: ...
    async def count(self, request: ModelRequest) -> int: ...
    async def close(self) -> None: ...


async def anthropic(patient: Patient) -> list[Finding]:
    settings = patient.settings
    key, url = settings.anthropic_api_key, settings.anthropic_base_url
    rungs = (Rung.HAIKU, Rung.SONNET, Rung.OPUS)
    return await _provider(patient, "Anthropic", key, lambda k: AnthropicModel(k, url, PATIENCE), rungs)


async def gemini(patient: Patient) -> list[Finding]:
    settings = patient.settings
    key, url = settings.gemini_api_key, settings.gemini_base_url
    return await _provider(
        patient, "Gemini", key, lambda k: GeminiReviewer(k, url, timeout_seconds=PATIENCE), (Rung.GEMINI,)
    )


async def prices(patient: Patient) -> list[Finding]:
    """Is the price of each rung's model, and of the coordinator's, known? Without one, it is never called."""
    config, today = patient.settings.config, datetime.now(UTC).date()
    book = PriceBook(config.own_prices)
    unknown = [
        finding for name, model in config.paid_models.items() for finding in _price(book.price, name, model, today)
    ]
    return unknown or [well("prices", "known for every rung and the coordinator")]


def _price(price: Callable[..., object], name: str, model: str, today: object) -> list[Finding]:
    try:
        price(model, today)
    except ConfigError as error:
        return [problem(f"{name}'s price", str(error))]
    return []


async def _provider(
    patient: Patient, name: str, key: str | None, make: Callable[[str], Provider], rungs: tuple[Rung, ...]
) -> list[Finding]:
    if not key:
        return []  # the variables say so
    try:
        provider = make(key)
    except ConfigError as error:
        return [problem(name, str(error))]
    try:
        listed = await provider.list_models()
    except ModelError as error:
        return [problem(name, patient.redact(str(error)))]
    else:
        config = patient.settings.config
        models = {rung: config.model_id(rung) for rung in rungs}
        found = [await _model(provider, rung, model, listed) for rung, model in models.items()]
        return [well(name, "the key is good"), *found]
    finally:
        await provider.close()


async def _model(provider: Provider, rung: Rung, model: str, listed: tuple[str, ...]) -> Finding:
    """Providers do not list every name that they take, so one that is not listed is tried by counting tokens."""
    what = f"{rung}'s model {model}"
    if model in listed:
        return well(what)
    try:
        await provider.count(ModelRequest(model=model, system="", messages=({"role": "user", "content": "hello"},)))
    except ModelError as error:
        near = get_close_matches(model, listed, 3, cutoff=0.4) or listed[:5]
        return problem(what, _first_sentence(str(error)), MEND_ID.format(rung=rung, known=", ".join(near)))
    return well(what, "not listed, but answered")


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")
