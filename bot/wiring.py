"""The composition root: settings -> adapters -> office -> Bolt app, DBOS, foreman and messenger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from aiohttp import web
from dbos import DBOS, AsyncSQLAlchemyDatasource, DBOSConfig
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.anthropic_batches import AnthropicBatches
from bot.adapters.anthropic_model import AnthropicModel
from bot.adapters.charts import ProcessCharts
from bot.adapters.checks import SandboxedChecks
from bot.adapters.gemini_model import GeminiReviewer
from bot.adapters.git import GitRepository
from bot.adapters.health_server import add_health
from bot.adapters.plan_file import PlanFolders
from bot.adapters.prices import PriceBook
from bot.adapters.public_holidays import public_holidays
from bot.adapters.router_weights import text_model
from bot.adapters.sandbox import SandboxSettings
from bot.adapters.slack_chat import SlackChat, asked, make_client
from bot.domain.approvals import Team
from bot.domain.project import Project
from bot.domain.secrets import Redactor
from bot.domain.task import Rung
from bot.domain.working_days import WorkingDays
from bot.errors import ConfigError
from bot.listeners import register
from bot.listeners.ci import add_ci
from bot.ports import ModelClient, Reviewer
from bot.render import Renderer
from bot.settings import Config, Settings
from bot.settings import Project as ProjectSettings
from bot.store.database import Database, hold_alone, keep_log_ahead
from bot.store.migrate import migrate
from bot.store.replicas import Replica
from bot.workflows import health
from bot.workflows.clock import Clock
from bot.workflows.failover import Failover
from bot.workflows.foreman import Foreman
from bot.workflows.health import Probe
from bot.workflows.lookout import Lookout
from bot.workflows.messenger import Messenger
from bot.workflows.narrator import narrate
from bot.workflows.office import Office, utc_now
from bot.workflows.slot import register_slots
from bot.workflows.stages import register_stages
from bot.workflows.stopping import end_what_is_unwanted
from bot.workflows.welcome import welcome_projects

log = logging.getLogger("orch")

Closers = list[Callable[[], Awaitable[object]]]
Role = Literal["all", "slack", "worker"]

#: DBOS resumes only what the same version started; stages are short and their code tolerates what came before, so the
#: version stands still until a stage's steps change in a way that a half-done one could not go on with.
STAGES_VERSION = "2"
#: How long a stop lets stages come to their end.
STOP_SECONDS = 5.0
#: The years around a start whose public holidays are known: sprints of the past, and a process that runs long.
YEARS_BACK, YEARS_AHEAD = 2, 5


def data_folder(name: str) -> Path:
    """templates/ or migrations/: beside the package in a checkout, inside it in an installed wheel."""
    inside = Path(__file__).parent / "_data" / name
    return inside if inside.exists() else Path(__file__).parent.parent / name


def plan_folders(settings: Settings) -> tuple[Path, Path]:
    """Where plans are looked for by name: a team's own first, then Orch's."""
    return settings.home / "plans", data_folder("templates") / "plans"


def project_rules(config: Config, project: ProjectSettings) -> Project:
    """A project's configuration as the domain sees it."""
    rungs = {Rung(name): model for name, model in config.models.items()}
    quiet_from, quiet_to = config.policy.quiet_hours
    asked = project.people_standup
    return Project(
        key=project.key,
        channel=project.channel,
        branch=project.branch,
        timezone=project.timezone,
        team=Team(
            leads=project.leads,
            approvers=project.approvers,
            security_approvers=project.security_approvers,
            self_approval=project.self_approval,
        ),
        limits=config.limits,
        models={rung: config.model_id(rung) for rung in rungs},
        coordinator=config.coordinator,
        max_attempts={rung: model.max_attempts for rung, model in rungs.items()},
        concurrency={rung: model.concurrency for rung, model in rungs.items()},
        merge=project.merge,
        setup=project.setup,
        checks=project.checks,
        security_paths=config.policy.security_paths,
        haiku_first=config.policy.haiku_first,
        learn_from_history=config.policy.learn_from_history,
        batch_low_priority=config.policy.batch_low_priority,
        text_model=text_model(),
        aliases=project.aliases,
        working_days=working_days(project),
        quiet_hours=(time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)),
        backups=project.backups,
        blocker_sla=timedelta(minutes=config.policy.blocker_sla_minutes),
        times=config.schedule.times,
        grace=timedelta(minutes=config.schedule.grace_minutes),
        review_sla=timedelta(minutes=config.policy.review_sla_minutes),
        welcome=config.policy.welcome,
        people_standup=timedelta(minutes=asked.minutes_before) if asked.enabled else None,
    )


def working_days(project: ProjectSettings) -> WorkingDays:
    """The weekdays that are worked on, without the country's public holidays and the project's own days off."""
    extra = frozenset(date.fromisoformat(day) for day in project.holidays.extra)
    this_year = datetime.now(project.zone).year
    years = range(this_year - YEARS_BACK, this_year + YEARS_AHEAD + 1)
    public = public_holidays(project.holidays.country, years) if project.holidays.country else frozenset()
    return WorkingDays(weekdays=project.working_days, off=extra | public)


