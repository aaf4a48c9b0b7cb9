"""HTTP mode: Slack calls Orch at PORT with signed requests; Orch believes no others."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.local.models import build_models_app, rehearsal_script
from bot.local.sample import create_sample
from bot.local.slack import AppConfig, SlackServer, World
from bot.local.slack.http_delivery import signature
from bot.process import running
from bot.settings import load_settings
from tests.ports import listening

SECRET = "signing-secret-of-the-app"


@dataclass(frozen=True)
class House:
    """Orch in HTTP mode: the workspace that calls it, and its address."""

    world: World
    address: str


@asynccontextmanager
async def in_http_mode(folder: Path) -> AsyncIterator[House]:
    world = World(AppConfig(signing_secret=SECRET))
    world.delivery.ack_timeout = 60.0  # Slack waits 3 s, a busy machine longer
    server = SlackServer(world)
    server.app.add_subapp("/models", build_models_app(rehearsal_script()))
    await server.start()
    create_sample(folder / "sample")
    config = {
        "projects": [{"key": "GRANTER", "repo": str(folder / "sample"), "channel": "C0DEV", "leads": ["U0LEAD"]}],
        "policy": {"welcome": False},
    }
    (folder / "orch.json").write_text(json.dumps(config))
    settings = load_settings(
        {
            "ORCH_HOME": str(folder / "home"),
            "ORCH_CONFIG": str(folder / "orch.json"),
            "SLACK_BOT_TOKEN": world.app.bot_token,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": server.api_url,
            "PORT": "0",
            "ANTHROPIC_API_KEY": "sk-rehearsal",
            "ANTHROPIC_BASE_URL": f"{server.base_url}/models/anthropic",
            "GEMINI_API_KEY": "rehearsal",
            "GOOGLE_GEMINI_BASE_URL": f"{server.base_url}/models/gemini",
        }
    )
    try:
        with listening() as ports:
            async with running(settings):
                address = f"http://127.0.0.1:{ports[0]}"
                world.app.request_url = f"{address}/slack/events"
                yield House(world, address)
    finally:
        await server.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with in_http_mode(tmp_path) as made:
        yield made


async def post(house: House, body: bytes, **headers: str) -> int:
    """Call Orch as somebody would; the status of the answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{house.address}/slack/events"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=kind | names) as answer:
        return answer.status


async def test_http_mode(house: House) -> None:
    """One conversation, since Orch takes seconds to start."""
    world = house.world
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{house.address}/readyz") as answer:
            checks = dict.fromkeys(("database", "foreman", "desk", "messenger"), True)
            assert answer.status == 200 and (told := await answer.json())["status"] == "ready"
            assert told["checks"].items() >= checks.items()
        async with session.get(f"{house.address}/metrics") as answer:
            assert answer.status == 200 and "orch_ack_seconds_count 0.0" in await answer.text()
    async with aiohttp.ClientSession() as session, session.get(f"{house.address}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "troubles": []})
    assert await world.http.verify_url()  # as when the address is entered in the app's settings

    # Somebody who does not know the secret is refused, and so is an old request.
    body, now = b"command=%2Forch&text=list&user_id=U0DEV&channel_id=C0DEV", str(int(time.time()))
    old = str(int(time.time()) - 400)
    assert await post(house, body) == 401
    for secret, stamp in (("another-secret", now), (SECRET, old)):
        signed = signature(secret, stamp, body)
        assert await post(house, body, X_Slack_Signature=signed, X_Slack_Request_Timestamp=stamp) == 401
    right = signature(SECRET, now, body)
    changed = body.replace(b"list", b"assign")
    assert await post(house, changed, X_Slack_Signature=right, X_Slack_Request_Timestamp=now) == 401
    assert world.messages("C0DEV", "U0DEV") == []

    # Slack itself is answered at once, and the card appears.
    sent = await world.run_command(
        "U0DEV", "C0DEV", "/orch", "assign Write docs in docs/usage.md --files docs/usage.md"
    )
    assert (sent.acked, sent.error) == (True, None)
    card = await world.wait_for(lambda change: change.message is not None and "S0-D0-1" in str(change.message.blocks))
    assert card.channel == "C0DEV"

    # A delivery that comes twice is one task.
    (command,) = [request for request in world.faults.signed_requests if b"command=" in request.body]
    assert await world.faults.replay(command) == 200
    await world.run_command("U0DEV", "C0DEV", "/orch", "list all")
    listed = await world.wait_for(lambda c: c.kind == "ephemeral_posted" and "S0-D0-1" in str(c.message))
    assert "S0-D0-2" not in str(listed.message)
