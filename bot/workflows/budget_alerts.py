"""Budget alerts (R-BUD-3): wanted in the transaction that crossed the mark, once, in the channel and to the leads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.budget import Limit, Refused, in_percent
from bot.domain.budget_alerts import Alert, before, crossed, exhausted
from bot.domain.project import Project
from bot.store import ledger, outbox, project_events, taken
from bot.store.tables import CallRow, OutboxRow, ProjectEventRow
from bot.workflows import reach
from bot.workflows.office import ORCH, Office

#: The event of an alert; its `detail` holds what the message shows.
KIND = "budget_alert"
#: The events of what leads do about one.
DEEDS = ("budget_raise", "budget_defer", "budget_downgrade", "budget_reset")
#: How long an alert may still be acted on: a sprint's period ends with the sprint.
REMEMBERED = timedelta(days=60)


async def after_reservation(
    office: Office, session: AsyncSession, project: Project, limits: Sequence[Limit], tokens: int, microusd: int
) -> None:
    """Alert where this reservation, made in this transaction, crossed a mark. The counters are read after it, and it
    holds them: whoever crosses the mark is one."""
    marks = {"yellow": project.limits.yellow, "red": project.limits.red}
    for level in await ledger.levels(session, [limit for limit in limits if limit.kind]):
        alert = crossed(before(level, tokens, microusd), level, **marks)
        if alert is not None:
            await _want(office, session, project, alert)


async def after_refusal(office: Office, session: AsyncSession, project: Project, refused: Refused) -> None:
    """Work has to wait for this limit: its leads hear of it, once."""
    alert = exhausted(refused.level)
    if alert is not None:
        await _want(office, session, project, alert, needed=refused.needed)


async def _want(office: Office, session: AsyncSession, project: Project, alert: Alert, needed: int = 0) -> None:
    dearer = alert.model_copy(update={"mark": "red"})
    if await session.get(OutboxRow, f"{dearer.key}/channel"):
        return  # red was said, and says all that yellow does
    level = alert.level
    detail = {
        "key": alert.key, "mark": alert.mark, "limit": alert.limit, "scope": level.limit.scope,
        "name": level.limit.name, "taken": level.taken, "tokens": level.limit.tokens,
        "period": level.limit.scope.split("/")[2], "taken_microusd": level.taken_microusd,
        "microusd": level.limit.microusd, "share": level.share, "needed": needed,
    }  # fmt: skip
    message = await _message(office, session, project, detail, ())
    now = office.now()
    if not await outbox.want(session, f"{alert.key}/channel", "channel", project.channel, message, now):
        return
    for person in sorted(leads_of(project)):  # one order, since projects share what waits for their mornings
        await reach.write(office, session, project.key, person, f"{alert.key}/{person}", message)
    why = f"{level.limit.name}: {in_percent(level.share)} taken"
    project_events.note(session, project.key, at=now, who=ORCH, kind=KIND, why=why, detail=detail)


def leads_of(project: Project) -> tuple[str, ...]:
    return project.team.leads or project.team.approvers


async def _message(
    office: Office, session: AsyncSession, project: Project, alert: dict[str, Any], deeds: Iterable[ProjectEventRow]
) -> dict[str, Any]:
    """The alert as it is now: what was done about it takes the place of its buttons. What calls of unknown outcome hold
    may be far more than they took, and only a person can find out."""
    done = list(deeds)
    kinds = {deed.kind for deed in done}
    buttons = [
        (action, label)
        for action, label in (("budget_raise", "Raise"), ("budget_defer", "Defer"), ("budget_downgrade", "Downgrade"))
        if action not in kinds
        and "budget_raise" not in kinds
        and (action != "budget_downgrade" or alert["limit"] not in ("haiku", "gemini"))
    ]
    unknown = await taken.unknown(session, alert["scope"])
    facts = {"project": project.key, "alert": alert, "deeds": done, "buttons": buttons, "unknown": len(unknown),
             "unknown_tokens": sum(call.used_tokens for call in unknown)}  # fmt: skip
    return office.words_of(project.key).message("alerts/budget", facts)


async def show_unknown(office: Office, session: AsyncSession, calls: Iterable[CallRow]) -> None:
    """Show on the alerts of what these calls count against that the outcome of some became unknown, or known."""
    await rewrite(office, session, {scope for call in calls for scope in call.scopes})


async def close_left(office: Office, session: AsyncSession, calls: Iterable[CallRow], why: str) -> None:
    """Close calls that nobody works on any more (store.ledger.close_left), and show what they hold."""
    await show_unknown(office, session, await ledger.close_left(session, calls, at=office.now(), why=why))


async def rewrite(office: Office, session: AsyncSession, scopes: Collection[str]) -> None:
    """Show on every alert about these limits what was done about it since. Called where that was noted. All alerts are
    locked before what they tell is read: of two that tell at a time neither hides the other's word, or waits for it
    in a circle."""
    await session.flush()
    now = office.now()
    remembered = (now - REMEMBERED, now + timedelta(days=1))
    projects = [office.projects[key] for key in {scope.partition("/")[0] for scope in scopes} if key in office.projects]
    alerts = [
        (project, event.detail, event.id)
        for project in projects
        for event in await project_events.between(session, project.key, *remembered, (KIND,))
        if event.detail.get("scope") in scopes
    ]
    await outbox.lock(session, [key for project, alert, _ in alerts for key in _keys(project, alert)])
    done = {project.key: await project_events.between(session, project.key, *remembered, DEEDS) for project in projects}
    messages: dict[str, dict[str, Any]] = {}
    for project, alert, since in alerts:
        of_limit = [event for event in done[project.key] if event.detail.get("scope") == alert["scope"]]
        deeds = [event for event in of_limit if event.id > since]
        message = await _message(office, session, project, alert, deeds)
        messages |= dict.fromkeys(_keys(project, alert), message)
    await reach.rewrite_all(office, session, messages)


def _keys(project: Project, alert: dict[str, Any]) -> list[str]:
    return [f"{alert['key']}/{to}" for to in ("channel", *leads_of(project))]
