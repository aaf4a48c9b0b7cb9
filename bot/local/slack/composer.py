"""What Slack's composer makes of what a person types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.local.slack.records import Json

if TYPE_CHECKING:
    from bot.local.slack.state import State

_TOKEN = re.compile(
    r"(?P<done><(?:[@#!][^<>\s]|https?://)[^<>]*>)|(?P<url>https?://[^\s<>]+)"
    r"|(?<!\w)@(?P<user>\w(?:[\w.-]*\w)?)|(?<!\w)#(?P<channel>[\w-]+)|(?P<special>[&<>])"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def formatted(state: State, text: str, *, labels: bool) -> str:
    """Mentions, channels and links as tokens, the rest escaped. `labels`: `<@U0DEV|dev>`, as commands have it.

    What is already a token (`<@U0DEV>`) stays, as if it had been picked from the composer's menu.
    """

    def replacement(match: re.Match[str]) -> str:
        if match["done"]:
            return match["done"]
        if match["url"]:
            return f"<{match['url'].replace('&', '&amp;')}>"
        if match["special"]:
            return _ENTITIES[match["special"]]
        try:
            if match["user"]:
                user = state.user(match["user"].lower())
                return f"<@{user.id}|{user.name}>" if labels else f"<@{user.id}>"
            channel = state.channel(match["channel"])
            return f"<#{channel.id}|{channel.name}>"
        except LookupError:
            return match[0]

    return _TOKEN.sub(replacement, text)


def rich_text(text: str) -> list[Json]:
    """The blocks that Slack's composer sends along with a formatted text."""
    elements: list[Json] = []
    for part in re.split(r"(<[^<>]+>)", text):
        token = part[1:-1].split("|")[0] if part.startswith("<") else ""
        match token[:1]:
            case "":
                plain = part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
                elements += [{"type": "text", "text": plain}] if plain else []
            case "@":
                elements.append({"type": "user", "user_id": token[1:]})
            case "#":
                elements.append({"type": "channel", "channel_id": token[1:]})
            case "!":
                elements.append({"type": "broadcast", "range": token[1:]})
            case _:
                elements.append({"type": "link", "url": token.replace("&amp;", "&")})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]
