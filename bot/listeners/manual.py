"""Clicks on manual work, and their forms: done with what was seen, blocked with a reason, handed over to a person."""

from __future__ import annotations

from typing import Any

from bot.domain import card
from bot.listeners import forms, moves
from bot.listeners.desk import Desk, Payload
from bot.workflows import manual
from bot.workflows.deeds import Deed, may_open


async def on_done(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await _ask(desk, payload, deed, card.MARK_DONE, "views/done")


async def on_blocked(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await _ask(desk, payload, deed, card.CANNOT_GO_ON, "views/blocked")


async def on_hand_over(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await _ask(desk, payload, deed, card.HAND_OVER, "views/hand_over")


async def _ask(desk: Desk, payload: Payload, deed: Deed, button: card.Button, form: str) -> None:
    """Open a form for who may submit it. Raises UserMistake."""
    row = await may_open(desk.office, deed, button)
    facts = {"value": payload["value"], "channel": payload["channel"], "row": row}
    await forms.open_for(desk, payload, deed.task_id, desk.office.render.message(form, facts))


def check_seen(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the form of `Mark done` says. Raises FormMistakes."""
    return _said(view, "seen", "Say what you saw, in a sentence: it is kept with the task.")


def check_blocked(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the form of `Blocked` says. Raises FormMistakes."""
    return _said(view, "blocked", "Say what it waits for, in a sentence.")


def check_hand_over(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """Whom the form of `Hand over` names. Raises FormMistakes."""
    person = forms.element_in(view, "person").get("selected_user")
    if not person:
        raise forms.FormMistakes({"person": "Choose who does it from now on."})
    return {**forms.opened_with(view), "to": person}


async def done_submitted(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await manual.mark_done(desk.office, deed, payload["said"])


async def blocked_submitted(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await moves.block(desk, payload, deed, payload["said"])


async def hand_over_submitted(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await moves.reassign(desk, payload, deed, None, payload["to"])


def _said(view: dict[str, Any], field: str, missing: str) -> dict[str, Any]:
    said = forms.text_in(view, field)
    if not said:
        raise forms.FormMistakes({field: missing})
    return {**forms.opened_with(view), "said": said}
