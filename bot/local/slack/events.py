"""The events that Slack tells apps of: what each one says, and whether this app hears it."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.local.slack.payloads import message_json, view_json
from bot.local.slack.records import Channel, Json, Message
from bot.local.slack.state import State

# event -> the scope without which an app that asked for it does not get it
NEEDS = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "app_home_opened": None,
}
MESSAGES_OF = {"public": "message.channels", "private": "message.groups", "im": "message.im"}
CHANNEL_TYPE = {"public": "channel", "private": "group", "im": "im"}


class Event(NamedTuple):
    """`name` as the app's manifest lists it, `content` as the app receives it."""

    name: str
    content: Json


def heard(state: State, event: Event) -> bool:
    """Whether the app subscribed to this and may hear it."""
    scope = NEEDS[event.name]
    return event.name in state.app.events and (scope is None or scope in state.app.scopes)


def posted(state: State, message: Message) -> list[Event]:
    """A message event, and an app_mention when a person names the bot in a channel."""
    channel = state.channels[message.channel]
    if message.ephemeral_to is not None or state.app.bot_user not in channel.members:
        return []
    content = message_json(state, message) | _place(channel, message.ts)
    events = [Event(MESSAGES_OF[channel.kind], content)]
    named = re.search(rf"<@{state.app.bot_user}[>|]", message.text)
    if named and not message.bot_id and channel.kind != "im":
        mention = {key: value for key, value in content.items() if key != "channel_type"}
        events.append(Event("app_mention", mention | {"type": "app_mention"}))
    return events


def changed(state: State, message: Message, before: Json) -> list[Event]:
    """A message_changed event; `before`: the message as it was."""
    content = {"message": message_json(state, message), "previous_message": before}
    return _hidden(state, message, "message_changed", content)


def deleted(state: State, message: Message) -> list[Event]:
    content = {"deleted_ts": message.ts, "previous_message": message_json(state, message)}
    return _hidden(state, message, "message_deleted", content)


def reaction_added(user: str, message: Message, name: str, ts: str) -> list[Event]:
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    content = {"type": "reaction_added", "user": user, "reaction": name, "item": item, "event_ts": ts}
    return [Event("reaction_added", content | {"item_user": message.user})]


def home_opened(state: State, user: str, tab: str) -> list[Event]:
    content: Json = {"type": "app_home_opened", "user": user, "channel": state.dm(user).id, "tab": tab}
    view = state.home(user)
    if view is not None and tab == "home":
        content["view"] = view_json(state, view)
    return [Event("app_home_opened", content | {"event_ts": state.next_ts()})]


def _place(channel: Channel, ts: str) -> Json:
    return {"channel": channel.id, "event_ts": ts, "channel_type": CHANNEL_TYPE[channel.kind]}


def _hidden(state: State, message: Message, subtype: str, content: Json) -> list[Event]:
    channel = state.channels[message.channel]
    if message.ephemeral_to is not None or state.app.bot_user not in channel.members:
        return []
    ts = state.next_ts()
    told = {"type": "message", "subtype": subtype, "hidden": True, "ts": ts} | content
    return [Event(MESSAGES_OF[channel.kind], told | _place(channel, ts))]
