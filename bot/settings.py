"""Settings: environment and config file -> frozen values. Unknown keys are refused with the nearest name.

Every field stands beside its default and its meaning; `orch init` writes the same words as comments. The plan's own
keys (R-MSG-5) load exactly as the plan wrote them.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bot.domain.budget import LEAN, DayBudget, Limits
from bot.domain.models import current_model
from bot.domain.task import Rung
from bot.errors import ConfigError

RungName = Literal["haiku", "sonnet", "gemini", "opus"]


class Section(BaseModel):
    """Base of every section: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(Section):
    """Dollars per million tokens; only for a model whose price is not known."""

    input: float
    output: float
    cache_write: float | None = None
    cache_read: float | None = None


class ModelSettings(Section):
    """One rung: which model stands behind it and what it may use."""

    id: str = ""
    max_attempts: int = Field(3, ge=1, le=10)  # failed attempts before the next rung (R-ESC-4)
    task_budget: int | None = Field(None, ge=1)  # tokens per attempt, repair included; None = the preset's
    concurrency: int = Field(8, ge=1, le=64)  # attempts at once
    price: Price | None = None
    timeout_seconds: float = Field(180, gt=0, le=3600)  # of one call


DEFAULT_MODELS: dict[RungName, dict[str, Any]] = {
    "haiku": {"id": "claude-haiku-5-5"},
    "sonnet": {"id": "claude-sonnet-5-5"},
    "gemini": {"id": "gemini-3.8-flash"},
    "opus": {"id": "claude-opus-5-5"},
}


class Budgets(Section):
    """Token limits. `preset` fills what is not given: lean (R-BUD-1's numbers) or standard (ten times as much)."""

    preset: Literal["lean", "standard"] = "lean"
    daily: dict[RungName, int] = {}  # tokens a day by rung
    daily_usd: float | None = Field(None, gt=0)  # dollars a day, all rungs together
    sprints: dict[str, dict[RungName, int]] = {}  # tokens of each sprint by rung; the sum limits the sprint
    yellow: float = Field(0.80, gt=0, le=1)
    red: float = Field(0.95, gt=0, le=1)


class Schedule(Section):
    """When the day's posts appear, in each project's time zone."""

    morning: str = "08:00"
    midday: str = "12:00"
    evening: str = "17:00"
    weekly: str = "fri 16:00"
    grace_minutes: int = Field(120, ge=0)


class Policy(Section):
    """How decisions lean."""

    blocker_sla_minutes: int = Field(120, ge=1)
    review_sla_minutes: int = Field(240, ge=1)
    haiku_first: bool = True
    quiet_hours: tuple[str, str] = ("20:00", "07:00")
    security_paths: tuple[str, ...] = ("**/auth/**",)
    learn_from_history: bool = True


class Sandbox(Section):
    """The sandbox that checks run in. Disabled means that checks do not run; they never run bare."""

    enabled: bool = True
    timeout_seconds: int = Field(300, ge=1)
    memory_mb: int = Field(2048, ge=64)
    read_only_paths: tuple[str, ...] = ()


