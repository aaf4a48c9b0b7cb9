"""A quote before anything is paid: model, why, cost, conflicts, place in the queue; start it, change it, or drop it.

A quote keeps nothing of its own: what was asked for stands in the inbox row that caused it, whose key is the block id
of its buttons. Starting it makes the task of that delivery, so that a second click finds the task it made.
"""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain import command_kinds as kinds
from bot.domain.assign import AssignRequest
from bot.domain.commands import parse
from bot.domain.project import Project
from bot.domain.task import Rung
from bot.errors import UserMistake
from bot.listeners import forms, sights
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.store import inbox
from bot.workflows import intake


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("quote", _click)

    def asked(_: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
        model = forms.chosen(action) or action.get("value") or ""
        return {"asked": action.get("block_id") or "", "model": model}

    for action_id in ("quote_start", "quote_model", "quote_cancel"):
        app.action(action_id)(on_click(desk, "quote", asked))


async def show(
    desk: Desk, payload: Payload, project: Project, request: AssignRequest, key: str, *, replace: bool = False
) -> None:
    """Show the quote for a request that the delivery `key` holds. Raises UserMistake."""
    facts = await sights.quote(desk.office, project, request)
    await desk.answer(payload, "replies/quote", replace=replace, key=key, rungs=[r.value for r in Rung], **facts)


async def _click(desk: Desk, payload: Payload) -> None:
    """Do what was clicked on a quote. Raises UserMistake."""
    person = await desk.person(payload)
    project, asked = await _asked_for(desk, payload)
    request = asked.model_copy(update={"dry_run": False})
    if payload["model"]:
        request = request.model_copy(update={"model": Rung(payload["model"])})
    match payload["action"]:
        case "quote_start":
            row = await intake.create_task(desk.office, project, request, person, delivery_key=payload["asked"])
            await desk.answer(payload, "replies/assigned", replace=True, row=row, route=row.route)
        case "quote_model":
            await show(desk, payload, project, request, payload["asked"], replace=True)
        case _:
            await desk.answer(payload, "replies/quote_dropped", replace=True)


async def _asked_for(desk: Desk, payload: Payload) -> tuple[Project, AssignRequest]:
    """What the quote's own delivery asked for, if this person asked it. Raises UserMistake."""
    async with desk.office.db.read() as session:
        row = await inbox.find(session, payload["asked"])
    if row is None or row.payload.get("user") != payload["user"]:
        raise UserMistake("I no longer know what this quote was for. Please ask again with `--dry-run`.")
    if "request" in row.payload:
        return desk.office.projects[row.payload["project"]], AssignRequest.model_validate(row.payload["request"])
    asked = desk.typed(row.payload)
    command = parse(asked["text"])
    if not isinstance(command, kinds.Assign):
        raise UserMistake("I no longer know what this quote was for. Please ask again with `--dry-run`.")
    return desk.meant(asked), command.request
