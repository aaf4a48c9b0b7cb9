"""One call of a Web API method: its arguments, and what a method is."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.local.slack.records import Channel, Json, Message, User
from bot.local.slack.refusal import Refusal, invalid
from bot.local.slack.world import World

T = TypeVar("T")
KINDS = {"public": "channels", "private": "groups", "im": "im"}  # channel kind -> what scopes call it


@dataclass(frozen=True)
class Call:
    """The arguments, whether they came as JSON, form or query."""

    world: World
    method: str
    args: Json

    def text(self, name: str) -> str:
        """A required string."""
        value = self.args.get(name)
        if value is None or value == "":
            raise invalid("invalid_arguments", [f"missing required field: {name}"])
        return str(value)

    def whole(self, name: str, default: int, most: int) -> int:
        try:
            return min(int(self.args.get(name) or default), most)
        except ValueError:
            raise invalid("invalid_arguments", [f"must be an integer [json-pointer:/{name}]"]) from None

    def flag(self, name: str) -> bool:
        return self.args.get(name) in (True, "true", "True", "1", 1)

    def user(self, name: str = "user") -> User:
        user = self.world.users.get(self.text(name))
        if user is None:
            raise Refusal("user_not_found")
        return user

    def channel(self, name: str = "channel") -> Channel:
        """An existing channel. Others' direct messages do not exist for the app, nor private ones without it."""
        channel = self.world.channels.get(self.text(name))
        bot = self.world.app.bot_user
        if channel is None or (channel.kind != "public" and bot not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def channel_in(self) -> Channel:
        """A channel that the bot is a member of."""
        channel = self.channel()
        if self.world.app.bot_user not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """A message in the history; ephemerals are not."""
        message = self.world.message(channel.id, self.text(name))
        if message is None or message.ephemeral_to is not None:
            raise Refusal("message_not_found")
        return message

    def need(self, *scopes: str) -> None:
        """Refuse unless the app has one of `scopes`."""
        provided = self.world.app.scopes
        if scopes and not any(scope in provided for scope in scopes):
            raise Refusal("missing_scope", {"needed": ",".join(scopes), "provided": ",".join(provided)})

    def need_for(self, channel: Channel, right: str) -> None:
        """Refuse unless the app has, say, `channels:history` when `right` is `history`."""
        self.need(f"{KINDS[channel.kind]}:{right}")

    def page(self, items: Sequence[T], default: int, most: int = 1000) -> tuple[list[T], Json]:
        """The part of `items` that the cursor asks for, and the response_metadata for the next."""
        start = 0
        if cursor := self.args.get("cursor"):
            try:
                start = int(base64.b64decode(str(cursor)))
            except ValueError:
                raise Refusal("invalid_cursor") from None
        end = start + self.whole("limit", default, most)
        more = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
        return list(items[start:end]), {"next_cursor": more}


@dataclass(frozen=True)
class Method:
    """What a method does, which scopes allow it (any one of them), and its rate-limit tier."""

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    tier: int = 3


Methods = dict[str, Method]


def objects(value: Any, name: str) -> list[Json]:
    """A list of objects; invalid_arguments for anything else."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise invalid("invalid_arguments", [f"must provide an array [json-pointer:/{name}]"])
