"""The whole config file: its sections under the plan's own keys (R-MSG-5), and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import Field, model_validator

from bot.config.sections import Budgets, ModelSettings, Policy, Project, Sandbox, Schedule, Section
from bot.config.values import RungName, Tokens
from bot.domain.budget import LEAN, DayBudget, Limits
from bot.domain.models import CURRENT, current_model, is_claude
from bot.domain.prices import DOLLAR, price_from_dollars
from bot.domain.prices import Price as ModelPrice
from bot.domain.providers import Patience
from bot.domain.task import Rung

#: Today's model behind each rung, where the file names no other.
DEFAULT_MODELS: dict[RungName, dict[str, Any]] = {rung: {"id": CURRENT[rung]} for rung in get_args(RungName)}


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
    def gemini_reviews(self) -> Config:
        if is_claude(self.light_reviewer):  # R-SEC-4: only gemini's verdict permits a merge
            raise ValueError("policy.light_reviewer must be a gemini model")
        return self

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
        named = [self.model, self.escalation_to, self.policy.light_reviewer, *(m.id for m in self.models.values())]
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
    def light_reviewer(self) -> str:
        """The model id of the lighter reviewer; empty where there is none."""
        named = self.policy.light_reviewer
        return current_model(named)[0] if named else ""

    @property
    def paid_models(self) -> dict[str, str]:
        """Who pays for a model -> its id: each rung, the coordinator, and the lighter reviewer."""
        light = {"the light reviewer": self.light_reviewer} if self.light_reviewer else {}
        rungs: dict[str, str] = {name: self.model_id(Rung(name)) for name in self.models}
        return {**rungs, "the coordinator": self.coordinator, **light}

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
    return None if dollars is None else round(dollars * DOLLAR)
