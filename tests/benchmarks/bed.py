"""Where things are measured: an emulated world in this process, and what talks to it in a process of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from bot.local.models import Script, build_models_app, rehearsal_script
from bot.local.sample import CHECKS, create_sample
from bot.local.slack import Command, Message, SlackServer, World
from bot.store.database import Database
from bot.store.tables import EventRow, OutboxRow, TaskRow
from tests.bot_settings import CHANNEL, DEVELOPER, LEAD, settings_of
from tests.local.slack_bed import app_config

ROOT = Path(__file__).parents[2]
#: Seconds after which something that does not happen is a failure, not a measurement.
PATIENCE = 120.0

SERVE = ("-m", "bot", "serve")
#: The floors: bare Bolt, and bare Bolt with bare DBOS.
BOLT = ("-m", "tests.benchmarks.bare_bolt")
BOLT_AND_DBOS = (*BOLT, "--dbos")


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="orch-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass
class Bed:
    """One emulated world, and the environment that leads a bot to it. Rate limits are off: they are Slack's."""

    world: World
    script: Script
    home: Path
    repository: Path
    environment: dict[str, str]
    _answers: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, *arguments: str, last_words: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
        """`python <arguments>` as a process, connected to this world. It is killed at the end, since a clean stop
        takes seconds and is not measured; with `last_words` it is asked to stop."""
        process = await self.start(*arguments)
        try:
            await self.connected(process)
            yield process
        finally:
            if last_words and process.returncode is None:
                process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await process.wait()
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        with (self.home / "bot.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=ROOT, env=self.environment,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def connected(self, process: asyncio.subprocess.Process) -> None:
        """Until its socket is there; noticed at once, without polling. Raises RuntimeError if it ended instead."""
        arrived = asyncio.ensure_future(self.world.app_connected())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({arrived, ended}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not arrived.done():
                raise RuntimeError(f"no connection: {(self.home / 'bot.log').read_text()[-3000:]}")
        finally:
            arrived.cancel()
            ended.cancel()

    async def ask(self, text: str, *, answered: bool = True) -> tuple[float, float]:
        """Type `/orch <text>`: seconds until the acknowledgement, and until the answer is visible."""
        loop = asyncio.get_running_loop()
        shown: asyncio.Future[float] = loop.create_future()
        watching = asyncio.ensure_future(self._watch(shown)) if answered else None
        await asyncio.sleep(0)  # the watcher subscribes first
        began = time.perf_counter()
        delivery = await self.world.run_command(DEVELOPER, CHANNEL, "/orch", text)
        acked = time.perf_counter()
        if not delivery.acked:
            raise RuntimeError(f"{text!r} was not acknowledged: {delivery.error}")
        if watching is None:
            return acked - began, 0.0
        try:
            async with asyncio.timeout(PATIENCE):
                return acked - began, await shown - began
        finally:
            watching.cancel()

    async def _watch(self, shown: asyncio.Future[float]) -> None:
        with self.world.subscribe() as changes:
            async for change in changes:
                if change.message is not None and change.message.ephemeral_to == DEVELOPER and not shown.done():
                    shown.set_result(time.perf_counter())

    def cards(self) -> list[Message]:
        return [m for m in self.world.messages(CHANNEL) if _key(m).startswith("card/")]

    async def card_shows(self, what: Callable[[Message], bool], count: int = 1) -> list[Message]:
        """Until so many cards are as `what` wants them."""
        with self.world.subscribe() as changes:
            async with asyncio.timeout(PATIENCE):
                while len(found := [card for card in self.cards() if what(card)]) < count:
                    await anext(changes)
        return found

    async def approve(self, card: Message) -> None:
        await self.world.click(LEAD, CHANNEL, card.ts, "task_approve")

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        database = Database(self.environment["DATABASE_URL"])
        try:
            yield database
        finally:
            await database.close()

    async def events(self, task_pk: int | None = None) -> list[tuple[int, str, str, float]]:
        """(task, kind, state, Unix time) of every event, oldest first."""
        query = select(EventRow).order_by(EventRow.id)
        if task_pk is not None:
            query = query.where(EventRow.task_pk == task_pk)
        async with self.database() as database, database.read() as session:
            return [(e.task_pk, e.kind, e.state, e.at.timestamp()) for e in await session.scalars(query)]

    async def quiet(self) -> None:
        """Until nothing is left to be said and no task is on its way."""
        async with self.database() as database, asyncio.timeout(PATIENCE):
            while True:
                async with database.read() as session:
                    mail = (await session.scalars(select(OutboxRow.key).where(OutboxRow.due.is_(True)))).all()
                    busy = select(TaskRow.pk).where(TaskRow.state.in_(("running", "checking", "in_review", "merging")))
                    if not mail and not (await session.scalars(busy)).all():
                        return
                await asyncio.sleep(0.05)


def offers_approval(card: Message) -> bool:
    return any(e.get("action_id") == "task_approve" for block in card.blocks for e in block.get("elements", ()))


def is_merged(card: Message) -> bool:
    return "Merged" in _state(card)


def is_over(card: Message) -> bool:
    """Merged, or in need of a person."""
    return is_merged(card) or "Blocked" in _state(card)


def _state(card: Message) -> str:
    return json.dumps([block for block in card.blocks if block.get("block_id") == "state"])


def _key(message: Message) -> str:
    return str(((message.metadata or {}).get("event_payload") or {}).get("key") or "")


@asynccontextmanager
async def bed(*, checks: Sequence[str] = CHECKS) -> AsyncIterator[Bed]:
    """A world with a sample repository and models that answer at once. Nothing is started yet."""
    with folder() as place:
        repository = place / "sample"
        await asyncio.to_thread(create_sample, repository)
        app = app_config(commands=[Command("/orch", "Give Orch a task")])
        world = World(app)
        world.rates.enabled = False
        server = SlackServer(world)
        script = rehearsal_script()
        server.app.add_subapp("/models", build_models_app(script))
        await server.start()
        home = place / "home"
        home.mkdir()
        environment = settings_of(
            place, app, server, repository=repository, checks=checks,
            database_url=f"sqlite+aiosqlite:///{home / 'orch.db'}",
        )  # fmt: skip
        try:
            yield Bed(world, script, home, repository, environment)
        finally:
            await server.close()
