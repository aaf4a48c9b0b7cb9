"""What Slack's composer makes of what a person types."""

from __future__ import annotations

import re

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
                user = state.user(match["user"])
                return f"<@{user.id}|{user.name}>" if labels else f"<@{user.id}>"
            channel = state.channel(match["channel"])
            return f"<#{channel.id}|{channel.name}>"
        except LookupError:
            return match[0]

    return _TOKEN.sub(replacement, text)
