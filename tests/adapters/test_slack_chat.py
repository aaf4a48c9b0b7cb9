"""What the answer of a Slack that is out of order means: the call may succeed later."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.adapters.slack_chat import SlackChat, make_client
from bot.errors import ChatError

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

    app = web.Application()
    app.router.add_post("/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        chat = SlackChat(make_client("xoxb-test", f"http://127.0.0.1:{runner.addresses[0][1]}/api/"))
        with pytest.raises(ChatError) as caught:
            await chat.post("C0DEV", {"text": "hello"}, key="k")
        assert (caught.value.code, caught.value.passing) == (code, passing)
    finally:
        await runner.cleanup()