def checks_runner(settings: Settings, redact: Callable[[str], str]) -> SandboxedChecks:
    box = settings.config.sandbox
    sandbox = SandboxSettings(
        enabled=box.enabled,
        timeout_seconds=box.timeout_seconds,
        memory_mb=box.memory_mb,
        read_only_paths=box.read_only_paths,
    )
    return SandboxedChecks(sandbox, settings.home, redact)


def repository(settings: Settings, project: ProjectSettings, redact: Callable[[str], str]) -> GitRepository:
    return GitRepository(project.repo, project.branch, settings.home, project.key, redact)


def need(settings: Settings) -> None:
    """Raises ConfigError that names every variable which `orch serve` lacks."""
    missing = [
        name
        for name, value in (
            ("SLACK_BOT_TOKEN", settings.slack_bot_token),
            (
                "SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET and PORT)",
                settings.slack_app_token or settings.slack_signing_secret,
            ),
            ("ANTHROPIC_API_KEY", settings.anthropic_api_key),
            ("GEMINI_API_KEY", settings.gemini_api_key),
        )
        if not value
    ]
    if settings.slack_signing_secret and not settings.slack_app_token and settings.port is None:
        missing.append("PORT (with SLACK_SIGNING_SECRET, Slack calls us)")
    if missing:
        raise ConfigError(
            f"Not set: {', '.join(missing)}. README.md says where each comes from; `orch local` needs none of them."
        )


def build_office(
    settings: Settings, database: Database, client: AsyncWebClient, now: Callable[[], datetime] = utc_now
) -> Office:
    """Every adapter, made from settings. Raises ConfigError."""
    config = settings.config
    redact = Redactor(settings.secrets)
    prices = PriceBook(config.own_prices)
    templates = data_folder("templates")
    slowest = max(model.timeout_seconds for model in config.models.values())
    claude = AnthropicModel(settings.anthropic_api_key or "", settings.anthropic_base_url, slowest)
    gemini = GeminiReviewer(settings.gemini_api_key or "", settings.gemini_base_url, timeout_seconds=slowest)
    return Office(
        projects={p.key: project_rules(config, p) for p in config.projects},
        db=database,
        chat=SlackChat(client),
        render=Renderer(templates),
        own_words={p.key: Renderer(templates, [Path(p.templates_dir)]) for p in config.projects if p.templates_dir},
        repositories={p.key: repository(settings, p, redact) for p in config.projects},
        models={Rung.HAIKU: claude, Rung.SONNET: claude, Rung.OPUS: claude, Rung.GEMINI: gemini},
        batches=AnthropicBatches(claude),
        reviewer=gemini,
        checks=checks_runner(settings, redact),
        price=prices.price,
        redact=redact,
        secrets=settings.secrets,
        charts=ProcessCharts(),
        patience=config.patience,
        plans=PlanFolders(plan_folders(settings)),
        now=now,
    )


def need_prices(config: Config, today: date) -> None:
    """Raises ConfigError for the first model whose price is unknown: its calls could not be reserved."""
    prices = PriceBook(config.own_prices)
    for model in config.paid_models.values():
        prices.price(model, today)


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
        app = AsyncApp(client=client, signing_secret=settings.slack_signing_secret or "socket mode needs none")
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
    system = url
    if url.startswith("sqlite"):
        keep_log_ahead(settings.home / "stages.db")
        system = f"sqlite:///{settings.home / 'stages.db'}"
    config: DBOSConfig = {
        "name": "orch",
        "system_database_url": system,
        "application_version": STAGES_VERSION,
        "executor_id": settings.executor_id,
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 0.1,  # nothing is listened for; a stop waits as long as this
    }
    replica = None if office.db.sole else Replica(url, settings.executor_id)
    if replica is not None:
        closers.append(replica.leave)
        await replica.enter()
    DBOS(config=config)

    async def stop() -> None:
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=0)

    closers.append(stop)
    ds = await AsyncSQLAlchemyDatasource.create(url, engine=office.db.engine)
    office = replace(office, ds=ds)
    stages = register_stages(office)
    closers.append(lambda: stages.finish(STOP_SECONDS))
    start_slot = register_slots(office)
    DBOS.launch()
    await stages.adopt()
    tasks.append(asyncio.create_task(Foreman(office, stages).run(), name="foreman"))
    tasks.append(asyncio.create_task(end_what_is_unwanted(office), name="stopping"))
    tasks.append(asyncio.create_task(Clock(office, start_slot).run(), name="clock"))
    if replica is not None:
        tasks.append(asyncio.create_task(replica.stay(), name="replica"))
        tasks.append(asyncio.create_task(Failover(replica).run(), name="failover"))
    tasks.append(asyncio.create_task(Lookout(office).run(), name="lookout"))
    return office


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
    """Health, metrics and results of CI on PORT; with an app (HTTP mode) Slack's deliveries too. 0 = any free port."""
    server = web.Application()

    def alive(task: asyncio.Task[None]) -> Probe:
        async def probe() -> bool:
            return not task.done()

        return probe

    probes: dict[str, Probe] = {"database": partial(health.database_answers, office)}
    if connected:
        probes["slack"] = connected
    probes |= {task.get_name(): alive(task) for task in tasks}
    add_health(server, partial(health.ready, probes), partial(health.numbers, office))
    add_ci(server, office, settings.ci_secret)
    if app is not None:

        async def deliver(request: web.Request) -> web.Response:
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        server.router.add_post("/slack/events", deliver)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()
    closers.append(runner.cleanup)
