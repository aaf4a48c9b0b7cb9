"""Answers of a Slack that is out of order, or says less than it might."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_chat import SlackChat, make_client
from bot.adapters.slack_checkup import SlackCheckup
from bot.errors import ChatError


@asynccontextmanager
async def slack(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[AsyncWebClient]:
    """A client of a Slack that answers each method so."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield make_client("xoxb-test", f"http://127.0.0.1:{runner.addresses[0][1]}/api/")
    finally:
        await runner.cleanup()


ANSWERS = [  # status, content type, body, Slack's own code, whether the call may succeed later
    (500, "text/plain", "Internal Server Error", "", True),
    (502, "text/html", "<html>Bad Gateway</html>", "", True),
    (503, "application/json", "no JSON", "", True),
    (200, "application/json", "[]", "", True),
    (200, "application/json", '{"ok": false, "error": "internal_error"}', "internal_error", True),
    (200, "application/json", '{"ok": false, "error": "channel_not_found"}', "channel_not_found", False),
    (200, "application/json", '{"ok": false}', "unknown error", False),
]


@pytest.mark.parametrize(("status", "kind", "body", "code", "passing"), ANSWERS)
async def test_an_answer_that_is_no_yes(status: int, kind: str, body: str, code: str, passing: bool) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, content_type=kind, text=body)

    async with slack(answer) as client:
        with pytest.raises(ChatError) as caught:
            await SlackChat(client).post("C0DEV", {"text": "hello"}, key="k")
    assert (caught.value.code, caught.value.passing) == (code, passing)


HISTORIES = [  # what Slack says of earlier messages, and how often a repeat is posted
    ({"ok": True, "messages": [{"ts": "1.1", "metadata": {"event_payload": {"key": "k"}}}]}, 0),
    ({"ok": True, "messages": [{"ts": "1.1", "text": "of somebody else"}, {"ts": "1.2", "metadata": {}}]}, 1),
    ({"ok": True}, 1),
    ({"ok": False, "error": "missing_scope"}, 1),
    ({"ok": False, "error": "unknown_method"}, 1),
    ({"ok": False, "error": "internal_error"}, None),
]


@pytest.mark.parametrize("thread_ts", [None, "1.0"])
@pytest.mark.parametrize(("history", "posts"), HISTORIES)
async def test_what_may_have_been_sent_is_better_sent_twice_than_never(
    history: dict[str, Any], posts: int | None, thread_ts: str | None
) -> None:
    posted = []

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "chat.postMessage":
            posted.append(1)
            return web.json_response({"ok": True, "channel": "C0DEV", "ts": "2.0"})
        return web.json_response(history)

    async with slack(answer) as client:
        sent = SlackChat(client).post("C0DEV", {"text": "hello"}, key="k", thread_ts=thread_ts, look_first=True)
        if posts is None:  # Slack is out of order: it is looked for once more later
            with pytest.raises(ChatError):
                await sent
        else:
            assert await sent == ("2.0" if posts else "1.1")
    assert len(posted) == (posts or 0)


@pytest.mark.parametrize(
    ("headers", "scopes"),
    [
        ({}, None),
        ({"X-OAuth-Scopes": ""}, set()),
        ({"X-OAuth-Scopes": "commands, chat:write"}, {"commands", "chat:write"}),
    ],
)
async def test_scopes_that_are_not_said_are_not_missing(headers: dict[str, str], scopes: set[str] | None) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "conversations.info":
            return web.json_response({"ok": True, "channel": {"id": "C0DEV"}})
        return web.json_response({"ok": True, "team": "Fake", "user": "orch"}, headers=headers)

    async with slack(answer) as client:
        checkup = SlackCheckup(client)
        assert (await checkup.sign_in()).scopes == scopes
        assert (await checkup.channel("C0DEV")).is_member, "what Slack does not say is nobody's mistake"
