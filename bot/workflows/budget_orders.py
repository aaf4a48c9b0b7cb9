"""What leads do about limits, by command and by the buttons of an alert (R-APR: raise, reset, defer budgets).

Each is one transaction with its project event; what waited for budget starts at the foreman's next look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Action, Person
from bot.domain.budget import Level, LimitName, scope_of
from bot.domain.budget_waits import cheaper
from bot.domain.limit_orders import Order, defer_order, dollars_of, raise_order, without_raises
from bot.domain.prices import DOLLAR
from bot.domain.project import Project
from bot.domain.sprint import number_of
from bot.domain.task import ENDED, Route, Rung, TaskState
from bot.errors import UserMistake
from bot.store import limit_orders, project_events, sprints, tasks
from bot.store.tables import LimitOrderRow, TaskRow
from bot.workflows.attempts import move_to
from bot.workflows.budget_alerts import rewrite
from bot.workflows.budget_levels import levels_on
from bot.workflows.budget_waits import waits
from bot.workflows.deeds import Deed, doing, state_words
from bot.workflows.moves import back_to_work
from bot.workflows.office import Office
from bot.workflows.planning import need_lead


def no_dollars(limit: LimitName) -> str:
    setting = {"day": "budgets.daily_usd", "sprint": "budgets.sprint_usd"}.get(limit)
    where = f"; `{setting}` in the configuration would do that" if setting else ""
    return f"Dollars are not limited here{where}. Nothing was changed."


class Ordered(NamedTuple):
    """What an order came to: the limit as it is now, and the other limits that are at their red mark."""

    order: Order
    level: Level
    red: tuple[Level, ...]


class More(NamedTuple):
    """What a lead adds."""

    tokens: int = 0
    microusd: int = 0

    def __str__(self) -> str:
        dollars = [f"${self.microusd / DOLLAR:,.2f}"] if self.microusd else []
        return " and ".join([*([f"{self.tokens:,} tokens"] if self.tokens else []), *dollars])


class Moved(NamedTuple):
    """What a downgrade came to: (task id, new rung), and (task id, why not)."""

    moved: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]


async def raise_limit(
    office: Office, project: Project, person: Person, limit: LimitName, more: More, until: date | None,
    *, delivery_key: str, sprint: int | None = None,
) -> Ordered:  # fmt: skip
    """Add tokens or dollars to a limit, for the day or until a date; its deferral ends. Raises UserMistake."""
    need_lead(project, person)
    day = project.day(office.now())
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        number = await _sprint(session, project, sprint)
        order = raise_order(limit, more.tokens, until, today=day, sprint=number, who=person.id, microusd=more.microusd)
        if more.microusd and dollars_of(project.limits, limit) is None:
            raise UserMistake(no_dollars(limit))
        if await limit_orders.of_delivery(session, delivery_key) is None:  # a crash may have us work on it again
            await _end(office, session, project, day, limit, number, kinds=("defer",))
            await _give(office, session, project, order, delivery_key, f"{limit} raised by {more}", number)
        ordered = await _standing(office, session, project, order, number)
    office.nudge()
    return ordered


async def defer(
    office: Office, project: Project, person: Person, limit: LimitName, *, delivery_key: str, sprint: int | None = None
) -> Order:
    """Let what needs the limit wait until the next working day. Raises UserMistake."""
    need_lead(project, person)
    day = project.day(office.now())
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        number = await _sprint(session, project, sprint)
        order = defer_order(limit, today=day, sprint=number, days=project.working_days, who=person.id)
        known = [limit_orders.as_order(row) for row in await limit_orders.rows_of(session, project.key, day, limit)]
        if not any(each.kind == "defer" and each.holds(day, number) for each in known):
            await _give(office, session, project, order, delivery_key, f"{limit} deferred past {order.last}", number)
    office.nudge()
    return order


async def reset(office: Office, project: Project, person: Person, limit: LimitName | None) -> list[Order]:
    """Take back what was ordered about a limit, or about all; returns it. Raises UserMistake."""
    need_lead(project, person)
    day = project.day(office.now())
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        number = await _sprint(session, project, None)
        ended = await _end(office, session, project, day, limit, number, kinds=("raise", "defer"))
        scopes = {scope_of(project.key, order.limit, day, number) for order in ended}
        for scope in scopes:
            why = "put back to what is configured"
            project_events.note(session, project.key, at=office.now(), who=person.id, kind="budget_reset", why=why,
                                detail={"scope": scope})  # fmt: skip
        await rewrite(office, session, scopes)
    office.nudge()
    return ended


async def raise_task(office: Office, deed: Deed, tokens: int, *, delivery_key: str) -> int:
    """Add tokens to what a task has for each attempt; returns what that is now. One that was blocked for want of them
    goes on. Raises UserMistake."""
    async with doing(office, deed, Action.BUDGET, whole_project=True) as (session, row):
        if row.state in ENDED:
            raise UserMistake(f"{row.task_id} is {state_words(row)}; it needs no more tokens.")
        if row.route["rung"] == Rung.MANUAL:
            raise UserMistake(f"{row.task_id} is done by a person and costs no tokens.")
        if await limit_orders.of_delivery(session, delivery_key) is None:
            day = office.projects[row.project].day(office.now())
            order = _row(office, row.project, delivery_key, "raise", row.task_id, day, None, deed.person.id)
            order.tokens, order.had, order.rung = tokens, row.token_budget, row.route["rung"]
            session.add(order)
            row.token_budget += tokens
            why = f"budget raised by {tokens:,} to {row.token_budget:,} tokens an attempt"
            await _after_task(office, session, row, deed, why)
        return row.token_budget


async def reset_task(office: Office, deed: Deed) -> tuple[int, int]:
    """Take back what was added to a task's budget; (tokens taken back, what it has now). Raises UserMistake."""
    async with doing(office, deed, Action.BUDGET, whole_project=True) as (session, row):
        day = office.projects[row.project].day(office.now())
        added = await limit_orders.rows_of(session, row.project, day, row.task_id)
        if not added:
            return 0, row.token_budget
        await limit_orders.end(session, [each.id for each in added], office.now())
        had = row.token_budget
        row.token_budget = _without(office.projects[row.project], row, added)
        why = f"budget put back by {had - row.token_budget:,} to {row.token_budget:,} tokens an attempt"
        await tasks.note(session, row, at=office.now(), who=deed.person.id, kind="budget_reset", why=why)
        return had - row.token_budget, row.token_budget


