"""The bot at work: an office -> Bolt app, DBOS, and the loops of a process (ARCHITECTURE.md has a table of them)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

from aiohttp import web
from dbos import DBOS, AsyncSQLAlchemyDatasource, DBOSConfig
from dbos._dbos import _get_dbos_instance  # not exported
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.adapters.health_server import add_health
from bot.adapters.slack_chat import asked, make_client
from bot.listeners import register
from bot.listeners.ci import add_ci
from bot.ports import ModelClient, Reviewer
from bot.settings import Settings
from bot.store.database import Database, hold_alone, keep_log_ahead
from bot.store.migrate import migrate
from bot.store.replicas import Replica
from bot.wiring import build_office, data_folder, need, need_prices
from bot.workflows import health
from bot.workflows.clock import Clock
from bot.workflows.failover import Failover
from bot.workflows.foreman import Foreman
from bot.workflows.health import Probe
from bot.workflows.lookout import Lookout
from bot.workflows.messenger import Messenger
from bot.workflows.narrator import narrate
from bot.workflows.office import Office, utc_now
from bot.workflows.returned import go_on_with_returned
from bot.workflows.slot import register_slots
from bot.workflows.stages import register_stages
from bot.workflows.stopping import end_what_is_unwanted
from bot.workflows.upkeep import Upkeep
from bot.workflows.welcome import welcome_projects

log = logging.getLogger("orch")
PORT_LOG = logging.getLogger("orch.port")

Closers = list[Callable[[], Awaitable[object]]]
Role = Literal["all", "slack", "worker"]

#: DBOS resumes only what the same version started; stages are short and their code tolerates what came before, so the
#: version stands still until a stage's steps change in a way that a half-done one could not go on with.
STAGES_VERSION = "2"
#: How long a stop lets stages come to their end, and then lets go what it cut off. Heroku kills after 30 seconds.
STOP_SECONDS, CUT_SECONDS = 10.0, 5.0


@asynccontextmanager
async def running(
    settings: Settings,
    role: Role = "all",
    say: Callable[[str], None] | None = None,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Office]:
    """The bot at work by the clock `now`, as long as the block lasts. Raises ConfigError before anything is started."""
    need(settings)
    need_prices(settings.config, now().date())
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    closers: Closers = [await hold_alone(settings.database_url)]
    database = Database(settings.database_url)
    tasks: list[asyncio.Task[None]] = []
    closers.append(database.close)
    try:
        await migrate(database, data_folder("migrations"))
        client = make_client(settings.slack_bot_token or "", settings.slack_api_url)
        office = build_office(settings, database, client, now)
        clients: list[ModelClient | Reviewer] = [*office.models.values(), office.reviewer]
        closers.extend(client.close for client in clients)
        if role != "slack":
            office = await _start_stages(office, settings, tasks, closers)
        if say:
            tasks.append(asyncio.create_task(narrate(office, say), name="narrator"))
        secret = settings.slack_signing_secret or "socket mode needs none"
        # The name is its logger's too; without one Bolt reads through sources for one.
        app = AsyncApp(name="bolt", client=client, signing_secret=secret)
        connected = await _start_slack(app, office, settings, tasks, closers) if role != "worker" else None
        if settings.port is not None:
            by_http = role != "worker" and not settings.slack_app_token
            await _listen(settings, settings.port, app if by_http else None, office, tasks, connected, closers)
        yield office
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for close in reversed(closers):
            await close()


async def _start_stages(
    office: Office, settings: Settings, tasks: list[asyncio.Task[None]], closers: Closers
) -> Office:
    url = settings.database_url
    replica = None if office.db.sole else Replica(url, settings.executor_id)
    if replica is not None:
        closers.append(replica.leave)
        await replica.enter()
    DBOS(config=_stages_config(settings))

    async def stop() -> None:
        await _finish_workflows(STOP_SECONDS)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=0)

    closers.append(stop)
    ds = await AsyncSQLAlchemyDatasource.create(url, engine=office.db.engine)
    office = replace(office, ds=ds)
    stages = register_stages(office)
    start_slot = register_slots(office)
    DBOS.launch()
    await stages.adopt()
    await go_on_with_returned(office)
    tasks.append(asyncio.create_task(Foreman(office, stages).run(), name="foreman"))
    tasks.append(asyncio.create_task(end_what_is_unwanted(office), name="stopping"))
    tasks.append(asyncio.create_task(Clock(office, start_slot).run(), name="clock"))
    tasks.append(asyncio.create_task(Upkeep(office).run(), name="upkeep"))
    if replica is not None:
        tasks.append(asyncio.create_task(replica.stay(), name="replica"))
        tasks.append(asyncio.create_task(Failover(replica).run(), name="failover"))
    tasks.append(asyncio.create_task(Lookout(office).run(), name="lookout"))
    return office


def _stages_config(settings: Settings) -> DBOSConfig:
    """Where DBOS keeps its checkpoints: beside our tables on PostgreSQL, else in a file of their own."""
    system = settings.database_url
    if system.startswith("sqlite"):
        keep_log_ahead(settings.home / "stages.db")
        system = f"sqlite:///{settings.home / 'stages.db'}"
    return {
        "name": "orch",
        "system_database_url": system,
        "application_version": STAGES_VERSION,
        "executor_id": settings.executor_id,
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.1,  # nothing is listened for; a stop waits as long as this
    }


async def _start_slack(
    app: AsyncApp, office: Office, settings: Settings, tasks: list[asyncio.Task[None]], closers: Closers
) -> Probe | None:
    """Returns what says whether Slack is connected; None where Slack calls us."""
    await asked(app.client.auth_test())  # a wrong token is said at once, not at the first message
    desk = register(app, office)
    await welcome_projects(office)
    tasks.append(asyncio.create_task(desk.work_left_over(), name="desk"))
    tasks.append(asyncio.create_task(Messenger(office).run(), name="messenger"))
    if settings.slack_app_token:
        handler = AsyncSocketModeHandler(app, settings.slack_app_token, ping_interval=5)
        handler.client.proxy = app.client.proxy
        await asked(handler.connect_async())  # type: ignore[no-untyped-call]
        closers.append(handler.close_async)
        return handler.client.is_connected
    return None


async def _listen(
    settings: Settings, port: int, app: AsyncApp | None, office: Office, tasks: list[asyncio.Task[None]],
    connected: Probe | None, closers: Closers,
) -> None:  # fmt: skip
    """Health, metrics and results of CI on PORT; with an app (HTTP mode) Slack's deliveries too. 0 = any free port: the
    log names it."""
    server = web.Application()

    def alive(task: asyncio.Task[None]) -> Probe:
        async def probe() -> bool:
            return not task.done()

        return probe

    probes: dict[str, Probe] = {"database": partial(health.database_answers, office)}
    if connected:
        probes["slack"] = connected
    probes |= {task.get_name(): alive(task) for task in tasks}
    add_health(server, partial(health.ready, probes), partial(health.numbers, office), office.troubles.now)
    add_ci(server, office, settings.ci_secret)
    if app is not None:

        async def deliver(request: web.Request) -> web.Response:
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        server.router.add_post("/slack/events", deliver)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()
    closers.append(runner.cleanup)
    PORT_LOG.info("listening on port %d", runner.addresses[0][1])


async def _finish_workflows(seconds: float) -> None:
    """Let what is at work come to its end, its outcome recorded, for at most so long; then cut it off, as a crash
    would: it goes on at the next start. DBOS.destroy waits by whole seconds, and leaves running what is not ready,
    which would take the lack of a DBOS for a defect and block its task."""
    if await _all_end_within(seconds):
        return
    instance = _get_dbos_instance()
    left = ", ".join(instance._active_workflows_set.activeList())
    log.info("left in the middle, to go on at the next start: %s", left)
    logging.getLogger("dbos").setLevel(logging.ERROR)  # it warns of each cancelled step
    for task in list(instance._workflow_tasks):
        task.get_loop().call_soon_threadsafe(task.cancel)  # recovered ones may run in a loop of DBOS
    await _all_end_within(CUT_SECONDS)


async def _all_end_within(seconds: float) -> bool:
    active = _get_dbos_instance()._active_workflows_set
    try:
        async with asyncio.timeout(seconds):
            while active.activeList():  # noqa: ASYNC110  (its entries are not ours to wait for)
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True
