"""`/orch plan`, `/orch sprint`, and assignments in JSON: by command, by mention, by direct message (R-MSG)."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.domain import command_kinds as kinds
from bot.domain.approvals import Person
from bot.domain.help import NAMES
from bot.domain.message_reading import looks_like_assignment, parse_assignment
from bot.domain.sprint import Leftover
from bot.errors import UserMistake
from bot.listeners import plan_sights
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.workflows import planning
from bot.workflows.plan_intake import create_assigned

_CLOSINGS: dict[str, Leftover | None] = {"sprint_carry": "carry", "sprint_cancel": "cancel", "sprint_keep": None}


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("sprint", _click)
    for action_id in _CLOSINGS:
        app.action(action_id)(on_click(desk, "sprint"))


async def plan(desk: Desk, payload: Payload, person: Person, command: kinds.Plan) -> None:
    """Load a plan, or show it. Raises UserMistake."""
    project = desk.meant(payload)
    if command.action == "show":
        await desk.answer(payload, "replies/plan", **await plan_sights.plan(desk.office, project))
        return
    taken = await planning.load_plan(desk.office, project, command.name or "", person)
    await desk.answer(payload, "replies/plan_loaded", project=project.key, **taken._asdict())


async def sprint(desk: Desk, payload: Payload, person: Person, command: kinds.Sprint) -> None:
    """Start, close or show a sprint. Raises UserMistake."""
    project = desk.meant(payload)
    number = command.number if command.number is not None else -1
    match command.action:
        case "show":
            facts = await plan_sights.sprint(desk.office, project, command.number)
            await desk.answer(payload, "replies/sprint", **facts)
        case "start":
            started = await planning.start_sprint(desk.office, project, number, person)
            await desk.answer(payload, "replies/sprint_started", number=number, **started._asdict())
        case "close":
            closing = await planning.close_sprint(desk.office, project, number, person)
            await desk.answer(
                payload, "replies/sprint_closing", project=project.key, leftover=None, **closing._asdict()
            )


async def _click(desk: Desk, payload: Payload) -> None:
    """What becomes of the unfinished tasks was clicked. Raises UserMistake."""
    person = await desk.person(payload)
    key, _, number = payload["value"].partition("|")
    if not number.isdigit():
        raise UserMistake("That button is from a message I no longer understand.", "/orch sprint close N")
    leftover = _CLOSINGS[payload["action"]]
    if leftover is None:
        await desk.answer(payload, "replies/sprint_kept", replace=True, number=int(number))
        return
    project = desk.office.projects[key]
    closing = await planning.close_sprint(desk.office, project, int(number), person, leftover)
    await desk.answer(
        payload, "replies/sprint_closing", replace=True, project=key, leftover=leftover, **closing._asdict()
    )


async def assigned_in_json(desk: Desk, payload: Payload, person: Person) -> bool:
    """Make the task of an assignment in JSON, where the text is one; whether it was. Raises UserMistake."""
    text = _after_assign(payload["text"])
    if text is None or not looks_like_assignment(text):
        return False
    task = parse_assignment(text)
    project = desk.meant(payload)
    row, notes = await create_assigned(desk.office, project, task, person, delivery_key=payload["key"])
    await desk.answer(payload, "replies/assigned", row=row, route=row.route, notes=notes)
    return True


def _after_assign(typed: str) -> str | None:
    """What may be an assignment in JSON: after `assign` only where it begins so, since a task's words may mention some
    JSON; nothing after other commands."""
    words = typed.removeprefix("/orch").split(maxsplit=1)
    first = words[0].lower().rstrip(":,") if words else ""
    if first != "assign":
        return None if first in NAMES else typed
    rest = words[1] if len(words) > 1 else ""
    return rest if rest.lstrip("` \n").removeprefix("json").lstrip().startswith("{") else None
