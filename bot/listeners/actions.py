"""Clicks on a task's card and on its alerts. What a click may do is asked anew each time; a button's value only names
the task and the commit that the person saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain import card
from bot.domain.task import Rung
from bot.errors import UserMistake
from bot.listeners import forms, home, manual, moves
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.workflows import people, split
from bot.workflows.acknowledge import acknowledge
from bot.workflows.deeds import Deed, may_open
from bot.workflows.moves import take_over
from bot.workflows.office import Office

Clicked = Callable[[Desk, Payload, Deed, str], Awaitable[None]]


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("action", run_action)
    for action_id in _CLICKS:
        app.action(action_id)(on_click(desk, "action", _page_of_home))


def _page_of_home(body: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """Where it was clicked on somebody's Home: the page."""
    return {"home": home.page_of(body.get("view") or {})}


async def run_action(desk: Desk, payload: Payload) -> None:
    """Do what was clicked; a Home that was clicked on then shows how things are. Raises UserMistake."""
    deed, head = await deed_of(desk, payload)
    try:
        await _CLICKS[payload["action"]](desk, payload, deed, head)
    finally:
        if payload.get("home") is not None:
            await home.publish(desk, deed.person.id, payload["home"])


async def deed_of(desk: Desk, payload: Payload) -> tuple[Deed, str]:
    """Who clicked or sent a form about which task, and the third thing that the button's value names: the head commit,
    a split's call, or "". Raises UserMistake."""
    person = await desk.person(payload)
    parts = payload["value"].split("|")
    if len(parts) != 3 or not all(parts[:2]):
        raise UserMistake("That button is from a message I no longer understand. `/orch list` shows your tasks.")
    return Deed(parts[0], parts[1], person), parts[2]


async def _approve(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    to_tick = await people.checklist(desk.office, deed, head)
    if to_tick:
        await forms.open_for(desk, payload, deed.task_id, forms.checklist_form(desk.office, payload, *to_tick))
        return
    await people.approve(desk.office, deed, head)


async def _ask_reason(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    button = card.REJECT if payload["action"] == card.REJECT.action else card.REQUEST_CHANGES
    await may_open(desk.office, deed, button, head)
    await forms.open_for(desk, payload, deed.task_id, forms.reason_form(desk.office, payload))


def _does(what: Callable[[Office, Deed], Awaitable[object]]) -> Clicked:
    """What a click does to its task alone."""

    async def do(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
        await what(desk.office, deed)

    return do


_CLICKS: dict[str, Clicked] = {
    card.APPROVE.action: _approve,
    card.REQUEST_CHANGES.action: _ask_reason,
    card.REJECT.action: _ask_reason,
    card.RETRY.action: _does(people.retry),
    card.STOP.action: _does(people.cancel),
    card.TO_SONNET.action: _does(partial(people.escalate, rung=Rung.SONNET)),
    card.TO_OPUS.action: _does(partial(people.escalate, rung=Rung.OPUS)),
    card.RUN_NOW.action: _does(people.run_now),
    card.MARK_DONE.action: manual.on_done,
    card.CANNOT_GO_ON.action: manual.on_blocked,
    card.HAND_OVER.action: manual.on_hand_over,
    card.ACKNOWLEDGE.action: _does(acknowledge),
    card.SPLIT.action: _does(split.ask),
    card.TAKE_OVER.action: _does(take_over),
    card.REASSIGN.action: moves.on_reassign,
    "split_accept": moves.on_split_accept,
    "split_edit": moves.on_split_edit,
    "split_refuse": moves.on_split_refuse,
}
