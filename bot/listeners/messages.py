"""@mentions and direct messages: the same words as after `/orch`; anything else is taken for a task. A reply in the
thread of a task, mention or not, steers that task instead (listeners.threads)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.errors import UserMistake
from bot.listeners.commands import run_command
from bot.listeners.desk import Desk, Payload, delivery_key
from bot.listeners.threads import run_reply
from bot.store.tables import TaskRow

#: Kinds of messages that people write: plain, with a file, and a reply that is shown in the channel too.
_WRITTEN = (None, "file_share", "thread_broadcast")
#: So long a reply waits for Slack's answer to a post of Orch's that it may stand below; seconds.
POST_SECONDS = 30.0


def register(app: AsyncApp, desk: Desk) -> None:
    desk.handles("message", _message)
    desk.handles("early_reply", _early_reply)

    @app.event("app_mention")
    async def on_mention(ack: Any, event: dict[str, Any], body: dict[str, Any], context: Any) -> None:
        if event.get("channel_type") != "im" and _by_a_person(event):
            await _receive(desk, ack, event, body, context.get("bot_user_id") or "", to_orch=True)

    @app.event("message")
    async def on_message(ack: Any, event: dict[str, Any], body: dict[str, Any], context: Any) -> None:
        direct = event.get("channel_type", "im" if event["channel"].startswith("D") else "") == "im"
        if event.get("subtype") in ("message_changed", "message_deleted"):
            await _receive_change(desk, ack, event, body, context.get("bot_user_id") or "")
        elif _by_a_person(event) and (direct or event.get("thread_ts")):
            await _receive(desk, ack, event, body, context.get("bot_user_id") or "", to_orch=direct)


def _by_a_person(event: dict[str, Any]) -> bool:
    return bool(event.get("user")) and not event.get("bot_id") and event.get("subtype") in _WRITTEN


async def _receive(desk: Desk, ack: Any, event: dict[str, Any], body: dict[str, Any], bot: str, to_orch: bool) -> None:
    """Slack tells a mention twice, as a mention and as a message of the channel: the key is one for both, and so is
    what becomes of it."""
    payload = {"user": event["user"], "channel": event["channel"], "text": event.get("text") or "", "ts": event["ts"]}
    key = delivery_key("message", event["channel"], event["ts"], body=body)
    above = event.get("thread_ts")
    if above and above != event["ts"]:
        below = {"thread_ts": above, "bot": bot}
        found, awaited = await desk.thread_above(event["channel"], above, event["user"])
        if awaited:
            to_orch = to_orch or f"<@{bot}" in payload["text"]
            await desk.receive(key, "early_reply", payload | below | {"to_orch": to_orch}, ack)
            return
        if found is not None:
            await desk.receive(key, "reply", payload | below | _about(found), ack)
            return
    if to_orch:
        await desk.receive(key, "message", payload | await _standing_below(desk, payload, above), ack)


def _about(task: TaskRow) -> Payload:
    return {"project": task.project, "task": task.task_id}


async def _standing_below(desk: Desk, payload: Payload, above: str | None) -> Payload:
    """What a message that is not about a task's thread has to carry of the thread that it stands in."""
    below = above and await desk.is_below_a_direct_message(above, payload["user"])
    return {"thread_ts": above, "below": True} if below else {}


async def _early_reply(desk: Desk, payload: Payload) -> None:
    """A reply that came while Orch did not know yet where its own post stands: it belongs to that post's task, once
    Slack has said so. Raises UserMistake."""
    above, patience = payload["thread_ts"], time.monotonic() + POST_SECONDS
    while True:
        found, awaited = await desk.thread_above(payload["channel"], above, payload["user"])
        if not awaited or time.monotonic() > patience:
            break
        await asyncio.sleep(0.1)
    if found is not None:
        await run_reply(desk, payload | _about(found))
    elif payload["to_orch"]:
        alone = {name: value for name, value in payload.items() if name != "thread_ts"}
        await _message(desk, alone | await _standing_below(desk, payload, above))


async def _receive_change(desk: Desk, ack: Any, event: dict[str, Any], body: dict[str, Any], bot: str) -> None:
    """A person changed the words of a reply in a task's thread, or deleted it: then it says nothing. Slack tells also
    of what is no such change, a link's preview that came, say."""
    before, now = event.get("previous_message") or {}, event.get("message") or {}
    above, said = before.get("thread_ts"), now.get("text") or ""
    if not above or above == before.get("ts") or not _by_a_person(before) or said == before.get("text"):
        return
    found = await desk.task_above(event["channel"], above, before["user"])
    if found is not None:
        payload = {"user": before["user"], "channel": event["channel"], "ts": before["ts"], "thread_ts": above,
                   "text": said, "before": before.get("text") or "", "bot": bot}  # fmt: skip
        key = delivery_key("reply_changed", event["channel"], before["ts"], event.get("event_ts"), body=body)
        await desk.receive(key, "reply_changed", payload, ack)


async def _message(desk: Desk, payload: Payload) -> None:
    """Raises UserMistake for a reply to a direct message about no task, or about several: no new task is meant."""
    if payload.get("below"):
        raise UserMistake(
            "I do not know which task you mean below that message, so nothing was done. Reply in the thread of the "
            "task's card, or write it outside of this thread, with the task's id.", "done S1-D1-2"
        )  # fmt: skip
    await run_command(desk, payload)
