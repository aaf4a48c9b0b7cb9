"""`/orch budget ...`, and the buttons of a budget alert. A button's value names project, limit and period."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple, get_args

from slack_bolt.async_app import AsyncApp

from bot.domain import command_kinds as kinds
from bot.domain import command_values as values
from bot.domain.approvals import Person
from bot.domain.budget import LimitName
from bot.domain.command_values import TaskRef
from bot.domain.limit_orders import MOST_DOLLARS, MOST_RAISED, raise_order
from bot.domain.project import Project
from bot.errors import UserMistake
from bot.listeners import forms
from bot.listeners.budget_sight import Of, of_task
from bot.listeners.budget_sight import budget as seen
from bot.listeners.deliveries import on_click, on_submit
from bot.listeners.desk import Desk, Payload
from bot.workflows import budget_chart, budget_orders
from bot.workflows.budget_orders import More
from bot.workflows.corrections import correct, correct_all
from bot.workflows.deeds import Deed
from bot.workflows.planning import need_lead

OLD = "That button is from a message I no longer understand. `/orch budget` shows where the limits stand."
#: Buttons of the private answer, which anybody may click.
LOOKS = ("budget_show", "budget_chart")


class Meant(NamedTuple):
    """The limit that a button is about; `sprint`: the number of an alert about a sprint."""

    project: Project
    limit: LimitName
    sprint: int | None


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("budget", _click)
    desk.handles("budget_look", _look)
    desk.handles("budget_form", _submitted)
    for action_id in ("budget_raise", "budget_defer", "budget_downgrade"):
        app.action(action_id)(on_click(desk, "budget"))
    for action_id in LOOKS:
        app.action(action_id)(on_click(desk, "budget_look"))
    app.view("budget_form")(on_submit(desk, _check))


async def budget(desk: Desk, payload: Payload, person: Person, command: kinds.Budget) -> None:
    """Show the limits, raise or reset one, or correct a call. Raises UserMistake."""
    office = desk.office
    match command:
        case kinds.Budget(action="raise", limit=TaskRef() as ref, tokens=int(tokens)):
            deed = Deed(desk.project(payload["channel"], ref.project).key, ref.id, person)
            now = await budget_orders.raise_task(office, deed, tokens, delivery_key=payload["key"])
            await desk.answer(payload, "replies/budget_of_task", task_id=ref.id, change=tokens, now=now)
        case kinds.Budget(action="reset", limit=TaskRef() as ref):
            deed = Deed(desk.project(payload["channel"], ref.project).key, ref.id, person)
            back, now = await budget_orders.reset_task(office, deed)
            await desk.answer(payload, "replies/budget_of_task", task_id=ref.id, change=-back, now=now)
        case kinds.Budget(action="raise", limit=str() as limit):
            meant = Meant(desk.meant(payload), limit, None)
            more = More(command.tokens or 0, command.microusd or 0)
            await _raise(desk, payload, person, meant, more, command.until)
        case kinds.Budget(action="task", limit=TaskRef() as ref):
            project = desk.project(payload["channel"], ref.project)
            await desk.answer(payload, "replies/budget_task", **await of_task(office, project.key, ref.id))
        case kinds.Budget(action="reset"):
            project = desk.meant(payload)
            which = command.limit if isinstance(command.limit, str) else None
            ended = await budget_orders.reset(office, project, person, which)
            await desk.answer(payload, "replies/budget_reset", project=project.key, limit=which, ended=ended)
        case kinds.Budget(action="correct", call=str() as call_id, tokens=int(tokens)):
            project = desk.project("", call_id.partition("/")[0])
            call = await correct(office, project, person, call_id, tokens)
            await desk.answer(payload, "replies/call_corrected", call=call)
        case kinds.Budget(action="correct", limit=str() as limit, tokens=int(tokens)):
            done = await correct_all(office, desk.meant(payload), person, limit, tokens)
            await desk.answer(payload, "replies/calls_corrected", tokens=tokens, **done._asdict())
        case kinds.Budget(action="chart"):
            await _chart(desk, payload, desk.meant(payload))
        case _:
            of: Of = "sprint" if command.action == "sprint" else "day"
            await desk.answer(payload, "replies/budget", **await seen(office, desk.meant(payload), of))


async def _chart(desk: Desk, payload: Payload, project: Project) -> None:
    """Post the pictures where they were asked for: in the project's channel, else as a direct message, since Orch may
    be no member elsewhere."""
    here = payload["channel"] == project.channel
    place = project.channel if here else payload["user"]
    await budget_chart.want(desk.office, project, payload["user"], place, delivery_key=payload["key"])
    await desk.answer(payload, "replies/budget_chart", channel=project.channel if here else None)


async def _look(desk: Desk, payload: Payload) -> None:
    """Turn the private answer over, or draw it. Raises UserMistake."""
    await desk.person(payload)
    key, _, what = payload["value"].partition("|")
    project = desk.office.projects[key]
    if payload["action"] == "budget_chart":
        await _chart(desk, payload, project)
        return
    of: Of = "sprint" if what == "sprint" else "day"
    await desk.answer(payload, "replies/budget", replace=True, **await seen(desk.office, project, of))


async def _raise(
    desk: Desk, payload: Payload, person: Person, meant: Meant, more: More, until: date | None
) -> None:  # fmt: skip
    done = await budget_orders.raise_limit(
        desk.office, meant.project, person, meant.limit, more, until, delivery_key=payload["key"], sprint=meant.sprint
    )
    await desk.answer(payload, "replies/budget_raised", **done._asdict())


async def _click(desk: Desk, payload: Payload) -> None:
    """Do what was clicked on an alert. Raises UserMistake."""
    person = await desk.person(payload)
    meant = _meant(desk, payload["value"])
    need_lead(meant.project, person)
    match payload["action"]:
        case "budget_raise":
            facts = {"value": payload["value"], "channel": payload["channel"], "limit": meant.limit}
            dollars = await budget_orders.dollars_now(desk.office, meant.project, meant.limit, meant.sprint)
            view = desk.office.render.message("views/budget_raise", {**facts, "dollars": dollars})
            await forms.open_for(desk, payload, "the budget", view)
        case "budget_defer":
            await budget_orders.defer(
                desk.office, meant.project, person, meant.limit, delivery_key=payload["key"], sprint=meant.sprint
            )
        case _:
            moved = await budget_orders.downgrade(desk.office, meant.project, person, meant.limit, sprint=meant.sprint)
            await desk.answer(payload, "replies/budget_downgraded", limit=meant.limit, **moved._asdict())


def _meant(desk: Desk, value: str) -> Meant:
    """What a button's value names, if its period is not over. Raises UserMistake."""
    key, _, rest = value.partition("|")
    limit, _, period = rest.partition("|")
    if limit not in get_args(LimitName) or key not in desk.office.projects:
        raise UserMistake(OLD)
    project = desk.office.projects[key]
    if limit == "sprint":
        if not period.isdigit():
            raise UserMistake(OLD)
        return Meant(project, "sprint", int(period))
    today = project.day(desk.office.now()).isoformat()
    if period != today:
        raise UserMistake(
            f"That alert is about {period}, which is over; the limits of {today} are new. Nothing was changed.",
            "/orch budget",
        )
    return Meant(project, limit, None)  # type: ignore[arg-type]


