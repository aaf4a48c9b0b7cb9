"""Clicks on the first words in a channel: a tour for whoever wants one, and the example plan for leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.listeners.desk import Desk, Payload, delivery_key
from bot.workflows import planning

EXAMPLE = "granter-v2"


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("welcome", _click)

    async def on_click(ack: Callable[..., Awaitable[Any]], body: dict[str, Any], action: dict[str, Any]) -> None:
        payload = {
            "user": body["user"]["id"],
            "channel": (body.get("channel") or {}).get("id") or "",
            "action": action["action_id"],
            "project": action.get("value") or "",
            "response_url": body.get("response_url"),
        }
        key = delivery_key("welcome", payload["user"], action.get("action_ts"), body.get("trigger_id"), body=body)
        await desk.receive(key, "welcome", payload, ack)

    for action_id in ("welcome_tour", "welcome_plan"):
        app.action(action_id)(on_click)


async def _click(desk: Desk, payload: Payload) -> None:
    """Raises UserMistake, as for a plan where the person is no lead."""
    person = await desk.person(payload)
    project = desk.project(payload["channel"], payload["project"])
    if payload["action"] == "welcome_tour":
        await desk.answer(payload, "replies/tour", project=project)
        return
    taken = await planning.load_plan(desk.office, project, EXAMPLE, person)
    await desk.answer(payload, "replies/plan_loaded", project=project.key, **taken._asdict())
