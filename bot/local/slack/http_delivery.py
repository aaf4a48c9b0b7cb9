"""Delivery over HTTP: signed requests to the app's request URL."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from bot.local.slack.delivery import Envelope, NotDelivered
from bot.local.slack.records import AppConfig, Json

KEPT_REQUESTS = 200


@dataclass(frozen=True)
class SignedRequest:
    """A request as it went out, so that it can be replayed byte for byte."""

    url: str
    body: bytes
    headers: dict[str, str]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature."""
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return f"v0={digest}"


class HttpDelivery:
    """A Transport. `sent` keeps the latest requests."""

    def __init__(self, app: AppConfig) -> None:
        self.app = app
        self.sent: deque[SignedRequest] = deque(maxlen=KEPT_REQUESTS)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, envelope: Envelope) -> Json | None:
        match envelope.kind:
            case "events_api":
                body, content_type = json.dumps(envelope.payload), "application/json"
            case "slash_commands":
                body, content_type = urlencode(envelope.payload), "application/x-www-form-urlencoded"
            case "interactive":
                body = urlencode({"payload": json.dumps(envelope.payload)})
                content_type = "application/x-www-form-urlencoded"
        request = self._signed(body.encode(), content_type, envelope)
        self.sent.append(request)
        status, headers, text = await self._post(request)
        if not 200 <= status < 300:
            raise NotDelivered("http_error", retry=headers.get("x-slack-no-retry") != "1")
        if not text.strip():
            return None
        if "json" not in headers.get("Content-Type", ""):
            return {"text": text}
        answer: Json = json.loads(text)
        return answer

    async def verify_url(self) -> bool:
        """Slack's check when a request URL is entered: the challenge must come back."""
        challenge = {"type": "url_verification", "challenge": "3eZbrw1aB", "token": self.app.verification_token}
        answer = await self.send(Envelope("events_api", challenge))
        return answer is not None and "3eZbrw1aB" in answer.values()

    async def replay(self, request: SignedRequest) -> int:
        """Send a request again exactly as it was, old timestamp and all; the status of the answer."""
        return (await self._post(request))[0]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _signed(self, body: bytes, content_type: str, envelope: Envelope) -> SignedRequest:
        if self.app.request_url is None:
            raise NotDelivered("connection_failed")
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.app.signing_secret, timestamp, body),
        }
        if envelope.attempt:
            headers |= {"x-slack-retry-num": str(envelope.attempt), "x-slack-retry-reason": envelope.reason}
        return SignedRequest(self.app.request_url, body, headers)

    async def _post(self, request: SignedRequest) -> tuple[int, dict[str, str], str]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(request.url, data=request.body, headers=request.headers) as answer:
                return answer.status, dict(answer.headers), await answer.text()
        except aiohttp.ClientError as error:
            raise NotDelivered("connection_failed") from error