def _without(project: Project, row: TaskRow, added: Sequence[LimitOrderRow]) -> int:
    """What the task would have without these raises, oldest first."""
    usual, now, first = project.limits.task, Rung(row.route["rung"]), added[0]
    if first.had is None or first.rung is None:  # by an Orch that did not write it down
        return max(0, row.token_budget - sum(each.tokens for each in added)) or usual.get(now, 0)
    then = Rung(first.rung)
    return without_raises(first.had, usual.get(then, 0), usual.get(now, 0), moved=then is not now)


async def downgrade(
    office: Office, project: Project, person: Person, limit: LimitName, *, sprint: int | None = None
) -> Moved:
    """Let tasks that wait for this limit go to the rung below, where the floor allows (R-SEC-1). Raises UserMistake."""
    need_lead(project, person)
    now = office.now()
    moved: list[tuple[str, str]] = []
    kept: list[tuple[str, str]] = []
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        number = await _sprint(session, project, sprint)
        rows = await tasks.in_project(session, project.key)
        short = await waits(office, session, project, rows)
        for row in rows:
            if row.task_id not in short or short[row.task_id].limit != limit:
                continue
            row = await tasks.lock(session, row.pk)
            if row.state != TaskState.QUEUED:  # somebody was faster
                continue
            to = cheaper(Route.model_validate(row.route))
            if not isinstance(to, Rung):
                kept.append((row.task_id, to))
                continue
            was = Rung(row.route["rung"])
            if row.token_budget == project.limits.task.get(was, 0):  # nobody asked for another
                row.token_budget = project.limits.task.get(to, 0)
            why = f"goes to {to} for want of budget at {was}"
            move_to(office, row, to, why, "R-BUD-3")
            row.waits_for, row.needs_tokens, row.needs_microusd = None, 0, 0
            await tasks.note(session, row, at=now, who=person.id, kind="downgraded", why=why,
                             detail={"rule": "R-BUD-3"})  # fmt: skip
            moved.append((row.task_id, to.value))
        detail: dict[str, Any] = {"moved": moved, "kept": kept}
        scope = scope_of(project.key, limit, project.day(now), number)
        why = f"{len(moved)} to a cheaper model, {len(kept)} could not go"
        project_events.note(session, project.key, at=now, who=person.id, kind="budget_downgrade", why=why,
                            detail={"scope": scope, **detail})  # fmt: skip
        await rewrite(office, session, {scope})
    office.nudge()
    return Moved(tuple(moved), tuple(kept))


