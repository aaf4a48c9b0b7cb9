"""@mentions and direct messages: the same words as after `/orch`; anything else is taken for a task."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.help import NAMES
from bot.domain.message_reading import looks_like_assignment
from bot.listeners.commands import run_command
from bot.listeners.desk import Desk, Payload, delivery_key

_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(\|[^>]*)?>[\s,:]*")
_GREETINGS = frozenset({"", "hi", "hello", "hey", "help", "?"})


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("message", _message)

    @app.event("app_mention")
    async def on_mention(ack: Any, event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("channel_type") != "im":
            await _receive(desk, ack, event, body)

    @app.event("message")
    async def on_message(ack: Any, event: dict[str, Any], body: dict[str, Any]) -> None:
        if (
            event.get("channel_type") == "im"
            and event.get("user")
            and not event.get("bot_id")
            and not event.get("subtype")
        ):
            await _receive(desk, ack, event, body)


async def _receive(desk: Desk, ack: Any, event: dict[str, Any], body: dict[str, Any]) -> None:
    payload = {"user": event["user"], "channel": event["channel"], "text": event.get("text") or "", "ts": event["ts"]}
    await desk.receive(delivery_key("message", event["channel"], event["ts"], body=body), "message", payload, ack)


async def _message(desk: Desk, payload: Payload) -> None:
    text = _MENTION.sub("", payload["text"])
    words = text.split(maxsplit=1)
    first = words[0].lower().strip(":,") if words else ""
    if first in _GREETINGS and len(words) < 2:
        text = "help"
    elif first not in (*NAMES, "/orch", "help") and not looks_like_assignment(text):
        text = f"assign {text}"
    await run_command(desk, {**payload, "text": text})
