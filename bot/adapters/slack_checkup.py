"""What `orch doctor` asks Slack. Nothing here posts or changes anything. Raises ChatError."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_chat import asked


@dataclass(frozen=True)
class SignedIn:
    """Who the bot token belongs to, what it may do, and how far this machine's clock is ahead of Slack's."""

    team: str
    bot: str
    scopes: frozenset[str] | None  # None: it does not say
    ahead_seconds: float | None


@dataclass(frozen=True)
class Channel:
    """A channel as the bot sees it."""

    name: str
    is_member: bool
    is_archived: bool


class SlackCheckup:
    """Asks by the Web API."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def sign_in(self) -> SignedIn:
        said = await asked(self._client.auth_test())
        headers = {name.lower(): str(value) for name, value in said.headers.items()}
        granted = headers.get("x-oauth-scopes")
        return SignedIn(
            team=str(said.get("team")),
            bot=str(said.get("user")),
            scopes=None if granted is None else frozenset(s.strip() for s in granted.split(",") if s.strip()),
            ahead_seconds=_ahead(headers.get("date")),
        )

    async def open_socket(self, app_token: str) -> None:
        """Ask for a Socket Mode address with the app-level token, and leave it unused."""
        await asked(self._client.apps_connections_open(app_token=app_token))

    async def channel(self, channel: str) -> Channel:
        found = (await asked(self._client.conversations_info(channel=channel)))["channel"]
        return Channel(
            name=str(found.get("name") or channel),
            is_member=bool(found.get("is_member", True)),  # not said: Slack shows what Orch is no member of, too
            is_archived=bool(found.get("is_archived")),
        )


def _ahead(date: str | None) -> float | None:
    try:
        return time() - parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
