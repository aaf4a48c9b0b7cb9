"""The config file: its sections and keys, the kinds of their values, and how it is read."""

from __future__ import annotations

from bot.config.sections import (
    Budgets,
    Holidays,
    ModelSettings,
    Policy,
    Price,
    Project,
    Sandbox,
    Schedule,
    Section,
)
from bot.config.whole import DEFAULT_MODELS, Config

__all__ = [
    "DEFAULT_MODELS",
    "Budgets",
    "Config",
    "Holidays",
    "ModelSettings",
    "Policy",
    "Price",
    "Project",
    "Sandbox",
    "Schedule",
    "Section",
]
