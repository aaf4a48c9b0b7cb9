"""What the emulated Slack remembers, as plain records that go to JSON and back unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

ChannelKind = Literal["public", "private", "im"]
ViewKind = Literal["modal", "home"]
ChangeKind = Literal[
    "message_posted",
    "message_changed",
    "message_deleted",
    "ephemeral_posted",
    "ephemeral_changed",
    "ephemeral_deleted",
    "reaction_changed",
    "view_opened",
    "view_updated",
    "view_closed",
    "home_published",
    "channel_changed",
]

BOT_SCOPES = [
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "reactions:write",
    "users:read",
]
BOT_EVENTS = ["app_home_opened", "app_mention", "message.channels", "message.groups", "message.im"]


@dataclass(frozen=True)
class Command:
    """A slash command as the app's manifest declares it; `name` starts with a slash."""

    name: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(frozen=True)
class Shortcut:
    """A global or message shortcut: what the menu shows and what the app receives."""

    callback_id: str
    name: str


@dataclass
class AppConfig:
    """The app as Slack knows it. With `request_url` it is reached over HTTP, else by Socket Mode."""

    app_id: str = "A0ORCH"
    name: str = "orch"
    bot_user: str = "U0ORCH"
    bot_id: str = "B0ORCH"
    bot_token: str = "xoxb-local-orch"
    app_token: str = "xapp-1-A0ORCH-local"
    signing_secret: str = "local-signing-secret"
    verification_token: str = "local-verification-token"
    request_url: str | None = None
    scopes: list[str] = field(default_factory=lambda: list(BOT_SCOPES))
    app_scopes: list[str] = field(default_factory=lambda: ["connections:write"])
    events: list[str] = field(default_factory=lambda: list(BOT_EVENTS))
    commands: list[Command] = field(default_factory=lambda: [Command("/orch", "Coordinate AI coding work")])
    global_shortcuts: list[Shortcut] = field(default_factory=list)
    message_shortcuts: list[Shortcut] = field(default_factory=list)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> AppConfig:
        """The app that an app manifest (version 2, parsed) makes: its scopes, events, commands and shortcuts."""
        features = manifest["features"]
        shortcuts = features.get("shortcuts", [])

        def of(kind: str) -> list[Shortcut]:
            return [Shortcut(s["callback_id"], s["name"]) for s in shortcuts if s["type"] == kind]

        return cls(
            scopes=list(manifest["oauth_config"]["scopes"]["bot"]),
            events=list(manifest["settings"]["event_subscriptions"]["bot_events"]),
            commands=[
                Command(c["command"], c["description"], c.get("usage_hint", "")) for c in features["slash_commands"]
            ],
            global_shortcuts=of("global"),
            message_shortcuts=of("message"),
        )


@dataclass
class Team:
    id: str = "T0ORCH"
    name: str = "Orch local"
    domain: str = "orch-local"


@dataclass
class User:
    id: str
    name: str
    real_name: str
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team_id: str = "T0ORCH"
    tz: str = "Europe/Lisbon"


@dataclass
class Channel:
    """A conversation. An `im` has the bot and one person as members, and no name."""

    id: str
    name: str
    kind: ChannelKind = "public"
    members: list[str] = field(default_factory=list)
    is_archived: bool = False
    created: int = 1_700_000_000


@dataclass
class Message:
    """One message. `ephemeral_to` is the only person who sees it; such a message is in no history."""

    channel: str
    ts: str
    text: str = ""
    user: str | None = None
    bot_id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    reply_count: int = 0
    reply_users: list[str] = field(default_factory=list)
    latest_reply: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    reactions: list[Json] = field(default_factory=list)  # {"name", "users", "count"}
    files: list[str] = field(default_factory=list)  # ids in World.files
    ephemeral_to: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class View:
    """A modal on a person's screen, or their Home tab. `body` is the view as the app sent it, completed."""

    id: str
    user: str
    kind: ViewKind
    body: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    external_id: str = ""
    state: dict[str, dict[str, Json]] = field(default_factory=dict)  # block_id -> action_id -> state

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks


@dataclass
class File:
    """An upload. `content` is None until its bytes have arrived; `shared` tells where it was posted."""

    id: str
    name: str
    title: str
    size: int
    user: str
    created: int
    content: bytes | None = None
    completed: bool = False
    shared: list[str] = field(default_factory=list)


@dataclass
class ResponseUrl:
    """A response_url: who got it where, about which message, and how often it was used."""

    id: str
    user: str
    channel: str
    expires: float
    message_ts: str | None = None
    uses: int = 0


@dataclass(frozen=True)
class Change:
    """One thing that changed. `user` None: all who see `channel` are concerned, else that person alone."""

    kind: ChangeKind
    channel: str | None = None
    user: str | None = None
    message: Message | None = None  # as it is right after the change
    view: View | None = None


@dataclass
class Delivery:
    """What became of a person's action.

    `attempts` 0: nothing had to be sent to the app. `error`: dispatch_failed, operation_timeout, ... and
    `shown`: what the person sees in that case. `errors`: what a refused modal says, block_id -> message. An
    event is sent again in the background; `attempts` and `acked` then change (`await world.settled()`).
    """

    acked: bool = True
    attempts: int = 0
    payload: Json | None = None
    error: str | None = None
    shown: str | None = None
    ts: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
