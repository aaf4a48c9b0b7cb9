"""Clicks on a task's card and on its alerts. What a click may do is asked anew each time; a button's value only names
the task and the commit that the person saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain import card
from bot.domain.task import Rung
from bot.errors import UserMistake
from bot.listeners import forms, home, manual, moves
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.workflows import people
from bot.workflows.acknowledge import acknowledge
from bot.workflows.deeds import Deed, may_open


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("action", run_action)
    for action_id in _CLICKS:
        app.action(action_id)(on_click(desk, "action", _page_of_home))


def _page_of_home(body: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """Where it was clicked on somebody's Home: the page."""
    return {"home": home.page_of(body.get("view") or {})}


async def run_action(desk: Desk, payload: Payload) -> None:
    """Do what was clicked; a Home that was clicked on then shows how things are. Raises UserMistake."""
    person = await desk.person(payload)
    project, task_id, head = named_in(payload["value"])
    try:
        await _CLICKS[payload["action"]](desk, payload, Deed(project, task_id, person), head)
    finally:
        if payload.get("home") is not None:
            await home.publish(desk, person.id, payload["home"])


def named_in(value: str) -> tuple[str, str, str]:
    """(project, task id, head commit or "") of a button's value or a form's private metadata. Raises UserMistake."""
    parts = value.split("|")
    if len(parts) != 3 or not all(parts[:2]):
        raise UserMistake("That button is from a message I no longer understand. `/orch list` shows your tasks.")
    return parts[0], parts[1], parts[2]


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


async def _retry(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.retry(desk.office, deed)


async def _stop(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.cancel(desk.office, deed)


async def _to_sonnet(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.escalate(desk.office, deed, Rung.SONNET)


async def _to_opus(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.escalate(desk.office, deed, Rung.OPUS)


async def _run_now(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.run_now(desk.office, deed)


async def _acknowledge(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await acknowledge(desk.office, deed)


_CLICKS: dict[str, Callable[[Desk, Payload, Deed, str], Awaitable[None]]] = {
    card.APPROVE.action: _approve,
    card.REQUEST_CHANGES.action: _ask_reason,
    card.REJECT.action: _ask_reason,
    card.RETRY.action: _retry,
    card.STOP.action: _stop,
    card.TO_SONNET.action: _to_sonnet,
    card.TO_OPUS.action: _to_opus,
    card.RUN_NOW.action: _run_now,
    card.MARK_DONE.action: manual.on_done,
    card.CANNOT_GO_ON.action: manual.on_blocked,
    card.HAND_OVER.action: manual.on_hand_over,
    card.ACKNOWLEDGE.action: _acknowledge,
    card.SPLIT.action: moves.on_split,
    card.TAKE_OVER.action: moves.on_take_over,
    card.REASSIGN.action: moves.on_reassign,
    "split_accept": moves.on_split_accept,
    "split_edit": moves.on_split_edit,
    "split_refuse": moves.on_split_refuse,
}
