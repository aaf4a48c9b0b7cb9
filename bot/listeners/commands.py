"""`/orch ...`, and the same words by @mention and DM: one function a command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain import command_kinds as kinds
from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.command_values import TaskRef
from bot.domain.commands import parse
from bot.domain.help import ASSIGN_OPTIONS, BY_NAME, ENTRIES
from bot.errors import UserMistake
from bot.listeners import budgets, forms, lists, moves, plans, quotes, reports, schedules, sights
from bot.listeners.desk import Desk, Payload, delivery_key
from bot.workflows import intake, manual, people
from bot.workflows.deeds import Deed
from bot.workflows.leave import leave_of, set_leave
from bot.workflows.moves import take_over, unblock


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("command", run_command)

    @app.command("/orch")
    async def on_command(ack: Callable[..., Awaitable[Any]], body: dict[str, Any]) -> None:
        payload = {
            "user": body["user_id"],
            "channel": body.get("channel_id", ""),
            "text": body.get("text") or "",
            "trigger_id": body.get("trigger_id"),
            "response_url": body.get("response_url"),
        }
        await desk.receive(delivery_key("command", body.get("trigger_id"), body=body), "command", payload, ack)


async def run_command(desk: Desk, payload: Payload) -> None:
    """Parse and run what a person typed. Raises UserMistake."""
    person = await desk.person(payload)
    payload = desk.typed(payload)
    if await plans.assigned_in_json(desk, payload, person):
        return
    command = parse(payload["text"])
    match command:
        case kinds.Help(topic=topic):
            await _help(desk, payload, topic)
        case kinds.Assign(request=request):
            await assign(desk, payload, person, request)
        case kinds.List():
            await lists.show(desk, payload, person, desk.meant(payload).key, command)
        case kinds.Status(task=None):
            facts = await sights.overview(desk.office, desk.meant(payload))
            await desk.answer(payload, "replies/overview", **facts)
        case kinds.Plan():
            await plans.plan(desk, payload, person, command)
        case kinds.Sprint():
            await plans.sprint(desk, payload, person, command)
        case kinds.Schedule():
            await schedules.schedule(desk, payload, person, command)
        case kinds.Budget():
            await budgets.budget(desk, payload, person, command)
        case kinds.Standup() | kinds.Report():
            await reports.post_now(desk, payload, command)
        case kinds.Metrics():
            await reports.show_metrics(desk, payload, command)
        case kinds.Away():
            await _away(desk, payload, person, command)
        case kinds.Incident():
            await moves.report_incident(desk, payload, person, command)
        case _:
            await _run_on_task(desk, payload, person, command)


async def _run_on_task(desk: Desk, payload: Payload, person: Person, command: kinds.Command) -> None:
    """What is about one task."""
    match command:
        case kinds.Status(task=TaskRef() as ref):
            await desk.answer(
                payload, "replies/status", **await sights.status(desk.office, *_named(desk, payload, ref))
            )
        case kinds.Why(task=ref):
            await desk.answer(payload, "replies/why", **await sights.why(desk.office, *_named(desk, payload, ref)))
        case kinds.Block(task=ref, reason=reason):
            await moves.block(desk, payload, _deed(desk, payload, person, ref), reason)
        case kinds.Reassign(task=ref, rung=rung, user=user):
            await moves.reassign(desk, payload, _deed(desk, payload, person, ref), rung, user)
        case kinds.Done(task=ref, seen=seen):
            await manual.mark_done(desk.office, _deed(desk, payload, person, ref), seen)
            await desk.answer(payload, "replies/did", task_id=ref.id, done="done", whose="")
        case _:
            await _do(desk, payload, person, command)


async def assign(desk: Desk, payload: Payload, person: Person, request: AssignRequest) -> None:
    """Create the task, show the quote (`--dry-run`), or open the form where there is no text."""
    office = desk.office
    if not request.text:
        if not payload.get("trigger_id"):
            raise UserMistake("Tell me what to do.", BY_NAME["assign"].form)
        await office.chat.open_view(payload["trigger_id"], forms.assign_form(office, payload["channel"], request))
        return
    project = desk.meant(payload)
    if request.dry_run:
        await quotes.show(desk, payload, project, request, payload["key"])
        return
    row = await intake.create_task(office, project, request, person, delivery_key=payload["key"])
    await desk.answer(payload, "replies/assigned", row=row, route=row.route)


async def _help(desk: Desk, payload: Payload, topic: str | None) -> None:
    if topic is None:
        await desk.answer(payload, "replies/help", entries=ENTRIES)
        return
    entries = [entry for entry in ENTRIES if topic in (entry.name, entry.name.split()[0])]
    options = ASSIGN_OPTIONS if topic == "assign" else ()
    await desk.answer(payload, "replies/help_topic", topic=topic, entries=entries, options=options)


async def _away(desk: Desk, payload: Payload, person: Person, command: kinds.Away) -> None:
    fresh = command.back or command.until is not None
    if fresh:
        leave = await set_leave(desk.office, person, command.until)
    else:
        leave = await leave_of(desk.office, person)
    await desk.answer(payload, "replies/away", leave=leave, fresh=fresh)


def _named(desk: Desk, payload: Payload, ref: TaskRef) -> tuple[str, str]:
    return desk.meant(payload, ref.project).key, ref.id


def _deed(desk: Desk, payload: Payload, person: Person, ref: TaskRef) -> Deed:
    return Deed(*_named(desk, payload, ref), person)


#: Commands that do one thing to one task: what, and what it is afterwards.
ON_TASK: dict[type[Any], tuple[Callable[[Any, Deed], Awaitable[None]], str]] = {
    kinds.Cancel: (people.cancel, "stopped"),
    kinds.Retry: (people.retry, "queued again"),
    kinds.Unblock: (unblock, "queued again"),
    kinds.Takeover: (take_over, "yours now; I wrote to you what to see to"),
}


async def _do(desk: Desk, payload: Payload, person: Person, command: Any) -> None:
    what, done = ON_TASK[type(command)]
    deed = _deed(desk, payload, person, command.task)
    await what(desk.office, deed)
    await desk.answer(payload, "replies/did", task_id=deed.task_id, done=done, whose="")
