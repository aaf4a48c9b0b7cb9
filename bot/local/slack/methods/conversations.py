"""conversations.* and users.conversations"""

from __future__ import annotations

from bot.local.slack.calls import KINDS, Call, Method, Methods
from bot.local.slack.payloads import channel_json, message_json
from bot.local.slack.records import Channel, Json, Message
from bot.local.slack.refusal import Refusal

TYPES = {"public_channel": "public", "private_channel": "private", "im": "im"}


def list_channels(call: Call) -> Json:
    bot = call.world.app.bot_user
    known = [c for c in call.world.channels.values() if c.kind == "public" or bot in c.members]
    return _listed(call, known)


def users_conversations(call: Call) -> Json:
    user = call.user().id if call.args.get("user") else call.world.app.bot_user
    return _listed(call, [c for c in call.world.channels.values() if user in c.members])


def info(call: Call) -> Json:
    channel = call.channel()
    call.need_for(channel, "read")
    return {"channel": channel_json(call.world, channel)}


def members(call: Call) -> Json:
    channel = call.channel()
    call.need_for(channel, "read")
    page, cursor = call.page(channel.members, 100)
    return {"members": page, "response_metadata": cursor}


def history(call: Call) -> Json:
    """Newest first."""
    channel = call.channel_in()
    call.need_for(channel, "history")
    within = [m for m in call.world.messages(channel.id) if _within(call, m)]
    page, cursor = call.page(within[::-1], 100, 999)
    more = bool(cursor["next_cursor"])
    return {"messages": _told(call, page), "has_more": more, "response_metadata": cursor, "pin_count": 0}


def replies(call: Call) -> Json:
    """The parent, then its replies, oldest first."""
    channel = call.channel_in()
    call.need_for(channel, "history")
    thread = call.world.thread(channel.id, call.text("ts"))
    if not thread:
        raise Refusal("thread_not_found")
    page, cursor = call.page([thread[0], *(m for m in thread[1:] if _within(call, m))], 1000)
    more = bool(cursor["next_cursor"])
    return {"messages": _told(call, page), "has_more": more, "response_metadata": cursor}


def open_im(call: Call) -> Json:
    """Direct messages with one person; groups are not emulated."""
    if call.args.get("channel"):
        channel = call.channel()
    else:
        user = call.world.users.get(call.text("users"))
        if user is None or user.is_bot:
            raise Refusal("user_not_found")
        if user.deleted:
            raise Refusal("user_disabled")
        channel = call.world.dm(user.id)
    told = channel_json(call.world, channel) if call.flag("return_im") else {"id": channel.id}
    return {"no_op": False, "already_open": False, "channel": told}


def join(call: Call) -> Json:
    channel = call.channel()
    if channel.kind != "public":
        raise Refusal("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refusal("is_archived")
    bot = call.world.app.bot_user
    if bot not in channel.members:
        channel.members.append(bot)
        call.world.changed("channel_changed", channel=channel.id)
    return {"channel": channel_json(call.world, channel)}


def _listed(call: Call, channels: list[Channel]) -> Json:
    kinds = {TYPES.get(name.strip()) for name in call.args.get("types", "public_channel").split(",")}
    call.need(*(f"{KINDS[kind]}:read" for kind in sorted(kinds - {None}, key=str) if kind))
    hide_archived = call.flag("exclude_archived")
    wanted = [c for c in channels if c.kind in kinds and not (hide_archived and c.is_archived)]
    page, cursor = call.page(wanted, 100)
    return {"channels": [channel_json(call.world, c) for c in page], "response_metadata": cursor}


def _within(call: Call, message: Message) -> bool:
    ts, inclusive = float(message.ts), call.flag("inclusive")
    oldest, latest = float(call.args.get("oldest") or 0), float(call.args.get("latest") or 1e12)
    return oldest < ts < latest or (inclusive and ts in (oldest, latest))


def _told(call: Call, messages: list[Message]) -> list[Json]:
    metadata = call.flag("include_all_metadata")
    return [message_json(call.world, message, metadata=metadata) for message in messages]


METHODS: Methods = {
    "conversations.list": Method(list_channels, tier=2),
    "users.conversations": Method(users_conversations, tier=3),
    "conversations.info": Method(info, tier=3),
    "conversations.members": Method(members, tier=4),
    "conversations.history": Method(history, tier=3),
    "conversations.replies": Method(replies, tier=3),
    "conversations.open": Method(open_im, ("im:write", "mpim:write"), tier=3),
    "conversations.join": Method(join, ("channels:join",), tier=3),
}
