"""Clicks on buttons that no other listener knows: of another version of Orch, or of a template of a team's own."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp

from bot.errors import UserMistake
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload

NOT_KNOWN = "That button is of another version of me: nothing was changed. `/orch list` shows your tasks."


def register(app: AsyncApp, desk: Desk) -> None:
    """Call it last: Bolt asks listeners in their order."""
    desk.handles("unknown_click", _answer)
    app.action(re.compile(""))(on_click(desk, "unknown_click"))


async def _answer(desk: Desk, payload: Payload) -> None:
    await desk.person(payload)
    raise UserMistake(NOT_KNOWN)
