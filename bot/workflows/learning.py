"""What the project's earlier tasks teach the router, asked of the database once for each routing (domain.history)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import prices
from bot.domain.history import History, history_of
from bot.domain.plan_budget import TERSE_REVIEW
from bot.domain.prices import Price
from bot.domain.project import Project
from bot.domain.routing import EXPECTED_TOKENS, LEARNABLE
from bot.domain.task import Rung
from bot.store.history import past_attempts

#: Older tasks say little of today's models; what failed long ago gets another chance so.
LOOK_BACK = timedelta(days=90)


async def learned(
    session: AsyncSession, project: Project, price: Callable[[str, date], Price], now: datetime
) -> History | None:
    """What is known; None where the project does not want it used."""
    if not (project.learn_from_history and project.haiku_first):
        return None
    day = project.day(now)

    def usual(rung: Rung, tokens: int) -> int:
        return prices.expected_cost(tokens, price(project.models[rung], day))

    review = usual(Rung.GEMINI, TERSE_REVIEW)
    return history_of(
        await past_attempts(session, project.key, LEARNABLE, now - LOOK_BACK),
        {rung: usual(rung, EXPECTED_TOKENS[rung]) + review for rung in (Rung.HAIKU, Rung.SONNET)},
    )
