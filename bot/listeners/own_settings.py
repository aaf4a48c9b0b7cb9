"""`My settings`: the form behind the button on Home and in the tour, and what is done with it."""

from __future__ import annotations

from datetime import time
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.person_settings import read_zone
from bot.errors import UserMistake
from bot.listeners import forms
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.workflows.own_settings import change_settings, settings_of


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("my_settings", _open)
    desk.handles("settings_form", _submitted)
    app.action("my_settings")(on_click(desk, "my_settings"))


async def _open(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    facts = {
        "own": await settings_of(desk.office, person),
        "channel": payload["channel"],
        "projects": list(desk.office.projects.values()),
    }
    await forms.open_for(desk, payload, "your settings", desk.office.render.message("views/settings", facts))


def check(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the form says. Raises FormMistakes."""
    quiet = [forms.element_in(view, name).get("selected_time") or None for name in ("quiet_from", "quiet_to")]
    try:
        zone = read_zone(forms.text_in(view, "zone"))
    except UserMistake as mistake:
        raise forms.FormMistakes({"zone": str(mistake)}) from None
    if (quiet[0] is None) != (quiet[1] is None):
        missing = "quiet_to" if quiet[1] is None else "quiet_from"
        raise forms.FormMistakes({missing: "Give both times, or neither: then the project's quiet hours hold."})
    return {
        "channel": view.get("private_metadata") or "",
        "zone": zone,
        "quiet": quiet,
        "digest": forms.chosen(forms.element_in(view, "digest")) != "single",
        "notify": "thread" if forms.chosen(forms.element_in(view, "notify")) == "thread" else "dm",
    }


async def _submitted(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    start, end = (time.fromisoformat(each) if each else None for each in payload["quiet"])
    settings = await change_settings(
        desk.office, person, zone=payload["zone"], quiet=(start, end), digest=payload["digest"],
        notify=payload["notify"],
    )  # fmt: skip
    await desk.answer(payload, "replies/settings_kept", own=settings)
