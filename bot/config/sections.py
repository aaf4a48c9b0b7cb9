"""The sections of the config file as values. Each key stands beside its default and its meaning; `orch init` writes
the same words as comments, and bot/config/file.py reads the file and explains what is wrong with one."""

from __future__ import annotations

from typing import Annotated, Literal
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
    WeekdayClock,
    Zone,
)
from bot.domain.models import CURRENT
from bot.domain.slots import KINDS, Times
from bot.domain.working_days import Weekday


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
    batch_by_deadline: bool = Field(
        False, description="so does work whose deadline leaves the time; what is critical never does"
    )
    batch_reviews: bool = Field(False, description="gemini's reviews and reports of such work wait in batches, too")
    light_reviewer: str | None = Field(
        None,
        description="a cheaper gemini model for reviews and reports of what is not security-critical",
        examples=[CURRENT["gemini-flash-lite"]],
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
    retention_days: int = Field(
        90, ge=0, le=36_500, description="bodies of messages and calls of finished work are kept so long; 0 = for ever"
    )


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
