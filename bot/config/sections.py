"""The config file as values. Each key stands beside its default and its meaning; `orch init` writes the same words
as comments, and bot/config/file.py reads the file and explains what is wrong with one.

The plan's own keys (R-MSG-5) load exactly as the plan wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.config.values import (
    Branch,
    ChannelId,
    Clock,
    Command,
    Country,
    Date,
    Dollars,
    Key,
    PerMillion,
    Place,
    RungName,
    SprintNumber,
    Tokens,
    UserId,
    Weekday,
    WeekdayClock,
    Zone,
)
from bot.domain.budget import LEAN, DayBudget, Limits
from bot.domain.models import CURRENT, current_model, is_claude
from bot.domain.prices import Price as ModelPrice
from bot.domain.prices import price_from_dollars
from bot.domain.providers import Patience
from bot.domain.slots import KINDS, Times
from bot.domain.task import Rung


class Section(BaseModel):
    """Base of every section: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(Section):
    """Dollars per million tokens; only for a model whose price is not known."""

    input: PerMillion = Field(description="of what the model reads")
    output: PerMillion = Field(description="of what the model writes")
    cache_write: PerMillion | None = Field(
        None, description="of what is put into the prompt cache; none = 1.25 times input"
    )
    cache_read: PerMillion | None = Field(None, description="of what is read from the prompt cache; none = input")


class ModelSettings(Section):
    """One rung: which model stands behind it, and what it may use."""

    id: str = Field("", description="the vendor's name of the model; `orch doctor` checks that your key may use it")
    max_attempts: int = Field(3, ge=1, le=10, description="failed attempts before the next rung")
    task_budget: int | None = Field(
        None, ge=1, description="tokens per attempt, its repair included; none = the preset's", examples=[5000]
    )
    concurrency: int = Field(8, ge=1, le=64, description="attempts at once")
    price: Price | None = Field(
        None,
        description="dollars per million tokens; only for a model whose price is not known",
        examples=[{"input": 0.10, "output": 0.50}],
    )
    timeout_seconds: float = Field(180, gt=0, le=3600, description="of one call")


#: Today's model behind each rung, where the file names no other.
DEFAULT_MODELS: dict[RungName, dict[str, Any]] = {rung: {"id": CURRENT[rung]} for rung in get_args(RungName)}


class Budgets(Section):
    """Token limits. Used and reserved tokens count together; no limit is ever exceeded."""

    preset: Literal["lean", "standard"] = Field(
        "lean",
        description="fills what is not given: lean = 30,000 tokens a day, 150,000 a sprint; standard = ten times that",
    )
    daily: dict[RungName, Tokens] = Field(
        {}, description="tokens a day by rung; opus has 0 unless you give it some", examples=[{"haiku": 15000}]
    )
    daily_usd: Dollars | None = Field(None, description="dollars a day, all rungs together", examples=[5.0])
    sprint_usd: Dollars | None = Field(None, description="dollars a sprint, all rungs together", examples=[25.0])
    sprints: dict[SprintNumber, dict[RungName, Tokens]] = Field(
        {},
        description="tokens of single sprints by rung; their sum limits the sprint",
        examples=[{"0": {"haiku": 18000, "sonnet": 4000, "gemini": 2000}}],
    )
    yellow: float = Field(0.80, gt=0, le=1, description="share of a daily budget at which an alert appears")
    red: float = Field(0.95, gt=0, le=1, description="share of a daily budget at which no new attempt starts")

    @model_validator(mode="after")
    def yellow_before_red(self) -> Budgets:
        if self.yellow > self.red:
            raise ValueError(f"yellow ({self.yellow:g}) must not lie above red ({self.red:g})")
        return self


class Schedule(Section):
    """When the day's posts appear, in each project's time zone."""

    morning: Clock = Field("08:00", description="stand-up")
    midday: Clock = Field("12:00", description="checkpoint")
    evening: Clock = Field("17:00", description="consolidation")
    weekly: WeekdayClock = Field("fri 16:00", description="the week's report")
    grace_minutes: int = Field(
        120, ge=0, description="how late a post that was missed while Orch was down still appears"
    )

    @property
    def times(self) -> Times:
        """As decisions see them."""
        return Times().changed({kind: getattr(self, kind) for kind in KINDS})

    @model_validator(mode="after")
    def in_order(self) -> Schedule:
        if self.times.disorder:
            raise ValueError(self.times.disorder)
        return self


