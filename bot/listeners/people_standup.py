"""The stand-up of people: the button of its direct message, and its form."""

from __future__ import annotations

from datetime import date
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.people_standup import Answer
from bot.domain.project import Project
from bot.errors import UserMistake
from bot.listeners import forms
from bot.listeners.deliveries import on_click, on_submit
from bot.listeners.desk import Desk, Payload
from bot.workflows import people_standup

FIELDS = ("done", "next", "blocked")


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("standup_open", _open)
    desk.handles("standup_form", _submitted)
    app.action("standup_answer")(on_click(desk, "standup_open"))
    app.view("standup_form")(on_submit(desk, _read))


async def _open(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    project, day = _meant(desk, payload["value"])
    board, said = await people_standup.form_facts(desk.office, project, day, person)
    facts = {"value": payload["value"], "channel": payload["channel"], "project": project, "board": board, "said": said}
    view = desk.office.words_of(project.key).message("views/standup", facts)
    await forms.open_for(desk, payload, "the stand-up", view)


def _read(_: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the form says. Raises FormMistakes."""
    said = {name: forms.text_in(view, name) for name in FIELDS}
    task = forms.chosen(forms.element_in(view, "task"))
    if task and not said["blocked"]:
        raise forms.FormMistakes({"blocked": f"Say what {task} waits for, or choose no task."})
    if not any(said.values()):
        raise forms.FormMistakes({"done": "Say something, or close this form: nobody has to answer."})
    return {**forms.opened_with(view), "said": {**said, "task": task}}


async def _submitted(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    project, day = _meant(desk, payload["value"])
    said = Answer.model_validate(payload["said"])
    kept = await people_standup.answer(desk.office, project, day, person, said)
    await desk.answer(payload, "replies/standup_kept", project=project, said=said, **kept._asdict())


def _meant(desk: Desk, value: str) -> tuple[Project, date]:
    """The project and the day of a button. Raises UserMistake."""
    key, _, day = value.partition("|")
    project = desk.office.projects[key]
    if not project.people_standup:
        raise UserMistake(f"{key} has no stand-up of people any more, so nothing was kept.")
    return project, date.fromisoformat(day)
