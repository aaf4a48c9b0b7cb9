"""A conversation with Orch: the emulated world, and the real bot in it, over HTTP and WebSocket.

    async with conversation(tmp_path) as orch:
        await orch.dev.types("/orch assign Describe the command line in docs/usage.md")
        card = await orch.channel.shows("S0-D0-1", state="Awaiting approval")
        await orch.lead.clicks("Approve merge", on="S0-D0-1")

One at a time in a process, since DBOS is one of a kind there.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from sqlalchemy import select

from bot.local.models import build_models_app
from bot.local.sample import CHECKS, create_sample
from bot.local.slack import AppConfig, Message, Seed, SlackServer, User, World
from bot.local.slack.seed import default_channels, default_users
from bot.process import running
from bot.settings import load_settings
from bot.store import tasks
from bot.store.tables import EventRow, InboxRow, OutboxRow, TaskRow
from bot.wiring import data_folder
from bot.workflows.office import Office
from tests.acceptance.books import Books
from tests.acceptance.card import CHANNEL, ChannelView, words
from tests.acceptance.clock import MovableClock
from tests.acceptance.models import Models
from tests.acceptance.people import Someone
from tests.acceptance.repository import Repo
from tests.ports import listening
from tests.store.samples import migrated_sqlite

T = TypeVar("T")

#: When a conversation begins, in UTC: on a working day's morning, whenever the test runs. Nothing should depend on it
#: where a test does not ask for another clock: `ORCH_TEST_START=2026-12-31T23:59` begins them all at another moment.
START = datetime.fromisoformat(os.environ.get("ORCH_TEST_START", "2026-11-24T10:00")).replace(tzinfo=UTC)
#: People are alerted at once at any hour of any day. Conversations begin with an empty channel.
AT_ANY_HOUR = {"quiet_hours": ["00:00", "00:00"], "welcome": False}
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

#: How long a step may take, in seconds, on a machine that does other things as well.
PATIENCE = 90.0
#: How often it is looked for what no change in Slack tells, in seconds.
LOOK_SECONDS = 0.25


@dataclass
class Orch:
    """Everybody and everything in the conversation."""

    world: World
    models: Models
    repo: Repo
    office: Office
    home: Path
    since: datetime
    port: int | None = None  # on which the bot listens, where it does

    def __post_init__(self) -> None:
        self.channel = ChannelView(self)
        self.books = Books(self.office, self.models, self.since)
        self.dev, self.lead, self.two = (Someone(self, who) for who in ("U0DEV", "U0LEAD", "U0TWO"))
        self.outsider, self.guest = Someone(self, "U0OUT"), Someone(self, "U0GUEST")
        self.gone, self.stranger = Someone(self, "U0GONE"), Someone(self, "U0ELSE")

    async def until(self, what: Callable[[], T | None], expected: str, patience: float = PATIENCE) -> T:
        """Wait until `what` gives something; looked at after each change that Slack shows, and now and then without."""
        with self.world.subscribe() as changes:
            try:
                async with asyncio.timeout(patience):
                    while not (found := what()):
                        with suppress(TimeoutError):
                            await asyncio.wait_for(anext(changes), LOOK_SECONDS)
                        while not changes.queue.empty():
                            changes.queue.get_nowait()
                    return found
            except TimeoutError:
                shown = "\n".join(f"  {m.channel} {m.ephemeral_to or ''} {words(m)!r}" for m in self.world.log[-8:])
                raise AssertionError(f"waited {patience:.0f} s for {expected}. Slack shows:\n{shown}") from None

    def fresh(self) -> Orch:
        """The same world at the start of another conversation: nothing scripted, nothing broken."""
        self.models.script.clear()
        self.models.faults.status.clear()
        self.models.faults.cut.clear()
        self.models.faults.counting.clear()
        self.world.faults.duplicate, self.world.faults.drop_acks = False, 0
        self.world.faults.drop_acks_of = None
        self.world.faults.planned.clear()
        return self

    async def row(self, task: str) -> TaskRow:
        """The task as the store has it."""
        async with self.office.db.read() as session:
            found = await tasks.find(session, "GRANTER", task)
        assert found is not None, f"there is no task {task}"
        return found

    async def tasks(self) -> list[str]:
        """The ids of all tasks, oldest first."""
        async with self.office.db.read() as session:
            return list(await session.scalars(select(TaskRow.task_id).order_by(TaskRow.pk)))

    async def events(self, task: str, *, remarks: bool = False) -> list[EventRow]:
        """The task's life, oldest first; with `remarks` also what the lookout noted beside it, whenever that was."""
        row = await self.row(task)
        async with self.office.db.read() as session:
            every = await tasks.events(session, row.pk)
        return [event for event in every if remarks or event.kind not in tasks.REMARKS]

    async def remembers(self, message: Message) -> None:
        """Until Orch knows that it posted this message: Slack shows it a moment earlier, and nobody replies so fast."""
        key = ((message.metadata or {}).get("event_payload") or {}).get("key")
        known = select(OutboxRow.key).where(OutboxRow.key == key, OutboxRow.ts == message.ts)
        async with asyncio.timeout(PATIENCE):
            while key and not await self._scalars(known):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def all_is_worked_on(self) -> None:
        """Until no delivery is open: an answer is seen a moment before its delivery is marked as done."""
        open_ones = select(InboxRow.key).where(InboxRow.done_at.is_(None))
        left: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while left := await self._scalars(open_ones):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"never finished: {left}") from None

    async def _scalars(self, query: Any) -> list[Any]:
        async with self.office.db.read() as session:
            return list(await session.scalars(query))


