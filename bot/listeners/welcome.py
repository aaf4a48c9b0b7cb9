"""Clicks on the first words in a channel: a tour for whoever wants one, and the example plan for leads."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.workflows import planning

EXAMPLE = "granter-v2"


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("welcome", _click)
    for action_id in ("welcome_tour", "welcome_plan"):
        app.action(action_id)(on_click(desk, "welcome"))


async def _click(desk: Desk, payload: Payload) -> None:
    """Raises UserMistake, as for a plan where the person is no lead."""
    person = await desk.person(payload)
    project = desk.office.projects[payload["value"]]
    if payload["action"] == "welcome_tour":
        await desk.answer(payload, "replies/tour", project=project)
        return
    taken = await planning.load_plan(desk.office, project, EXAMPLE, person)
    await desk.answer(payload, "replies/plan_loaded", project=project.key, **taken._asdict())
