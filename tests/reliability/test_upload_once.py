"""An upload that may have been done before a crash is looked for first."""

from __future__ import annotations

from bot.adapters.slack_chat import SlackChat, make_client
from bot.ports import Upload
from tests.local.slack_bed import workspace


async def test_a_repeated_upload_finds_the_first() -> None:
    async with workspace() as world:
        chat = SlackChat(make_client(world.app.bot_token, f"{world.base_url}/api/"))
        card = await chat.post("C0DEV", {"text": "a card"}, key="card")
        for title, look_first in (("one", False), ("one", True), ("two", True), ("two", True)):
            await chat.upload("C0DEV", card, Upload("S0-D0-1.diff", title, "content"), look_first=look_first)
        assert [file.title for file in world.files.values()] == ["one", "two"]