@asynccontextmanager
async def conversation(
    folder: Path,
    database_url: str | None = None,
    *,
    checks: Sequence[str] = CHECKS,
    prepare: Callable[[Repo], object] | None = None,
    keys: frozenset[str] | None = None,
    project: dict[str, Any] | None = None,
    http: bool = False,
    slack: Path | None = None,
    now: Callable[[], datetime] | None = None,
    env: Mapping[str, str] | None = None,
    **config: Any,
) -> AsyncIterator[Orch]:
    """The world and the bot, for one conversation. `prepare` changes the sample repository first; `project` and
    `config` override the configuration; `http`: HTTP mode in place of Socket Mode; `slack`: where Slack
    remembers what was said; `now`: the bot's clock, else one that starts at START; `env`: more of its environment."""
    repo = Repo(folder / "sample")
    create_sample(repo.path)
    if prepare:
        prepare(repo)
    app = AppConfig.from_manifest(_manifest())
    world = World(app, _people(), slack)
    world.delivery.retry_delays = (0.0, 0.0, 0.0)
    world.delivery.ack_timeout = world.triggers.seconds = PATIENCE  # Slack waits 3 s, a busy machine longer
    server = SlackServer(world)
    models = Models()
    server.app.add_subapp("/models", build_models_app(models.script, models.faults, keys))
    await server.start()
    try:
        settings = load_settings(
            {
                "ORCH_HOME": str(folder / "home"),
                "ORCH_CONFIG": str(_config(folder, repo, checks, project or {}, config)),
                "DATABASE_URL": database_url or migrated_sqlite(folder / "orch.db"),
                "SLACK_API_URL": server.api_url,
                "SLACK_BOT_TOKEN": app.bot_token,
                "ANTHROPIC_API_KEY": "sk-ant-for-the-emulated-one",
                "ANTHROPIC_BASE_URL": f"{server.base_url}/models/anthropic",
                "GEMINI_API_KEY": "key-for-the-emulated-gemini",
                "GOOGLE_GEMINI_BASE_URL": f"{server.base_url}/models/gemini",
                **({"SLACK_SIGNING_SECRET": app.signing_secret, "PORT": "0"} if http else {}),
                **({} if http else {"SLACK_APP_TOKEN": app.app_token}),
                **(env or {}),
            }
        )
        clock = now or _clock(folder)
        since = clock()
        with listening() as ports:
            async with running(settings, now=clock) as office:
                port = ports[0] if ports else None
                app.request_url = f"http://127.0.0.1:{port}/slack/events" if http else None
                await world.app_connected()
                orch = Orch(world, models, repo, office, folder / "home", since, port)
                yield orch
                await orch.books.so_far()
    finally:
        await server.close()


@cache
def _manifest() -> dict[str, Any]:
    """Read once in a process, since PyYAML takes 0.02 s for it."""
    manifest: dict[str, Any] = yaml.safe_load(data_folder("manifest.yaml").read_bytes())
    return manifest


@cache
def _clock(folder: Path) -> MovableClock:
    """One for a folder, since time goes on when the bot is started again in it."""
    return MovableClock(START)


def _config(folder: Path, repo: Repo, checks: Sequence[str], project: dict[str, Any], config: dict[str, Any]) -> Path:
    told = {
        "name": "ACCEPTANCE",
        "budgets": {"preset": "standard"},
        "projects": [
            {
                "key": "GRANTER",
                "repo": str(repo.path),
                "channel": CHANNEL,
                "leads": ["U0LEAD"],
                "approvers": ["U0TWO"],
                "checks": list(checks),
                "working_days": EVERY_DAY,
                **project,
            }
        ],
        **config,
        "policy": {**AT_ANY_HOUR, **config.get("policy", {})},
    }
    path = folder / "orch.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def _people() -> Seed:
    """The usual cast, someone who was deactivated, and a member of another workspace."""
    users = [*default_users(), User("U0GONE", "gone", "Gil Gone"), User("U0ELSE", "else", "Elle Else", team_id="T0X")]
    channels = default_channels()
    channels[0].members += ["U0GONE", "U0ELSE"]
    return Seed(users=users, channels=channels)