class Policy(Section):
    """How decisions lean."""

    blocker_sla_minutes: int = Field(120, ge=1, description="a blocker is answered within this time, or escalated")
    review_sla_minutes: int = Field(240, ge=1, description="a review is done within this time, or a person is told")
    haiku_first: bool = Field(True, description="try the cheapest rung where the matrix allows it")
    batch_low_priority: bool = Field(
        True, description="tasks of low priority wait in the provider's batch, for up to a day, at half the price"
    )
    batch_poll_seconds: float = Field(60, ge=0.05, le=3600, description="how often a batch is looked at")
    quiet_hours: tuple[Clock, Clock] = Field(
        ("20:00", "07:00"), description="nobody is alerted, critical blockers apart"
    )
    security_paths: tuple[str, ...] = Field(("**/auth/**",), description="tasks on these files are security tasks")
    provider_backoff_seconds: float = Field(
        2.0, gt=0, le=60, description="longest first wait before a provider that refused a call is asked again"
    )
    provider_rest_seconds: tuple[Annotated[float, Field(gt=0, le=3600)], ...] = Field(
        (60, 120, 300),
        min_length=1,
        description="how long a provider that keeps failing rests: at first, then, and each time after that",
    )
    learn_from_history: bool = Field(True, description="let the outcomes of earlier tasks refine the routes")
    welcome: bool = Field(True, description="say hello in a project's channel, once, before its first task")


class Sandbox(Section):
    """The sandbox that checks run in (bubblewrap). Without one, checks do not run; they never run bare."""

    enabled: bool = Field(True, description="false: checks do not run, and a person decides")
    timeout_seconds: int = Field(300, ge=1, description="of one command")
    memory_mb: int = Field(2048, ge=64, description="of all processes of a command together")
    read_only_paths: tuple[str, ...] = Field(
        (), description="folders that checks may read beside the system's", examples=[["/opt/node"]]
    )


class Holidays(Section):
    """Days off."""

    country: Country | None = Field(None, description="whose public holidays are days off")
    extra: tuple[Date, ...] = Field((), description="further days off")


class PeopleStandup(Section):
    """People are asked what is done, next and blocked before the stand-up; their answers join it."""

    enabled: bool = Field(False, description="true: whoever has open tasks is asked by direct message")
    minutes_before: int = Field(
        45, ge=5, le=720, description="how long before the stand-up; nobody is asked in quiet hours or on leave"
    )


