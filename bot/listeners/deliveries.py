"""A click and a filled-in form, as deliveries for the desk: the same payload everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.listeners import forms
from bot.listeners.desk import Desk, Payload, delivery_key

Ack = Callable[..., Awaitable[Any]]
Body = dict[str, Any]
Listener = Callable[..., Awaitable[None]]


def on_click(desk: Desk, kind: str, more: Callable[[Body, Body], Mapping[str, Any]] | None = None) -> Listener:
    """Receives clicks as deliveries of this kind: who clicked where on what, and what `more` reads from the body and
    the action."""

    async def listen(ack: Ack, body: Body, action: Body) -> None:
        user = body["user"]["id"]
        payload: Payload = {
            "user": user,
            "channel": (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or "",
            "action": action["action_id"],
            "value": action.get("value") or "",
            "trigger_id": body.get("trigger_id"),
            "response_url": body.get("response_url"),
            **(more(body, action) if more else {}),
        }
        key = delivery_key(kind, user, action.get("action_ts"), body.get("trigger_id"), body=body)
        await desk.receive(key, kind, payload, ack)

    return listen


def on_submit(desk: Desk, check: Callable[[Desk, Body], Mapping[str, Any]]) -> Callable[..., Awaitable[bool]]:
    """Receives forms as deliveries of their callback's name: who sent it, and what `check` read. What it finds wrong
    (forms.FormMistakes) is shown beside the fields. The listener says whether something was received."""

    async def listen(ack: Ack, body: Body, view: Body) -> bool:
        try:
            said = check(desk, view)
        except forms.FormMistakes as mistakes:
            await ack(response_action="errors", errors=mistakes.errors)
            return False
        kind, user = view["callback_id"], body["user"]["id"]
        key = delivery_key(kind, user, view.get("id"), view.get("hash"), body=body)
        await desk.receive(key, kind, {"user": user, **said}, ack)
        return True

    return listen
