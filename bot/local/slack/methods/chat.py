"""chat.* and reactions.*"""

from __future__ import annotations

import json
from typing import Any

from bot.local.slack import limits
from bot.local.slack.calls import Call, Method, Methods
from bot.local.slack.payloads import message_json
from bot.local.slack.records import Channel, Json, Message
from bot.local.slack.refusal import Refusal
from bot.local.slack.responding import content


def post_message(call: Call) -> Json:
    channel = _destination(call)
    _may_post(call, channel)
    message = _composed(call, channel)
    message.metadata = _metadata(call.args.get("metadata"))
    call.world.say(message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(call.world, message, metadata=True)}


def post_ephemeral(call: Call) -> Json:
    channel, user = _destination(call), call.user()
    _may_post(call, channel)
    if user.id not in channel.members:
        raise Refusal("user_not_in_channel")
    message = _composed(call, channel)
    message.ephemeral_to = user.id
    call.world.say(message)
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    """Attachments and metadata that are not sent stay; blocks stay only when no text is sent either."""
    channel = call.channel()
    message = call.message(channel)
    _own(call, message, "cant_update_message")
    args = call.args
    kept = {"text": message.text, "blocks": message.blocks, "attachments": message.attachments}
    kept |= {"blocks": []} if args.get("text") else {}
    kept |= {key: args[key] for key in kept if args.get(key) is not None}
    text, blocks = content(kept)
    metadata = message.metadata if args.get("metadata") is None else _metadata(args["metadata"])
    call.world.reword(message, text=text, blocks=blocks, attachments=kept["attachments"], metadata=metadata)
    told = message_json(call.world, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": told}


def delete(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel)
    _own(call, message, "cant_delete_message")
    call.world.remove(message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"{call.world.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def add_reaction(call: Call) -> Json:
    return _react(call, add=True, refusal="already_reacted")


def remove_reaction(call: Call) -> Json:
    return _react(call, add=False, refusal="no_reaction")


def get_reactions(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "timestamp")
    told = message_json(call.world, message)
    return {"type": "message", "channel": channel.id, "message": told}


def _react(call: Call, *, add: bool, refusal: str) -> Json:
    channel = call.channel_in()
    message = call.message(channel, "timestamp")
    name = call.text("name").strip(":")
    if not call.world.react(call.world.app.bot_user, message, name, add=add):
        raise Refusal(refusal)
    return {}


def _destination(call: Call) -> Channel:
    """A channel by id or `#name`, or a person, whose direct messages are meant."""
    where = call.text("channel")
    if where in call.world.users:
        user = call.world.users[where]
        if user.is_bot or user.deleted:
            raise Refusal("channel_not_found")
        return call.world.dm(where)
    if where.startswith("#"):
        by_name = [c.id for c in call.world.channels.values() if c.name == where[1:]]
        call.args["channel"] = by_name[0] if by_name else where
    return call.channel()


def _may_post(call: Call, channel: Channel) -> None:
    if channel.is_archived:
        raise Refusal("is_archived")
    outside = call.world.app.bot_user not in channel.members
    if outside and not (channel.kind == "public" and "chat:write.public" in call.world.app.scopes):
        raise Refusal("not_in_channel")
    call.world.rates.spend_post(channel.id)


def _composed(call: Call, channel: Channel) -> Message:
    text, blocks = content(call.args)
    world = call.world
    message = Message(channel.id, world.next_ts(), text, world.app.bot_user, world.app.bot_id, blocks)
    message.attachments = call.args.get("attachments") or []
    message.thread_ts = call.args.get("thread_ts") or None
    return message


def _metadata(metadata: Any) -> Json | None:
    if not metadata:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refusal("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refusal("invalid_metadata_schema")
    if len(json.dumps(metadata)) > limits.METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return metadata


def _own(call: Call, message: Message, refusal: str) -> None:
    if message.bot_id != call.world.app.bot_id:
        raise Refusal(refusal)


METHODS: Methods = {
    "chat.postMessage": Method(post_message, ("chat:write",), tier=4),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), tier=4),
    "chat.update": Method(update, ("chat:write",), tier=3),
    "chat.delete": Method(delete, ("chat:write",), tier=3),
    "chat.getPermalink": Method(get_permalink, tier=4),
    "reactions.add": Method(add_reaction, ("reactions:write",), tier=3),
    "reactions.remove": Method(remove_reaction, ("reactions:write",), tier=2),
    "reactions.get": Method(get_reactions, ("reactions:read",), tier=3),
}
