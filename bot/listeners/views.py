"""Submitted modals. A mistake is shown beside its field and the form stays open, so that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.assign import AssignRequest
from bot.errors import UserMistake
from bot.listeners import forms, home, manual, moves, own_settings, quotes
from bot.listeners.actions import Clicked, deed_of
from bot.listeners.deliveries import Ack, on_submit
from bot.listeners.desk import Desk, Payload
from bot.workflows import intake, people
from bot.workflows.deeds import Deed


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("assign_form", _assign)
    app.view("assign_form")(_listener(desk, _check_assign))
    for kind, (check, submitted) in _ABOUT_TASKS.items():
        desk.handles(kind, _on_task(submitted))
        app.view(kind)(_listener(desk, check))
    app.view("settings_form")(_listener(desk, own_settings.check))


def _listener(desk: Desk, check: Callable[[Desk, dict[str, Any]], dict[str, Any]]) -> Callable[..., Awaitable[None]]:
    listen = on_submit(desk, check)

    async def listen_and_show(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        received = await listen(ack, body, view)
        if received and (view.get("private_metadata") or "").rpartition("#")[2] == "":  # opened from no channel: Home
            await home.publish(desk, body["user"]["id"])

    return listen_and_show


def _check_assign(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    request, key = forms.read_assign(view["state"]["values"])
    channel = view.get("private_metadata") or ""
    try:
        project = desk.project(channel, key)
        intake.route_request(desk.office, project, request)
    except UserMistake as mistake:
        raise forms.FormMistakes({"text": str(mistake)}) from None
    try:
        intake.deadline_of(project, request, desk.office.now())
    except UserMistake as mistake:
        raise forms.FormMistakes({"deadline": str(mistake)}) from None
    return {"channel": channel or project.channel, "project": project.key, "request": request.model_dump(mode="json")}


def _check_reason(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    reason = forms.text_in(view, "reason")
    if not reason:
        raise forms.FormMistakes({"reason": "Say what should change, in a sentence: the next attempt reads it."})
    opened = forms.opened_with(view)
    action, value = opened["value"].split("#", 1)
    return {**opened, "value": value, "reject": action == "reject", "reason": reason}


def _check_ticks(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    boxes = {b["block_id"]: b["element"]["options"] for b in view["blocks"] if b["type"] == "input"}
    ticked = {block: len(forms.element_in(view, block).get("selected_options") or ()) for block in boxes}
    unticked = [block for block, options in boxes.items() if ticked[block] < len(options)]
    if unticked:
        raise forms.FormMistakes(dict.fromkeys(unticked, "Tick every line, or close this form and request changes."))
    return {**forms.opened_with(view), "ticked": sum(ticked.values())}


async def _assign(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    project = desk.office.projects[payload["project"]]
    request = AssignRequest.model_validate(payload["request"])
    if request.dry_run:
        await quotes.show(desk, payload, project, request, payload["key"])
        return
    row = await intake.create_task(desk.office, project, request, person, delivery_key=payload["key"])
    await desk.answer(payload, "replies/assigned", row=row, route=row.route)


async def _send_back(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await (people.reject if payload["reject"] else people.request_changes)(desk.office, deed, head, payload["reason"])


async def _approve(desk: Desk, payload: Payload, deed: Deed, head: str) -> None:
    await people.approve(desk.office, deed, head, ticked=payload["ticked"])


def _on_task(submitted: Clicked) -> Callable[[Desk, Payload], Awaitable[None]]:
    async def work(desk: Desk, payload: Payload) -> None:
        await submitted(desk, payload, *await deed_of(desk, payload))

    return work


#: The forms about one task: how each is read, and what is done with it.
_ABOUT_TASKS: dict[str, tuple[Callable[[Desk, dict[str, Any]], dict[str, Any]], Clicked]] = {
    "reason_form": (_check_reason, _send_back),
    "checklist_form": (_check_ticks, _approve),
    "reassign_form": (moves.check_reassign, moves.reassign_submitted),
    "split_form": (moves.check_split, moves.split_submitted),
    "done_form": (manual.check_seen, manual.done_submitted),
    "blocked_form": (manual.check_blocked, manual.blocked_submitted),
    "hand_over_form": (manual.check_hand_over, manual.hand_over_submitted),
}
