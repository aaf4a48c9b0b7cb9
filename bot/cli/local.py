"""`orch local`: the emulated world, and the same bot as `orch serve` pointed at it by URL, token and key only."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.cli.local_team import CHANNEL, DEVELOPER, LEAD, ROLES, people, put_plan
from bot.cli.serve import until_stopped
from bot.domain.working_days import WEEKDAYS
from bot.errors import ConfigError, OrchError
from bot.local.models import Faults, build_models_app, rehearsal_script
from bot.local.page import add_page
from bot.local.sample import CHECKS, EXAMPLES, create_sample
from bot.local.slack import AppConfig, Change, SlackServer, World
from bot.process import running
from bot.settings import Config, Settings, load_settings, parse_config
from bot.wiring import data_folder

#: Seconds an emulated model takes, so that a person can follow the card.
THINKING = 1.2
#: How long `--once` waits for each step, in seconds.
PATIENCE = 120.0


@dataclass(frozen=True)
class Stage:
    """The emulated world, ready: its Slack, its address, and the settings that lead the bot to it."""

    world: World
    address: str
    settings: Settings
    repository: Path
    first_start: bool


async def local(arguments: argparse.Namespace) -> int:
    """Run the world and the bot until stopped; with `--once`, through the whole main job."""
    async with AsyncExitStack() as stack:
        if arguments.once:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orch-once-")))
        else:
            home = load_settings({"ORCH_HOME": os.environ.get("ORCH_HOME", "")}).home / "local"
            if arguments.fresh:
                shutil.rmtree(home, ignore_errors=True)
        stage = await stack.enter_async_context(set_up(arguments, home))
        await stack.enter_async_context(running(stage.settings, say=_say))
        if arguments.once:
            return await play_once(stage, sample=arguments.repo is None)
        await _welcome(stage, arguments)
        await until_stopped()
        _say("Stopping; everything is kept for the next start.")
    return 0


@asynccontextmanager
async def set_up(arguments: argparse.Namespace, home: Path) -> AsyncIterator[Stage]:
    """Start the emulated Slack, its page and the emulated models. Raises ConfigError."""
    repository, branch, first_start = await asyncio.to_thread(_prepare, home, arguments.repo)
    app = AppConfig.from_manifest(yaml.safe_load(data_folder("manifest.yaml").read_bytes()))
    world = World(app, people(), home / "slack.json")
    server = SlackServer(world, "127.0.0.1", 0 if arguments.once else arguments.port)
    add_page(server.app, world, templates=data_folder("templates"))
    thinking = Faults(latency_seconds=0.0 if arguments.once else THINKING)
    server.app.add_subapp("/models", build_models_app(rehearsal_script(), thinking))
    try:
        await server.start()
    except OSError as error:
        raise ConfigError(f"Port {arguments.port} is taken; use `orch local --port 0` for any free one.") from error
    try:
        config = _config(repository, branch, CHECKS if arguments.repo is None else ())
        settings = _settings(server, app, config, home)
        put_plan(home, rehearsed=(settings.anthropic_base_url or "").startswith(server.base_url))
        yield Stage(world, server.base_url, settings, repository, first_start)
    finally:
        await server.close()


def _prepare(home: Path, given: Path | None) -> tuple[Path, str, bool]:
    """(the repository, its branch, whether this is the first start). Raises ConfigError."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    first_start = not (home / "orch.db").exists()
    repository = given.expanduser().absolute() if given else home / "sample"
    if given is None:
        create_sample(repository)
    return repository, _branch(repository), first_start


def _config(repository: Path, branch: str, checks: tuple[str, ...]) -> Config:
    return parse_config(
        {
            "name": "ORCH-LOCAL",
            "budgets": {"preset": "standard"},
            "policy": {"quiet_hours": ["00:00", "00:00"]},  # whoever tries it is there
            "projects": [
                {
                    "key": "GRANTER", "repo": str(repository), "branch": branch, "channel": CHANNEL,
                    "checks": list(checks), "working_days": list(WEEKDAYS), **ROLES,
                }
            ],
        }
    )  # fmt: skip