async def _sprint(session: AsyncSession, project: Project, number: int | None) -> int:
    """The sprint that an order is about: the one that is open, where none is named."""
    if number is not None:
        return number
    return number_of(await sprints.open_now(session, project.key))


async def _give(
    office: Office, session: AsyncSession, project: Project, order: Order, delivery_key: str, why: str, sprint: int
) -> None:
    row = _row(office, project.key, delivery_key, order.kind, order.limit, order.first, order.last, order.who)
    row.sprint, row.tokens, row.microusd = order.sprint, order.tokens, order.microusd
    session.add(row)
    scope = scope_of(project.key, order.limit, order.first, sprint)
    said = {"tokens": order.tokens, "microusd": order.microusd, "last": order.last.isoformat() if order.last else None}
    project_events.note(session, project.key, at=office.now(), who=order.who, kind=f"budget_{order.kind}", why=why,
                        detail={"scope": scope, **said})  # fmt: skip
    await rewrite(office, session, {scope})


def _row(
    office: Office, project: str, key: str, kind: str, limit: str, first: date, last: date | None, who: str
) -> LimitOrderRow:
    return LimitOrderRow(
        delivery_key=key, project=project, kind=kind, limit=limit, first=first, last=last, who=who, at=office.now()
    )


async def _end(
    office: Office, session: AsyncSession, project: Project, day: date, limit: LimitName | None, sprint: int,
    *, kinds: Sequence[str],
) -> list[Order]:  # fmt: skip
    rows = await limit_orders.rows_of(session, project.key, day, limit)
    found = [
        (row.id, order)
        for row in rows
        if row.limit.islower() and (order := limit_orders.as_order(row)).kind in kinds and order.holds(day, sprint)
    ]
    await limit_orders.end(session, [id for id, _ in found], office.now())
    return [order for _, order in found]


async def _standing(office: Office, session: AsyncSession, project: Project, order: Order, sprint: int) -> Ordered:
    await session.flush()
    levels = await levels_on(session, project, sprint, project.day(office.now()))
    others = [level for name, level in levels.items() if name != order.limit and level.limit.tokens]
    red = tuple(level for level in others if level.share >= project.limits.red)
    return Ordered(order, levels[order.limit], red)


async def dollars_now(office: Office, project: Project, limit: LimitName, sprint: int | None) -> int | None:
    """What a limit may cost today, raises included, in micro-dollars; None where dollars are not limited."""
    async with office.db.read() as session:
        number = await _sprint(session, project, sprint)
        day = project.day(office.now())
        return dollars_of(await limit_orders.limits_on(session, project.limits, project.key, number, day), limit)


async def _after_task(office: Office, session: AsyncSession, row: TaskRow, deed: Deed, why: str) -> None:
    """The event; and a task that stood still for want of its own budget goes on."""
    newest = await tasks.newest_event(session, row.pk)
    row.needs_tokens = row.needs_microusd = 0
    if row.state == TaskState.BLOCKED and newest.detail.get("budget"):
        await back_to_work(office, session, row, deed.person.id, "budget_raise", why)
        return
    await tasks.note(session, row, at=office.now(), who=deed.person.id, kind="budget_raise", why=why)
