"""The JSON that Slack sends and answers: users, channels, messages, views, and what people's actions carry."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.local.slack.composer import rich_text
from bot.local.slack.records import Channel, File, Json, Message, User, View

if TYPE_CHECKING:
    from bot.local.slack.state import State


def user_json(user: User) -> Json:
    names = {"real_name": user.real_name, "display_name": user.name}
    return asdict(user) | {
        "profile": names | {"real_name_normalized": user.real_name, "display_name_normalized": user.name},
        "tz_label": user.tz,
        "tz_offset": 0,
        "is_admin": False,
        "is_owner": False,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }


def channel_json(state: State, channel: Channel) -> Json:
    common: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": state.team.id,
    }
    if channel.kind == "im":
        person = next((member for member in channel.members if member != state.app.bot_user), None)
        return common | {"user": person, "is_user_deleted": False, "priority": 0}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_mpim": False,
        "is_private": channel.kind == "private",
        "is_general": False,
        "is_member": state.app.bot_user in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def message_json(state: State, message: Message, *, metadata: bool = False) -> Json:
    """A message as the Web API, events and interactive payloads show it."""
    told: Json = {"type": "message", "ts": message.ts, "text": message.text, "team": state.team.id}
    for key in ("subtype", "user", "bot_id", "client_msg_id", "blocks", "attachments", "thread_ts", "edited"):
        if getattr(message, key):
            told[key] = getattr(message, key)
    if message.client_msg_id:  # typed by a person
        told["blocks"] = rich_text(message.text)
    if message.bot_id:
        told |= {"app_id": state.app.app_id, "bot_profile": bot_json(state)}
    if message.reactions:
        told["reactions"] = message.reactions
    if message.files:
        told["files"] = [file_json(state, state.files[file_id]) for file_id in message.files]
    if metadata and message.metadata:
        told["metadata"] = message.metadata
    if message.reply_count:
        told |= {
            "reply_count": message.reply_count,
            "reply_users": message.reply_users,
            "reply_users_count": len(message.reply_users),
            "latest_reply": message.latest_reply,
            "subscribed": False,
            "is_locked": False,
        }
    elif message.is_reply and (parent := state.message(message.channel, message.thread_ts or "")):
        told["parent_user_id"] = parent.user
    return told


def bot_json(state: State) -> Json:
    return {
        "id": state.app.bot_id,
        "app_id": state.app.app_id,
        "user_id": state.app.bot_user,
        "name": state.app.name,
        "deleted": False,
        "team_id": state.team.id,
        "updated": 1_700_000_000,
    }


def file_json(state: State, file: File) -> Json:
    path = f"/files-pri/{state.team.id}-{file.id}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": "text/plain" if file.name.endswith((".txt", ".md", ".log", ".csv")) else "",
        "filetype": file.name.rsplit(".", 1)[-1] if "." in file.name else "",
        "user": file.user,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "url_private": f"{state.base_url}{path}/{file.name}",
        "url_private_download": f"{state.base_url}{path}/download/{file.name}",
        "permalink": f"{state.base_url}/files/{file.user}/{file.id}/{file.name}",
        "channels": file.shared,
    }


def view_json(state: State, view: View) -> Json:
    """A view as `views.*` and the payloads show it: the app's own view, and what Slack adds."""
    defaults: Json = {"private_metadata": "", "callback_id": "", "title": None, "submit": None, "close": None}
    if view.kind == "modal":
        defaults |= {"clear_on_close": False, "notify_on_close": False}
    return (
        defaults
        | view.body
        | {
            "id": view.id,
            "team_id": state.team.id,
            "state": {"values": view.state},
            "hash": view.hash,
            "previous_view_id": view.previous_view_id,
            "root_view_id": view.root_view_id,
            "external_id": view.external_id,
            "app_id": state.app.app_id,
            "app_installed_team_id": state.team.id,
            "bot_id": state.app.bot_id,
        }
    )


def event(state: State, content: Json, event_id: str) -> Json:
    """The Events API wrapper around one event."""
    return {
        "token": state.app.verification_token,
        "team_id": state.team.id,
        "api_app_id": state.app.app_id,
        "event": content,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(state.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team.id,
                "user_id": state.app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def command(state: State, user: User, channel: Channel, name: str, text: str) -> Json:
    """The fields of a slash command, without trigger_id and response_url."""
    return {
        "token": state.app.verification_token,
        "team_id": state.team.id,
        "team_domain": state.team.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": state.app.app_id,
        "is_enterprise_install": "false",
    }


def interaction(state: State, kind: str, user: User) -> Json:
    """What every interactive payload has, without trigger_id."""
    return {
        "type": kind,
        "team": {"id": state.team.id, "domain": state.team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": state.app.app_id,
        "token": state.app.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_container(state: State, channel: Channel, message: Message) -> Json:
    """Where in a conversation something was clicked. An ephemeral's content is not sent along."""
    place: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        place["thread_ts"] = message.thread_ts
    told: Json = {"container": place, "channel": {"id": channel.id, "name": channel_name(channel)}}
    if message.ephemeral_to is None:
        told["message"] = message_json(state, message, metadata=True)
    return told


def channel_name(channel: Channel) -> str:
    """The name that payloads give: private ones are not named to apps."""
    return {"im": "directmessage", "private": "privategroup", "public": channel.name}[channel.kind]
