"""The file of `orch simulate --policy`: what differs from the configuration, and what is assumed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config import Budgets, Config, Section
from bot.config.values import Date, RungName, Tokens
from bot.domain.simulation_model import Assumptions

LEANINGS = ("haiku_first", "batch_low_priority", "batch_by_deadline", "batch_reviews", "light_reviewer")
Positive = Annotated[int, Field(ge=1, le=1_000_000_000)]


class PolicyFile(Section):
    """Every key may be left away; what is not said is as configured."""

    budgets: Budgets | None = Field(None, description="in place of the configured ones")
    token_budget_daily: Tokens | None = Field(None, description="tokens a day, all rungs together")
    token_budget_sprint: Tokens | None = Field(None, description="tokens a sprint")
    concurrency: dict[RungName, Positive] = Field({}, description="attempts at once, by rung")
    max_attempts: dict[RungName, Positive] = Field({}, description="failed attempts before the next rung")
    task_budget: dict[RungName, Positive] = Field({}, description="tokens per attempt")
    haiku_first: bool | None = Field(None, description="try the cheapest rung where the matrix allows it")
    batch_low_priority: bool | None = Field(None, description="low priority waits in the provider's batch")
    batch_by_deadline: bool | None = Field(None, description="so does work whose deadline leaves the time")
    batch_reviews: bool | None = Field(None, description="gemini's calls for either wait in batches, too")
    light_reviewer: str | None = Field(None, description="a cheaper gemini model for what is not security-critical")
    start: Date | None = Field(None, description="first day; default the next working day")
    assumptions: Assumptions = Field(Assumptions(), description="how models and people behave")

    def over(self, config: Config) -> Config:
        """The configuration with what this file changes. Raises ValidationError."""
        said = {
            name: getattr(self, name)
            for name in ("budgets", "token_budget_daily", "token_budget_sprint")
            if getattr(self, name) is not None
        }
        models = {
            name: model.model_copy(
                update={
                    key: table[name]
                    for key, table in (
                        ("concurrency", self.concurrency), ("max_attempts", self.max_attempts),
                        ("task_budget", self.task_budget),
                    )
                    if name in table
                }
            )
            for name, model in config.models.items()
        }  # fmt: skip
        leanings = {name: getattr(self, name) for name in LEANINGS if getattr(self, name) is not None}
        policy = config.policy.model_copy(update=leanings)
        return config.model_copy(update={**said, "models": models, "policy": policy})
