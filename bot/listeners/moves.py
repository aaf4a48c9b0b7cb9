"""Who works on a task, by command, click and form: reassign, split, block, and an incident. Forms are read here too."""

from __future__ import annotations

from typing import Any

from bot.domain import card
from bot.domain import command_kinds as kinds
from bot.domain.approvals import Person
from bot.domain.splitting import MOST, parse_form
from bot.domain.task import Rung
from bot.errors import UserMistake
from bot.listeners import forms
from bot.listeners.desk import Desk, Payload
from bot.workflows import incident, intake, moves, split
from bot.workflows.deeds import Deed, may_open


async def reassign(desk: Desk, payload: Payload, deed: Deed, rung: Rung | None, user: str | None) -> None:
    """`/orch reassign`, or its form. Raises UserMistake."""
    if rung is not None:
        await moves.move(desk.office, deed, rung)
        done = "with its owner" if rung is Rung.MANUAL else f"queued for {rung}"
    else:
        await moves.hand_to(desk.office, deed, await intake.able(desk.office, user or ""))
        done = ""
    await desk.answer(payload, "replies/did", task_id=deed.task_id, done=done, whose=user if rung is None else "")


async def block(desk: Desk, payload: Payload, deed: Deed, reason: str) -> None:
    await moves.stop_for(desk.office, deed, reason)
    await desk.answer(payload, "replies/did", task_id=deed.task_id, done="blocked", whose="")


async def report_incident(desk: Desk, payload: Payload, person: Person, command: kinds.Incident) -> None:
    project = desk.meant(payload)
    fix, by_hand = await incident.report_incident(
        desk.office, project, command.what, person, delivery_key=payload["key"]
    )
    told = incident.who_must_know(project)
    await desk.answer(payload, "replies/incident", fix=fix, by_hand=by_hand, people=told)


async def on_reassign(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await may_open(desk.office, deed, card.REASSIGN)
    view = desk.office.render.message(
        "views/reassign",
        {"value": payload["value"], "channel": payload["channel"], "rungs": [rung.value for rung in Rung]},
    )
    await forms.open_for(desk, payload, deed.task_id, view)


async def on_split_accept(desk: Desk, payload: Payload, deed: Deed, call_id: str) -> None:
    await split.accept(desk.office, deed, call_id)


async def on_split_refuse(desk: Desk, payload: Payload, deed: Deed, call_id: str) -> None:
    await split.refuse(desk.office, deed, call_id)


async def on_split_edit(desk: Desk, payload: Payload, deed: Deed, call_id: str) -> None:
    parts = await split.open_proposal(desk.office, deed, call_id)
    await forms.open_for(desk, payload, deed.task_id, forms.split_form(desk.office, payload, parts))


def check_reassign(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the reassign form says. Raises FormMistakes."""
    rung = forms.chosen(forms.element_in(view, "rung"))
    user = forms.element_in(view, "user").get("selected_user")
    if bool(rung) == bool(user):
        raise forms.FormMistakes({"rung": "Choose a model or a person: one of the two."})
    return {**forms.opened_with(view), "rung": rung, "to": user}


def check_split(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the split form says: each mistake stands beside its part. Raises FormMistakes."""
    shown = [number for number in range(1, MOST + 1) if f"part{number}" in view["state"]["values"]]
    fields = [forms.element_in(view, f"part{number}").get("value") or "" for number in shown]
    _, wrong = parse_form(fields)
    if wrong:
        raise forms.FormMistakes({f"part{shown[number - 1]}": text for number, text in wrong.items()})
    return {**forms.opened_with(view), "fields": fields}


async def reassign_submitted(desk: Desk, payload: Payload, deed: Deed, _: str) -> None:
    await reassign(desk, payload, deed, Rung(payload["rung"]) if payload["rung"] else None, payload["to"])


async def split_submitted(desk: Desk, payload: Payload, deed: Deed, call_id: str) -> None:
    parts, wrong = parse_form(payload["fields"])
    if wrong:
        raise UserMistake("; ".join(wrong.values()))
    await split.accept(desk.office, deed, call_id, parts)