class Project(Section):
    """One repository, one channel. Ids are Slack's."""

    key: Key = Field(description="short name, before the ids of tasks")
    repo: Place = Field(repr=False, description="a path or any address that git understands")
    channel: ChannelId = Field(description="id of the Slack channel; one channel is one project")
    branch: Branch = Field("main", description="what tasks start from and are merged into")
    timezone: Zone = Field("UTC", description="times without a zone are in this one")
    working_days: tuple[Weekday, ...] = Field(("mon", "tue", "wed", "thu", "fri"), description="days with posts")
    holidays: Holidays = Field(
        Holidays(), description="days off", examples=[{"country": "PT", "extra": ["2026-12-24"]}]
    )
    leads: tuple[UserId, ...] = Field((), description="may do everything, budgets and sprints too; also approve")
    approvers: tuple[UserId, ...] = Field((), description="may approve merges")
    security_approvers: tuple[UserId, ...] = Field(
        (), description="one of the two who approve a security task; none = the leads", examples=[["U0123ABCD"]]
    )
    backups: dict[UserId, UserId] = Field(
        {}, description="who stands in for whom while away", examples=[{"U0123ABCD": "U0456EFGH"}]
    )
    aliases: dict[str, UserId] = Field(
        {}, description="names that plans use for people", examples=[{"human-dev-1": "U0123ABCD"}]
    )
    self_approval: bool = Field(False, description="may people approve their own ordinary tasks?")
    merge: Literal["squash", "merge"] = Field(
        "squash", description="squash = one commit a task; merge = a merge commit"
    )
    setup: tuple[Command, ...] = Field(
        (), description="prepare for the checks, with network, once per set of lock files", examples=[["npm ci"]]
    )
    checks: tuple[Command, ...] = Field((), description="commands that must pass, in the sandbox, without network")
    people_standup: PeopleStandup = Field(
        PeopleStandup(),
        description="ask people before the stand-up",
        examples=[{"enabled": True, "minutes_before": 45}],
    )
    templates_dir: str | None = Field(
        None, description="folder with your own templates", examples=["/etc/orch/templates"]
    )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Config(Section):
    """The config file (ORCH_CONFIG, .json or .toml)."""

    # The plan's own keys (R-MSG-5), as it wrote them.
    name: str = Field("ORCH", description="what this installation is called")
    model: str | None = Field(
        None, description="the coordinator's model, which classifies what the rules leave unsure; none = haiku's"
    )
    mcp: str | None = Field(None, description="of the plan; read, not used")
    token_budget_daily: Tokens | None = Field(
        None, description="tokens a day, all rungs together; none = the preset's", examples=[30000]
    )
    token_budget_sprint: Tokens | None = Field(
        None, description="tokens a sprint; none = the preset's", examples=[150000]
    )
    sprint_duration_days: int = Field(
        5, ge=1, description="of the plan; read, not used: a sprint lasts as long as its plan says"
    )
    sprints_total: int | None = Field(None, ge=1, description="of the plan; read, not used", examples=[5])
    escalation_to: str | None = Field(None, description="of the plan; read, not used")
    review_mcp: str | None = Field(None, description="of the plan; read, not used")
    status: str | None = Field(None, description="of the plan; read, not used")

    models: dict[RungName, ModelSettings] = Field({}, description="which model stands behind each rung")
    budgets: Budgets = Field(Budgets(), description="token limits")
    schedule: Schedule = Field(Schedule(), description="when the day's posts appear")
    policy: Policy = Field(Policy(), description="how decisions lean")
    sandbox: Sandbox = Field(Sandbox(), description="the sandbox that checks run in")
    projects: tuple[Project, ...] = Field((), description="one repository and one channel each")

    @model_validator(mode="before")
    @classmethod
    def fill_models(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Give each rung its default id, so that a file may state only what differs."""
        given = data.get("models", {})
        if not isinstance(given, Mapping):
            return data
        merged: dict[str, Any] = {}
        for rung, default in DEFAULT_MODELS.items():
            stated = given.get(rung, {})
            merged[rung] = {**default, **stated} if isinstance(stated, Mapping) else stated
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
        if 0 in (self.limits.day.total, self.limits.sprint):
            found.append("the budget of the day or of the sprint is 0 tokens, so no paid work starts")
        return tuple(w for w in found if w)

    @property
    def own_prices(self) -> dict[str, ModelPrice]:
        """Model id -> the price that the file gives it; it wins over the price list."""
        given = {Rung(name): model.price for name, model in self.models.items() if model.price}
        return {
            self.model_id(rung): price_from_dollars(own.input, own.output, own.cache_write, own.cache_read)
            for rung, own in given.items()
        }

    def model_id(self, rung: Rung) -> str:
        """The vendor's model id behind a rung, retired names mapped to today's."""
        return current_model(self.models[rung.value].id)[0]  # type: ignore[index]

    @property
    def coordinator(self) -> str:
        """The vendor's model id of the coordinator. What is no Claude model cannot be asked; then haiku's is."""
        named = current_model(self.model)[0] if self.model else ""
        return named if is_claude(named) else self.model_id(Rung.HAIKU)

    @property
    def paid_models(self) -> dict[str, str]:
        """Who pays for a model -> its id: each rung, and the coordinator."""
        return {**{name: self.model_id(Rung(name)) for name in self.models}, "the coordinator": self.coordinator}

    @property
    def patience(self) -> Patience:
        """How long to bear with a provider that fails."""
        policy = self.policy
        return Patience(
            backoff_seconds=policy.provider_backoff_seconds,
            rest_seconds=policy.provider_rest_seconds,
            batch_poll_seconds=policy.batch_poll_seconds,
        )

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
            daily_microusd=_micro(self.budgets.daily_usd),
            sprint_microusd=_micro(self.budgets.sprint_usd),
            yellow=self.budgets.yellow,
            red=self.budgets.red,
        )


def _micro(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars * 1_000_000)
