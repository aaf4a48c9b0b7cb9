"""ports.Chat on slack_sdk's AsyncWebClient."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.approvals import Person
from bot.errors import ChatError
from bot.ports import Upload

T = TypeVar("T")
log = logging.getLogger("orch.slack")

#: How long what Slack said of a person is believed, in seconds: a deactivation must take effect soon.
PERSON_SECONDS = 120.0
#: How many recent messages are looked through for one that may have been sent before a crash.
LOOK_BACK = 200

#: What Slack's commonest refusals mean, and what to do.
ADVICE = {
    "not_in_channel": "Orch is not a member of the channel: invite it with /invite @orch",
    "channel_not_found": "Slack knows no such channel: check the project's `channel` in the config",
    "invalid_auth": "Slack refused the token in SLACK_BOT_TOKEN",
    "account_inactive": "the app was removed from the workspace; install it again",
    "missing_scope": "the app lacks a scope: update it from manifest.yaml and install it again",
    "is_archived": "the channel is archived",
    "user_not_found": "Slack knows no such person",
}


def make_client(token: str, api_url: str) -> AsyncWebClient:
    """A web client that waits out Slack's rate limits. Proxies of the environment are not used on this machine's
    own addresses (FACTS.md)."""
    client = AsyncWebClient(token=token, base_url=api_url, retry_handlers=[])
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=3))
    if "//127.0.0.1" in api_url or "//localhost" in api_url:
        client.proxy = None
    return client


class SlackChat:
    """Posts, updates and private words. Raises ChatError."""

    def __init__(self, client: AsyncWebClient, *, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        self._direct: dict[str, str] = {}  # user -> the channel of direct messages with them
        self._team: str | None = None

    async def post(
        self,
        channel: str,
        message: Mapping[str, Any],
        *,
        key: str,
        thread_ts: str | None = None,
        look_first: bool = False,
    ) -> str:
        channel = await self._place(channel)
        if look_first and (found := await self._find(channel, key, thread_ts)):
            return found
        posted = await asked(
            self._client.chat_postMessage(
                channel=channel,
                thread_ts=thread_ts,
                unfurl_links=False,
                unfurl_media=False,
                **{"metadata": {"event_type": "orch", "event_payload": {"key": key}}, **message},
            )
        )
        return str(posted["ts"])

    async def update(self, channel: str, ts: str, message: Mapping[str, Any]) -> None:
        await asked(self._client.chat_update(channel=await self._place(channel), ts=ts, **message))

    async def whisper(
        self,
        channel: str,
        user: str,
        message: Mapping[str, Any],
        *,
        response_url: str | None = None,
        replace: bool = False,
        thread_ts: str | None = None,
    ) -> None:
        if response_url and await self._respond(response_url, message, replace):
            return
        if channel and not channel.startswith("D"):
            try:
                await asked(self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread_ts, **message))
                return
            except ChatError as error:
                if error.code not in ("not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived"):
                    raise
                thread_ts = None
        place = await self._place(user)
        await asked(self._client.chat_postMessage(channel=place, thread_ts=thread_ts, unfurl_links=False, **message))

    async def react(self, channel: str, ts: str, name: str) -> None:
        try:
            await asked(self._client.reactions_add(channel=channel, timestamp=ts, name=name))
        except ChatError as error:
            if error.code not in ("already_reacted", "message_not_found", "too_many_reactions"):
                raise

    async def _respond(self, url: str, message: Mapping[str, Any], replace: bool) -> bool:
        """Answer by response_url; False where it works no more (5 uses, 30 minutes)."""
        body = {"response_type": "ephemeral", "replace_original": replace, **message}
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        try:
            await asked(self._client.views_open(trigger_id=trigger_id, view=dict(view)))
        except ChatError as error:
            if error.code in ("expired_trigger_id", "exchanged_trigger_id", "trigger_expired"):
                raise ChatError(
                    "Slack gave me too little time to open the form. Please try again.", error.code
                ) from None
            raise

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        await asked(self._client.views_publish(user_id=user, view=dict(view)))

    async def person(self, user: str) -> Person:
        known = self._people.get(user)
        if known and known[0] > self._now():
            return known[1]
        if self._team is None:
            self._team = str((await asked(self._client.auth_test())).get("team_id") or "")
        said = (await asked(self._client.users_info(user=user))).get("user") or {}
        person = Person(
            id=user,
            name=said.get("real_name") or said.get("name") or user,
            guest=bool(said.get("is_restricted") or said.get("is_ultra_restricted")),
            bot=bool(said.get("is_bot")),
            deactivated=bool(said.get("deleted")),
            other_workspace=bool(said.get("is_stranger"))
            or bool(self._team and said.get("team_id") and said["team_id"] != self._team),
        )
        self._people[user] = (self._now() + PERSON_SECONDS, person)
        return person

    async def upload(self, channel: str, thread_ts: str, file: Upload, *, look_first: bool = False) -> None:
        channel = await self._place(channel)
        if look_first:
            said = await self._earlier(channel, thread_ts)
            there = [each for message in said for each in message.get("files") or ()]
            if any((each.get("name"), each.get("title")) == (file.name, file.title) for each in there):
                return
        await asked(
            self._client.files_upload_v2(
                channel=channel,
                thread_ts=thread_ts,
                filename=file.name,
                content=file.content or " ",
                title=file.title,
                alt_txt=file.alt or None,
            )
        )

    async def _place(self, channel: str) -> str:
        """The channel itself, or a person's direct messages."""
        if not channel.startswith(("U", "W")):
            return channel
        if channel not in self._direct:
            opened = await asked(self._client.conversations_open(users=channel))
            self._direct[channel] = str(opened["channel"]["id"])
        return self._direct[channel]

    async def _find(self, channel: str, key: str, thread_ts: str | None) -> str | None:
        """The ts of a message that was posted with this key, if any."""
        for message in await self._earlier(channel, thread_ts):
            if (message.get("metadata") or {}).get("event_payload", {}).get("key") == key:
                return str(message["ts"])
        return None

    async def _earlier(self, channel: str, thread_ts: str | None) -> list[dict[str, Any]]:
        """The last messages of a channel or a thread. None where Slack does not let us read them: what may have been
        sent is better sent twice than never."""
        looked: dict[str, Any] = {"channel": channel, "limit": LOOK_BACK, "include_all_metadata": True}
        if thread_ts:
            call = self._client.conversations_replies(**looked, ts=thread_ts)
        else:
            call = self._client.conversations_history(**looked)
        try:
            return (await asked(call)).get("messages") or []
        except ChatError as error:
            if error.passing:
                raise
            log.warning("cannot look for an earlier post in %s: %s", channel, error)
            return []


async def asked(call: Awaitable[T]) -> T:
    """Await an SDK call, its errors translated."""
    try:
        return await call
    except SlackApiError as error:
        said = getattr(error.response, "data", None)
        if not isinstance(said, dict) or "ok" not in said:  # a gateway's page or garbage, no word of Slack's own
            status = getattr(error.response, "status_code", None) or getattr(error.response, "status", "?")
            raise ChatError(f"Slack could not be reached (its answer is none of Slack's: HTTP {status})") from None
        code = str(said.get("error") or "unknown error")
        details = (said.get("response_metadata") or {}).get("messages") or []
        why = ADVICE.get(code, code) + (f" ({'; '.join(map(str, details[:3]))})" if details else "")
        raise ChatError(f"Slack refused: {why}", code) from None
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
        raise ChatError(f"Slack could not be reached ({type(error).__name__})") from None
