"""The emulated world as `orch doctor` meets it: all is well, until a test breaks something."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from bot.cli.doctor import examine
from bot.local.models import Faults, Script, build_models_app, rehearsal_script
from bot.local.sample import create_sample
from bot.local.slack import AppConfig, SlackServer, World
from bot.wiring import data_folder

ANTHROPIC_KEY, GEMINI_KEY = "sk-ant-api03-good-key", "AIza-good-key"


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(data_folder("manifest.yaml").read_text(encoding="utf-8"))
    return found


@dataclass
class Bed:
    """What a test may break: the workspace, the environment, the config, the models."""

    world: World
    environment: dict[str, str]
    config: dict[str, Any]
    folder: Path
    faults: Faults
    script: Script
    lines: list[str] = field(default_factory=list)
    slack_clock_off: float = 0  # seconds

    @property
    def project(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["projects"][0]
        return found

    async def doctor(self) -> int:
        """Run `orch doctor`; what it says is in `lines`."""
        self._write_config()
        self.lines.clear()
        return await examine(self.environment, self.lines.append)

    def _write_config(self) -> None:
        (self.folder / "orch.json").write_text(json.dumps(self.config))

    def about(self, start: str) -> str:
        """The finding that starts so (mark and name)."""
        found = [line for line in self.lines if line.startswith(start)]
        assert found, f"nothing starts with {start!r} in:\n" + "\n".join(self.lines)
        return found[0]


@asynccontextmanager
async def world_that_is_well(folder: Path) -> AsyncIterator[Bed]:
    app = AppConfig(scopes=list(manifest()["oauth_config"]["scopes"]["bot"]))
    world, faults, script = World(app), Faults(), rehearsal_script()
    server = SlackServer(world)
    keys = frozenset({ANTHROPIC_KEY, GEMINI_KEY})
    server.app.add_subapp("/models", build_models_app(script, faults, keys))
    create_sample(folder / "sample")
    people = {"leads": ["U0LEAD"], "approvers": ["U0TWO", "U0OUT"], "security_approvers": ["U0LEAD", "U0TWO"]}
    project = {"key": "GRANTER", "repo": str(folder / "sample"), "channel": "C0DEV", "checks": ["true"], **people}
    bed = Bed(world, {}, {"projects": [project]}, folder, faults, script)

    async def tell_time(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(time.time() + bed.slack_clock_off, usegmt=True)

    server.app.on_response_prepare.append(tell_time)
    await server.start()
    bed.environment = environment_of(server, folder)
    try:
        yield bed
    finally:
        await server.close()


def environment_of(server: SlackServer, folder: Path) -> dict[str, str]:
    """The variables that lead the bot to the emulated world."""
    return {
        "ORCH_HOME": str(folder / "home"),
        "ORCH_CONFIG": str(folder / "orch.json"),
        "SLACK_BOT_TOKEN": server.world.app.bot_token,
        "SLACK_APP_TOKEN": server.world.app.app_token,
        "SLACK_API_URL": server.api_url,
        "ANTHROPIC_API_KEY": ANTHROPIC_KEY,
        "ANTHROPIC_BASE_URL": f"{server.base_url}/models/anthropic",
        "GEMINI_API_KEY": GEMINI_KEY,
        "GOOGLE_GEMINI_BASE_URL": f"{server.base_url}/models/gemini",
    }
