"""What the templates are given: messages, channels and people as one person sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.local.page import uploads
from bot.local.page.emoji import emoji
from bot.local.page.mrkdwn import Reader, format_date
from bot.local.page.unread import Unread
from bot.local.slack import Message, User, World

Json = dict[str, Any]

COLOURS = ("#c2477f", "#2f7d5b", "#4a64c8", "#b8622a", "#7a4fb5", "#2b7f96", "#a8473c", "#637025")
COMPACT_SECONDS = 300  # a person's next message within this time stands without avatar and name
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True)
class Author:
    id: str
    name: str
    initials: str
    colour: str
    kind: str  # person, guest, bot or slackbot


class WorldNames:
    """mrkdwn's Names, answered by the World."""

    def __init__(self, world: World) -> None:
        self.world = world

    def user_name(self, user: str) -> str | None:
        if user == SLACKBOT:
            return "Slackbot"
        found = self.world.users.get(user)
        return (found.real_name or found.name) if found else None

    def channel_name(self, channel: str) -> str | None:
        found = self.world.channels.get(channel)
        return found.name if found else None

    def user_ids(self) -> list[str]:
        return [user.id for user in self.world.users.values() if not user.deleted and not user.is_bot]

    def channel_ids(self) -> list[str]:
        return [c.id for c in self.world.channels.values() if c.kind != "im" and not c.is_archived]


def author(world: World, user: str | None) -> Author:
    """Who is shown beside a message; a message without a user is the app's."""
    found = world.users.get(user) if user else world.bot
    if found is None:
        return Author(user or "", "Slackbot", "S", "#611f69", "slackbot")
    name = found.real_name or found.name
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    kind = "bot" if found.is_bot else "guest" if found.is_restricted else "person"
    return Author(found.id, name, initials, COLOURS[[*world.users].index(found.id) % len(COLOURS)], kind)


class Presenter:
    """Turns the World's records into what one person's page shows."""

    def __init__(self, world: World, unread: Unread, user: User) -> None:
        self.world = world
        self.unread = unread
        self.user = user
        self.reader = Reader(WorldNames(world), ZoneInfo(user.tz), lambda: datetime.fromtimestamp(world.clock(), UTC))

    def entries(self, messages: Iterable[Message], *, in_thread: bool = False) -> list[Json]:
        """Messages in order, each told whether it starts a day or continues its neighbour above."""
        entries: list[Json] = []
        previous: Message | None = None
        for message in messages:
            if self.unread.is_dismissed(self.user.id, message):
                continue
            entry = self.entry(message, in_thread=in_thread)
            new_day = previous is None or self._day(previous) != self._day(message)
            entry["day"] = self._words(message, "{day_divider_pretty}") if new_day and not in_thread else None
            entry["compact"] = (
                previous is not None
                and not new_day
                and previous.user == message.user
                and previous.bot_id == message.bot_id
                and not message.ephemeral_to
                and not previous.ephemeral_to
                and not previous.reply_count
                and not any(block.get("type") == "header" for block in message.blocks)
                and float(message.ts) - float(previous.ts) < COMPACT_SECONDS
            )
            entries.append(entry)
            previous = message
        return entries

    def entry(self, message: Message, *, in_thread: bool = False) -> Json:
        return {
            "ts": message.ts,
            "channel": message.channel,
            "author": author(self.world, message.user),
            "time": self._words(message, "{time}"),
            "when": self._words(message, "{date_long} at {time_secs}"),
            "short_time": self._words(message, "{time}").split(" ")[0],
            "text": message.text,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "edited": bool(message.edited),
            "ephemeral": message.ephemeral_to is not None,
            "deleted": message.subtype == "tombstone",
            "files": [self.file(id_) for id_ in message.files if id_ in self.world.files],
            "reactions": [self._reaction(reaction) for reaction in message.reactions],
            "thread": None if in_thread or not message.reply_count else self._thread(message),
            "is_reply": message.is_reply,
            "thread_ts": message.thread_ts or message.ts,
            "compact": False,
            "day": None,
        }

    def file(self, file_id: str) -> Json:
        file = self.world.files[file_id]
        content = file.content or b""
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title or file.name,
            "size": uploads.size(file.size),
            "url": f"/page/file/{file.id}?as={self.user.id}",
            "preview": uploads.preview(file.name, content),
        }

    def sidebar(self, here: str | None) -> list[Json]:
        """The channels this person is in (not the direct messages)."""
        return [
            {
                "id": channel.id,
                "name": channel.name,
                "private": channel.kind == "private",
                "here": channel.id == here,
                "unread": bool(self.unread.unread(self.user.id, channel)),
                "count": self.unread.count(self.user.id, channel),
            }
            for channel in self.world.channels_of(self.user.id)
            if channel.kind != "im" and not channel.is_archived
        ]

    def dm_count(self) -> int:
        """Unread direct messages from the app."""
        mine = [c for c in self.world.channels_of(self.user.id) if c.kind == "im"]
        return sum(self.unread.count(self.user.id, channel) for channel in mine)

    def _thread(self, parent: Message) -> Json:
        users = [author(self.world, user) for user in parent.reply_users[:4]]
        last = self._moment(parent.latest_reply or parent.ts)
        pattern = "{date_short_pretty} at {time}"
        return {"count": parent.reply_count, "users": users, "last": self._format(last, pattern)}

    def _reaction(self, reaction: Json) -> Json:
        people = [author(self.world, user).name for user in reaction["users"]]
        return {
            "name": reaction["name"],
            "character": emoji(reaction["name"]) or f":{reaction['name']}:",
            "count": reaction.get("count", len(people)),
            "mine": self.user.id in reaction["users"],
            "people": ", ".join(people),
        }

    def _moment(self, ts: str) -> datetime:
        return datetime.fromtimestamp(float(ts), self.reader.zone)

    def _day(self, message: Message) -> str:
        return f"{self._moment(message.ts):%Y-%m-%d}"

    def _words(self, message: Message, pattern: str) -> str:
        return self._format(self._moment(message.ts), pattern)

    def _format(self, moment: datetime, pattern: str) -> str:
        return format_date(moment, pattern, self.reader.now().astimezone(self.reader.zone))
