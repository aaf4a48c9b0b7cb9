"""Whether a provider rests, read from the ledger: tasks wait, and one call tries it again. domain.providers decides."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.project import Project
from bot.domain.providers import PROVIDER_OF, CallOutcome, Health, Healthy, Provider, Rest, health, rest_of
from bot.domain.task import Rung
from bot.store import outcomes, tasks
from bot.workflows.office import Office

#: How far back failures are looked for: longer than any rest, and than any call.
HORIZON = timedelta(days=1)


async def healths(office: Office, session: AsyncSession) -> dict[Provider, Health]:
    """How each provider is. One query where no call failed lately."""
    now = office.now()
    failed = await outcomes.failures(session, now - HORIZON)
    found: dict[Provider, Health] = {}
    for provider in Provider:
        times = [at for rung, at in failed if PROVIDER_OF[Rung(rung)] is provider]
        found[provider] = Healthy()
        if times:
            answered = await outcomes.last_answer(session, rungs_of(provider), now - HORIZON)
            history = [CallOutcome(at=at, answered=False) for at in times if answered is None or at > answered]
            found[provider] = health(history, now, office.patience)
    return found


async def rests(office: Office, session: AsyncSession, project: Project, but: int | None = None) -> dict[Rung, Rest]:
    """The rungs whose provider rests. `but`: the task that asks, which is not in its own way."""
    found: dict[Rung, Rest] = {}
    for provider, state in (await healths(office, session)).items():
        if isinstance(state, Healthy):
            continue
        reviews = provider is Provider.GEMINI
        tried = await outcomes.call_under_way(session, rungs_of(provider)) or await outcomes.task_at_work(
            session, rungs_of(provider), reviews=reviews, but=but
        )
        if rest := rest_of(provider, state, project.zone, being_tried=tried):
            found |= {rung: rest for rung, whose in PROVIDER_OF.items() if whose is provider}
    return found


async def hindrance(office: Office, session: AsyncSession, project: Project, rung: Rung) -> str | None:
    """Why no call may go out on this rung now; None where it may. After a rest, one call at a time may."""
    provider = PROVIDER_OF[rung]
    state = (await healths(office, session))[provider]
    if isinstance(state, Healthy):
        return None
    await tasks.lock_project(session, f"provider {provider}")
    tried = await outcomes.call_under_way(session, rungs_of(provider))
    rest = rest_of(provider, state, project.zone, being_tried=tried)
    return rest.why if rest and rest.probes <= 0 else None


async def is_resting(office: Office, session: AsyncSession, rung: Rung) -> bool:
    """Whether the rung's provider keeps failing."""
    return not isinstance((await healths(office, session))[PROVIDER_OF[rung]], Healthy)


def rungs_of(provider: Provider) -> tuple[str, ...]:
    return tuple(rung.value for rung, whose in PROVIDER_OF.items() if whose is provider)
