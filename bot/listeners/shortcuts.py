"""The message shortcut "Make this a task", the global one "New task", and `Assign a task`: each opens the form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.assign import AssignRequest
from bot.domain.command_text import plain
from bot.domain.command_values import MAX_TEXT
from bot.listeners import forms
from bot.listeners.desk import Desk, Payload, delivery_key


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("shortcut", _open_form)

    async def on_shortcut(ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        shortcut = body.get("type") == "message_action"  # a click's message is Orch's own
        message = (body.get("message") or {}) if shortcut else {}
        payload = {
            "user": body["user"]["id"],
            "channel": (body.get("channel") or {}).get("id", ""),
            "text": message.get("text") or "",
            "trigger_id": body["trigger_id"],
            "response_url": body.get("response_url"),
        }
        key = delivery_key("shortcut", body.get("trigger_id"), body=body)
        await desk.receive(key, "shortcut", payload, ack)

    app.shortcut("make_task")(on_shortcut)
    app.shortcut("new_task")(on_shortcut)
    app.action("open_assign")(on_shortcut)


async def _open_form(desk: Desk, payload: Payload) -> None:
    await desk.person(payload)
    request = AssignRequest(text=plain(payload["text"])[:MAX_TEXT])
    view = forms.assign_form(desk.office, payload["channel"], request)
    await desk.office.chat.open_view(payload["trigger_id"], view)
