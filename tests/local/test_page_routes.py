"""What the page's routes give, to whom, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.local.page import add_page
from bot.local.page.live import Live
from bot.local.slack import Change, Channel, File, Message, Seed, SlackServer, World
from bot.local.slack.seed import default_channels

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(seed=Seed(channels=[*default_channels(), Channel("C0INC", "incidents", "private", ["U0LEAD"])]))
    server = SlackServer(world)
    add_page(server.app, world, templates=TEMPLATES)
    await server.start()
    yield world
    await server.close()


@pytest.fixture
async def http(world: World) -> AsyncIterator[ClientSession]:
    async with ClientSession(world.base_url) as session:
        yield session


async def test_the_page_and_its_parts(http: ClientSession) -> None:
    async with http.get("/", params={"as": "U0LEAD", "c": "incidents"}) as answer:
        html = await answer.text()
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Message #incidents" in html
    for name in ("page.css", "blocks.css", "theme.js", "morph.js", "composer.js", "page.js"):
        assert f"/page/static/{name}" in html
        async with http.get(f"/page/static/{name}") as answer:
            assert answer.status == 200
    async with http.get("/page/static/page.html.j2") as answer:
        assert answer.status == 404


async def test_only_the_wanted_panes_are_drawn(http: ClientSession) -> None:
    async with http.get("/page/panes", params={"as": "U0DEV", "c": "dm", "want": "sidebar"}) as answer:
        body = await answer.json()
    assert body["panes"].keys() == {"sidebar", "title"}
    assert body["channel"] == "D0DEV"


async def test_what_is_refused_is_said_and_nothing_else_is_done(http: ClientSession, world: World) -> None:
    post = {"as": "U0DEV", "channel": "C0INC", "text": "let me in"}
    async with http.post("/page/do/post", json=post) as answer:
        body = await answer.json()
    assert body == {"ok": False, "refused": True, "shown": "U0DEV is not in incidents", "errors": {}}
    async with http.post("/page/do/post", data=json.dumps(post), headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 400  # what a form on another site could send
    async with http.post("/page/do/nothing", json=post) as answer:
        assert answer.status == 400
    assert world.log == []


async def test_a_reaction_is_given_and_taken_back(http: ClientSession, world: World) -> None:
    world.add(Message("C0DEV", world.next_ts(), "hi", user="U0LEAD"))
    message = world.log[0]
    click = {"as": "U0DEV", "channel": "C0DEV", "ts": message.ts, "name": "eyes"}
    async with http.post("/page/do/react", json=click):
        assert [r["users"] for r in message.reactions] == [["U0DEV"]]
    async with http.post("/page/do/react", json=click):
        assert message.reactions == []


async def test_files_are_for_those_who_see_the_channel_and_never_run(http: ClientSession, world: World) -> None:
    world.files["F1"] = File("F1", "a.html", "", 8, "U0ORCH", 0, b"<script>", True, ["C0INC"])
    async with http.get("/page/file/F1", params={"as": "U0DEV"}) as answer:
        assert answer.status == 404
    async with http.get("/page/file/F1", params={"as": "U0LEAD"}) as answer:
        assert (answer.content_type, await answer.read()) == ("text/plain", b"<script>")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with http.get("/page/file/F1", params={"as": "U0LEAD", "download": "1"}) as answer:
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.html"


async def test_changes_are_streamed_to_those_they_concern(http: ClientSession, world: World) -> None:
    async with http.get("/page/events", params={"as": "U0DEV"}) as stream:
        await stream.content.readuntil(b"\n\n")
        world.add(Message("C0DEV", world.next_ts(), "psst", user="U0ORCH", ephemeral_to="U0LEAD"))
        world.add(Message("C0INC", world.next_ts(), "secret", user="U0LEAD"))
        world.add(Message("C0DEV", world.next_ts(), "a &lt; b", user="U0LEAD"))
        async with asyncio.timeout(60):
            line = await stream.content.readuntil(b"\n\n")
    note = json.loads(line.removeprefix(b"data: "))
    assert (note["kind"], note["channel"], note["say"]) == ("message_posted", "C0DEV", "Lee Lead: a < b")


def test_nobody_hears_what_is_not_theirs() -> None:
    live = Live(World())
    assert live.concerns("U0DEV", Change("view_opened", user="U0DEV"))
    assert not live.concerns("U0LEAD", Change("view_opened", user="U0DEV"))
    assert not live.concerns("nobody", Change("message_posted", channel="C0DEV"))
