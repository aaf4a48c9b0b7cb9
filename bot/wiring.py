"""The composition root: settings -> rules and adapters -> office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.anthropic_batches import AnthropicBatches
from bot.adapters.anthropic_model import AnthropicModel
from bot.adapters.charts import ProcessCharts
from bot.adapters.checks import SandboxedChecks
from bot.adapters.gemini_batches import GeminiBatches
from bot.adapters.gemini_model import GeminiReviewer
from bot.adapters.git import GitRepository
from bot.adapters.plan_file import PlanFolders
from bot.adapters.prices import PriceBook
from bot.adapters.public_holidays import public_holidays
from bot.adapters.router_weights import text_model
from bot.adapters.sandbox import SandboxSettings
from bot.adapters.slack_chat import SlackChat
from bot.domain.approvals import Team
from bot.domain.project import Project, Projects
from bot.domain.secrets import Redactor
from bot.domain.task import Rung
from bot.domain.working_days import WorkingDays
from bot.errors import ConfigError
from bot.render import Renderer
from bot.settings import Config, Settings
from bot.settings import Project as ProjectSettings
from bot.store.database import Database
from bot.workflows.office import Office, utc_now

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
        team=team_of(project),
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
        batch_by_deadline=config.policy.batch_by_deadline,
        batch_reviews=config.policy.batch_reviews,
        light_reviewer=config.light_reviewer,
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


def team_of(project: ProjectSettings) -> Team:
    return Team(
        leads=project.leads,
        approvers=project.approvers,
        security_approvers=project.security_approvers,
        self_approval=project.self_approval,
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


def claude_models(settings: Settings) -> dict[Rung, AnthropicModel]:
    """Each rung's client; those that wait equally long share one."""
    models = settings.config.models
    waits = {Rung(name): model.timeout_seconds for name, model in models.items() if name != "gemini"}
    made = {seconds: AnthropicModel(settings.anthropic_api_key or "", settings.anthropic_base_url, seconds)
            for seconds in set(waits.values())}  # fmt: skip
    return {rung: made[seconds] for rung, seconds in waits.items()}


def gemini_reviewer(settings: Settings) -> GeminiReviewer:
    waits = settings.config.models["gemini"].timeout_seconds
    return GeminiReviewer(settings.gemini_api_key or "", settings.gemini_base_url, timeout_seconds=waits)


def build_office(
    settings: Settings, database: Database, client: AsyncWebClient, now: Callable[[], datetime] = utc_now
) -> Office:
    """Every adapter, made from settings. Raises ConfigError."""
    config = settings.config
    redact = Redactor(settings.secrets)
    prices = PriceBook(config.own_prices)
    templates = data_folder("templates")
    claude, gemini = claude_models(settings), gemini_reviewer(settings)
    return Office(
        projects=Projects((p.key, project_rules(config, p)) for p in config.projects),
        db=database,
        chat=SlackChat(client),
        render=Renderer(templates),
        own_words={p.key: Renderer(templates, [Path(p.templates_dir)]) for p in config.projects if p.templates_dir},
        repositories={p.key: repository(settings, p, redact) for p in config.projects},
        models={**claude, Rung.GEMINI: gemini},
        batches={
            **{rung: AnthropicBatches(model) for rung, model in claude.items()},
            Rung.GEMINI: GeminiBatches(gemini),
        },
        reviewer=gemini,
        checks=checks_runner(settings, redact),
        price=prices.price,
        redact=redact,
        secrets=settings.secrets,
        charts=ProcessCharts(),
        patience=config.patience,
        retention=timedelta(days=config.policy.retention_days) if config.policy.retention_days else None,
        plans=PlanFolders(plan_folders(settings)),
        now=now,
    )


def need_prices(config: Config, today: date) -> None:
    """Raises ConfigError for the first model whose price is unknown: its calls could not be reserved."""
    prices = PriceBook(config.own_prices)
    for model in config.paid_models.values():
        prices.price(model, today)