class Holidays(Section):
    """Days off: a country's public holidays, and extra dates (YYYY-MM-DD)."""

    country: str | None = None
    extra: tuple[str, ...] = ()


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Project(Section):
    """One repository, one channel. Ids are Slack's."""

    key: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,15}$")
    repo: str  # a path or any URL that git understands
    channel: str = Field(pattern=r"^[CG][A-Z0-9]+$")
    branch: str = "main"
    timezone: str = "UTC"
    working_days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays: Holidays = Holidays()
    leads: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    security_approvers: tuple[str, ...] = ()
    backups: dict[str, str] = {}
    aliases: dict[str, str] = {}
    self_approval: bool = False
    merge: Literal["squash", "merge"] = "squash"
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    templates_dir: str | None = None

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = get_close_matches(value, sorted(available_timezones()), 1)
            raise ValueError(f"unknown time zone {value!r}{f'; did you mean {near[0]!r}?' if near else ''}")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Config(Section):
    """The config file (ORCH_CONFIG, .json or .toml)."""

    # The plan's own keys (R-MSG-5), as it wrote them.
    name: str = "ORCH"
    model: str | None = None  # the coordinator's model
    mcp: str | None = None
    token_budget_daily: int | None = Field(None, ge=0)
    token_budget_sprint: int | None = Field(None, ge=0)
    sprint_duration_days: int = Field(5, ge=1)
    sprints_total: int | None = Field(None, ge=1)
    escalation_to: str | None = None
    review_mcp: str | None = None
    status: str | None = None

    models: dict[RungName, ModelSettings] = {}
    budgets: Budgets = Budgets()
    schedule: Schedule = Schedule()
    policy: Policy = Policy()
    sandbox: Sandbox = Sandbox()
    projects: tuple[Project, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def fill_models(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Give each rung its default id, so that a file may state only what differs."""
        given = data.get("models") or {}
        if not isinstance(given, Mapping):
            return data
        merged: dict[str, Any] = {
            rung: {**default, **given[rung]}
            if isinstance(given.get(rung, {}), Mapping) and rung in given
            else given.get(rung, default)
            for rung, default in DEFAULT_MODELS.items()
        }
        return {**data, "models": {**given, **merged}}

    @model_validator(mode="after")
    def unique_projects(self) -> Config:
        for what in ("key", "channel"):
            seen: set[str] = set()
            for project in self.projects:
                value = getattr(project, what)
                if value in seen:
                    raise ValueError(f"two projects have the {what} {value!r}; one channel is one project")
                seen.add(value)
        return self

    @property
    def warnings(self) -> tuple[str, ...]:
        """What loads but deserves a word: retired model names, and no projects."""
        named = [self.model, self.escalation_to, *(m.id for m in self.models.values())]
        found = [current_model(name)[1] for name in named if name]
        if not self.projects:
            found.append('no projects are configured: add one under "projects" (`orch init` asks for it)')
        return tuple(w for w in found if w)

    def model_id(self, rung: Rung) -> str:
        """The vendor's model id behind a rung, retired names mapped to today's."""
        return current_model(self.models[rung.value].id)[0]  # type: ignore[index]

    @property
    def limits(self) -> Limits:
        """The token limits that the budgets section and the plan's own keys amount to (R-BUD-1, R-BUD-2)."""
        scale = 10 if self.budgets.preset == "standard" else 1
        day = DayBudget(
            total=LEAN.day.total * scale if self.token_budget_daily is None else self.token_budget_daily,
            rungs={r: self.budgets.daily.get(r.value, n * scale) for r, n in LEAN.day.rungs.items()},  # type: ignore[call-overload]
        )
        return Limits(
            day=day,
            sprint=LEAN.sprint * scale if self.token_budget_sprint is None else self.token_budget_sprint,
            sprints={int(n): sum(rungs.values()) for n, rungs in self.budgets.sprints.items()},
            task={
                r: (self.models[r.value].task_budget or n * scale)  # type: ignore[index]
                for r, n in LEAN.task.items()
            },
            daily_microusd=None if self.budgets.daily_usd is None else round(self.budgets.daily_usd * 1_000_000),
            yellow=self.budgets.yellow,
            red=self.budgets.red,
        )

    def project_of(self, key: str) -> Project:
        return next(p for p in self.projects if p.key == key)


class Settings(Section):
    """Everything the process is told: the environment and the config."""

    config: Config
    home: Path
    database_url: str
    slack_bot_token: str | None
    slack_app_token: str | None
    slack_signing_secret: str | None
    slack_api_url: str
    port: int | None
    anthropic_api_key: str | None
    anthropic_base_url: str | None
    gemini_api_key: str | None
    gemini_base_url: str | None
    executor_id: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured secret value, for the redactor (R-SEC-3)."""
        password = urlsplit(self.database_url).password
        values = (
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
            self.anthropic_api_key,
            self.gemini_api_key,
            password,
        )
        return tuple(v for v in values if v and len(v) >= 8)


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables (DESIGN, "Contract with the outside"). Raises ConfigError."""
    home = Path(env.get("ORCH_HOME") or "~/.orch").expanduser().absolute()
    config_path = env.get("ORCH_CONFIG")
    port = env.get("PORT") or None
    if port is not None and not (port.isdigit() and int(port) < 65536):
        raise ConfigError(f"PORT is {port!r}; it must be a number from 0 to 65535.")
    return Settings(
        config=load_config(Path(config_path).expanduser()) if config_path else Config(),
        home=home,
        database_url=async_url(env.get("DATABASE_URL") or f"sqlite:///{home / 'orch.db'}"),
        slack_bot_token=env.get("SLACK_BOT_TOKEN") or None,
        slack_app_token=env.get("SLACK_APP_TOKEN") or None,
        slack_signing_secret=env.get("SLACK_SIGNING_SECRET") or None,
        slack_api_url=(env.get("SLACK_API_URL") or "https://slack.com/api/").rstrip("/") + "/",
        port=int(port) if port else None,
        anthropic_api_key=env.get("ANTHROPIC_API_KEY") or None,
        anthropic_base_url=env.get("ANTHROPIC_BASE_URL") or None,
        gemini_api_key=env.get("GEMINI_API_KEY") or None,
        gemini_base_url=env.get("GOOGLE_GEMINI_BASE_URL") or None,
        executor_id=env.get("ORCH_EXECUTOR_ID") or "orch-1",
    )


def async_url(url: str) -> str:
    """A database URL as people write it -> with the driver that Orch uses."""
    parts = urlsplit(url)
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgres": "postgresql+psycopg",
        "postgresql": "postgresql+psycopg",
    }
    if parts.scheme in drivers.values():
        return url
    if parts.scheme not in drivers:
        raise ConfigError(
            f"DATABASE_URL starts with {parts.scheme!r}; use sqlite:///path/to/orch.db or postgresql://user@host/name."
        )
    rebuilt = urlunsplit(parts._replace(scheme=drivers[parts.scheme]))
    return url.replace(f"{parts.scheme}:", f"{drivers[parts.scheme]}:", 1) if parts.scheme == "sqlite" else rebuilt


def load_config(path: Path) -> Config:
    """Read a .json or .toml config file. Raises ConfigError that names each wrong key and the nearest right one."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"ORCH_CONFIG: cannot read {path}: {error.strerror}. `orch init` writes one.") from error
    try:
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid {path.suffix.lstrip('.').upper() or 'JSON'}: {error}") from error
    return parse_config(data, str(path))


def parse_config(data: Any, name: str = "the config") -> Config:
    """A config from parsed data. Raises ConfigError."""
    if not isinstance(data, dict):
        raise ConfigError(f"{name} must hold one object with keys such as {', '.join(list(Config.model_fields)[:3])}.")
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{name}:\n" + "\n".join(f"  {_explain(e)}" for e in error.errors())) from error


def _explain(error: Any) -> str:
    """One pydantic error in plain words, with the nearest right name for an unknown key."""
    loc = [str(part) for part in error["loc"]]
    where = ".".join(loc)
    if error["type"] == "extra_forbidden":
        known = _keys_at(loc[:-1])
        near = get_close_matches(loc[-1], known, 1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{where}: unknown key; {hint}"
    if error["type"] == "literal_error" and loc[-1] == "[key]":
        known = list(get_args(RungName))
        near = get_close_matches(loc[-2], known, 1, cutoff=0.5)
        return f"{'.'.join(loc[:-1])}: unknown rung; " + (f"did you mean {near[0]!r}?" if near else ", ".join(known))
    if error["type"] == "missing":
        return f"{where}: missing; this key is required"
    return f"{where}: {error['msg'].removeprefix('Value error, ')} (it is {error['input']!r:.60})"


def _keys_at(path: list[str]) -> list[str]:
    """The keys that the section at `path` knows."""
    section: Any = Config
    for part in path:
        if part.isdigit() or part in get_args(RungName):
            continue
        fields = getattr(section, "model_fields", {})
        if part not in fields:
            return []
        kinds = [fields[part].annotation, *get_args(fields[part].annotation)]
        section = next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), section)
    return list(section.model_fields)
