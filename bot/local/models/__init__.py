"""Emulated Anthropic and Gemini: the same wire, scripted answers, and a book of every call.

Mount `build_models_app(...)` and point the products' base URLs at `<address>/anthropic` and `<address>/gemini`."""

from __future__ import annotations

from aiohttp import web

from bot.local.models.anthropic_server import build_anthropic_app
from bot.local.models.gemini_server import build_gemini_app
from bot.local.models.rehearsal import rehearse
from bot.local.models.script import Call, Faults, Reply, Script

__all__ = ["Call", "Faults", "Reply", "Script", "build_models_app", "rehearsal_script"]


def rehearsal_script() -> Script:
    """A script without rules: every answer is a rehearsal."""
    return Script(otherwise=rehearse)


def build_models_app(
    script: Script, faults: Faults | None = None, keys: frozenset[str] | None = None
) -> web.Application:
    """Both providers as one application, under /anthropic and /gemini. `keys`: the keys that are good."""
    faults = faults or Faults()
    app = web.Application()
    app.add_subapp("/anthropic", build_anthropic_app(script, faults, keys))
    app.add_subapp("/gemini", build_gemini_app(script, faults, keys))
    return app
