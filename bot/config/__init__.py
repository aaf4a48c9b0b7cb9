"""The config file: its sections and keys, the kinds of their values, and how it is read."""

from __future__ import annotations

from bot.config.sections import (
    DEFAULT_MODELS,
    Budgets,
    Config,
    Holidays,
    ModelSettings,
    Policy,
    Price,
    Project,
    Sandbox,
    Schedule,
    Section,
)

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