def _settings(server: SlackServer, app: AppConfig, config: Config, home: Path) -> Settings:
    """The environment's settings with Slack emulated, and each model unless its key is set."""
    mine = load_settings({k: v for k, v in os.environ.items() if k not in ("ORCH_CONFIG", "DATABASE_URL", "PORT")})
    models = f"{server.base_url}/models"
    return mine.model_copy(
        update={
            "config": config,
            "home": home,
            "database_url": f"sqlite+aiosqlite:///{home / 'orch.db'}",
            "slack_bot_token": app.bot_token,
            "slack_app_token": app.app_token,
            "slack_signing_secret": None,
            "slack_api_url": server.api_url,
            "anthropic_api_key": mine.anthropic_api_key or "rehearsal-needs-no-key",
            "anthropic_base_url": mine.anthropic_base_url if mine.anthropic_api_key else f"{models}/anthropic",
            "gemini_api_key": mine.gemini_api_key or "rehearsal-needs-no-key",
            "gemini_base_url": mine.gemini_base_url if mine.gemini_api_key else f"{models}/gemini",
        }
    )


def _branch(repository: Path) -> str:
    """The branch that is checked out there. Raises ConfigError for what is no repository."""
    try:
        return _git(repository, "symbolic-ref", "--short", "HEAD").strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"{repository} is no git repository with a branch checked out.") from error


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True).stdout


async def _welcome(stage: Stage, arguments: argparse.Namespace) -> None:
    both = (stage.settings.anthropic_base_url or "", stage.settings.gemini_base_url or "")
    rehearsed = [name for name, url in zip(("Anthropic", "Gemini"), both, strict=True) if url.startswith(stage.address)]
    _say(f"\n  Orch is at work on an emulated Slack:  {stage.address}/?as={DEVELOPER}")
    if rehearsed:
        _say(f"  Rehearsal: {' and '.join(rehearsed)} are emulated; set their keys to use the real ones.")
    _say(
        f"  Repository: {stage.repository}\n"
        "  Stop with Ctrl+C; the next start goes on from here (--fresh starts over).\n"
    )
    if arguments.open:
        webbrowser.open(f"{stage.address}/?as={DEVELOPER}")
    if stage.first_start:
        await assign_example(stage, sample=arguments.repo is None)


async def assign_example(stage: Stage, *, sample: bool) -> None:
    """The example task, typed by the developer."""
    task = EXAMPLES[0]
    files = f" --files {','.join(task.files)}" if sample else ""
    what = f"{task.text}{files}" if sample else "Write a short CONTRIBUTING guide --files CONTRIBUTING.md"
    await stage.world.run_command(DEVELOPER, CHANNEL, "/orch", f"assign {what}")


async def play_once(stage: Stage, *, sample: bool) -> int:
    """Assign, approve as the lead, merge; print the commit and the diff. Returns the exit code."""
    world = stage.world
    await assign_example(stage, sample=sample)
    try:
        card = await world.wait_for(lambda change: _offers(change, "task_approve", "task_retry"), timeout=PATIENCE)
        assert card.message is not None
        if _offers(card, "task_retry"):
            raise OrchError("The task needs a person, as said above.")
        _say(f"-- <@{LEAD}> clicks Approve merge --")
        await world.click(LEAD, CHANNEL, card.message.ts, "task_approve")
        await world.wait_for(lambda change: _shows_text(change, "Merged* as"), timeout=PATIENCE)
    except TimeoutError as error:
        shown = [m.text for m in world.messages(CHANNEL, LEAD)]
        raise OrchError(f"It did not get that far within {PATIENCE:.0f} s; the channel shows: {shown}") from error
    print(await asyncio.to_thread(_git, stage.repository, "show", "--stat", "--patch", "--format=fuller", "HEAD"))
    return 0


def _offers(change: Change, *actions: str) -> bool:
    """Whether a change shows a message with one of these buttons."""
    blocks = change.message.blocks if change.message else []
    return any(element.get("action_id") in actions for block in blocks for element in block.get("elements", ()))


def _shows_text(change: Change, text: str) -> bool:
    return change.message is not None and text in str(change.message.blocks)


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
