"""Replies in the threads of tasks: words that are obeyed, wishes for the next model call, and what is neither."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.domain import command_kinds as kinds
from bot.domain.assign import AssignRequest
from bot.domain.command_kinds import Command
from bot.domain.command_text import plain
from bot.domain.commands import parse
from bot.domain.thread_words import Order, Reply, Steer, change_of, read_reply, without_address
from bot.errors import UserMistake
from bot.listeners import forms, sights
from bot.listeners.commands import run_command
from bot.listeners.deliveries import on_click
from bot.listeners.desk import Desk, Payload
from bot.store.tables import TaskRow
from bot.workflows import manual, moves, people, steering
from bot.workflows.deeds import Deed
from bot.workflows.steering import Place

#: Commands that need no task's id where somebody mentions Orch in a thread: they mean that thread's task.
WITHOUT_ID = ("reassign", "takeover")


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("reply", run_reply)
    desk.handles("reply_changed", run_change)
    desk.handles("reply_new_task", _open_form)

    app.action("reply_new_task")(on_click(desk, "reply_new_task"))


async def run_reply(desk: Desk, payload: Payload) -> None:
    """Do what a reply means; nothing, where it is not for Orch. Raises UserMistake."""
    office, place = desk.office, Place(payload["channel"], payload["ts"], payload["thread_ts"])
    row = await desk.task_above(place.channel, place.thread_ts, payload["user"])
    if row is None:
        return
    person = await office.chat.person(payload["user"])
    named = f"<@{payload['bot']}" in payload["text"]
    meaning = _meaning(payload["text"], payload["bot"])
    if row.muted and not _to_orch(payload, meaning):
        return
    if person.barred:
        await steering.turn_away(office, row, person, place)
        return
    command = _command(payload, row) if named else None
    if command is not None:
        await run_command(desk, {**payload, "text": command})
        return
    deed = Deed(row.project, row.task_id, person)
    match meaning:
        case UserMistake():
            raise meaning
        case Order():
            await _obey(desk, payload, deed, meaning, place)
        case Steer():
            await steering.steer(office, deed, place, meaning)


async def run_change(desk: Desk, payload: Payload) -> None:
    """Do what a reply means now that its writer changed or deleted it. Raises UserMistake."""
    office, place = desk.office, Place(payload["channel"], payload["ts"], payload["thread_ts"])
    row = await desk.task_above(place.channel, place.thread_ts, payload["user"])
    if row is None:
        return
    person = await office.chat.person(payload["user"])
    meaning = _meaning(payload["text"], payload["bot"])
    if person.barred:
        return
    if isinstance(meaning, UserMistake):
        raise meaning
    if f"<@{payload['bot']}" in payload["text"] and _command(payload, row) is not None:
        return  # a whole command: it was run as it first stood
    before = _meaning(payload["before"], payload["bot"])
    change = change_of(None if isinstance(before, UserMistake) else before, meaning)
    if change is None:
        return
    deed = Deed(row.project, row.task_id, person)
    wish = change if isinstance(change, Steer) and (not row.muted or _to_orch(payload, change)) else None
    newest = await steering.correct(office, deed, place, wish, payload["key"])
    if newest and isinstance(change, Order):
        await _obey(desk, payload, deed, change, place)


def _to_orch(payload: Payload, meaning: Reply | UserMistake) -> bool:
    """Whether a reply is heard in a thread that is muted."""
    unmutes = isinstance(meaning, Order) and meaning.verb == "unmute"
    return f"<@{payload['bot']}" in payload["text"] or unmutes or payload["channel"].startswith("D")


def _meaning(text: str, bot: str) -> Reply | UserMistake:
    try:
        return read_reply(text, bot)
    except UserMistake as mistake:
        return mistake


def _command(payload: Payload, row: TaskRow) -> str | None:
    """A whole command that follows a mention of Orch: a new task, or one that names a task. Anything else in a thread
    is about its own task."""
    text = without_address(plain(payload["text"]), payload["bot"])
    first, _, rest = text.partition(" ")
    name = first.lower().strip(":,")
    for candidate in (text, f"{name} {row.project}:{row.task_id} {rest}" if name in WITHOUT_ID else ""):
        try:
            command: Command | None = parse(candidate) if candidate else None
        except UserMistake:
            continue
        if isinstance(command, kinds.Assign) and command.request.text:
            return candidate
        if command is not None and getattr(command, "task", None) is not None:
            return candidate
    return None


async def _obey(desk: Desk, payload: Payload, deed: Deed, order: Order, place: Place) -> None:
    office = desk.office
    match order.verb:
        case "why":
            await desk.answer(payload, "replies/why", **await sights.why(office, deed.project, deed.task_id))
            return
        case "status":
            await desk.answer(payload, "replies/status", **await sights.status(office, deed.project, deed.task_id))
            return
        case "help":
            row = (await sights.status(office, deed.project, deed.task_id))["row"]
            await desk.answer(payload, "replies/thread_help", row=row)
            return
        case "mute" | "unmute":
            await steering.set_muted(office, deed, place, order.verb == "mute")
            return
        case "stop":
            await people.cancel(office, deed)
        case "retry":
            await people.retry(office, deed)
        case "unblock":
            await moves.unblock(office, deed)
        case "blocked":
            await moves.stop_for(office, deed, order.said)
        case "done":
            await manual.mark_done(office, deed, order.said)
    await steering.obeyed(office, place)


async def _open_form(desk: Desk, payload: Payload) -> None:
    """What came too late for its own task can become a new one."""
    await desk.person(payload)
    view = forms.assign_form(desk.office, payload["channel"], AssignRequest(text=payload["value"]))
    await forms.open_for(desk, payload, "the new task", view)