def _check(desk: Desk, view: dict[str, Any]) -> dict[str, Any]:
    """What the form says. Raises FormMistakes."""
    opened = forms.opened_with(view)
    tokens = _typed(view, "tokens", lambda word: values.tokens(word.lstrip("+ "), most=MOST_RAISED))
    microusd = _typed(view, "dollars", lambda word: values.dollars(f"${word.lstrip('+$ ')}", MOST_DOLLARS))
    if not tokens and not microusd:
        raise forms.FormMistakes({"tokens": "Say how much to add."})
    if tokens and microusd:
        raise forms.FormMistakes({"dollars": "One at a time: tokens or dollars."})
    until = forms.element_in(view, "until").get("selected_date")
    try:
        meant = _meant(desk, opened["value"])
        today = meant.project.day(desk.office.now())
        last = date.fromisoformat(until) if until else None
        raise_order(meant.limit, tokens, last, today=today, sprint=meant.sprint or 0, who="", microusd=microusd)
    except UserMistake as mistake:
        raise forms.FormMistakes({"until": str(mistake)}) from None
    return {**opened, "tokens": tokens, "microusd": microusd, "until": until}


def _typed(view: dict[str, Any], field: str, read: Callable[[str], int]) -> int:
    """What a field of the form says; 0 where it says nothing. Raises FormMistakes."""
    word = forms.text_in(view, field)
    try:
        return read(word) if word else 0
    except UserMistake as mistake:
        raise forms.FormMistakes({field: str(mistake)}) from None


async def _submitted(desk: Desk, payload: Payload) -> None:
    person = await desk.person(payload)
    until = date.fromisoformat(payload["until"]) if payload["until"] else None
    more = More(payload["tokens"], payload.get("microusd", 0))
    await _raise(desk, payload, person, _meant(desk, payload["value"]), more, until)
