"""What a person's Home shows: their tasks, page by page, and each project's day. Facts only; the template says them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Person
from bot.domain.blockers import Kind
from bot.domain.card import Button
from bot.domain.escalation import proposed_in
from bot.domain.home import PAGE, Group, Mine, buttons_of, group_of, pages_of
from bot.domain.metrics import Metric
from bot.domain.project import Project
from bot.domain.task import TaskState
from bot.store import blockers, tasks
from bot.store.parts import parts_of
from bot.store.tables import BlockerRow, TaskRow
from bot.workflows import scheduling
from bot.workflows.budget_levels import counters
from bot.workflows.measuring import measured
from bot.workflows.office import Office

#: Projects whose day is shown; each takes three blocks.
DAYS_SHOWN = 6
#: The metrics of the one line, the most telling first.
HEADLINES = ("saving", "first_attempt", "unblock_time", "cost_per_merge")
GROUPS = tuple(Group)


@dataclass(frozen=True)
class Entry:
    """One task on somebody's Home."""

    group: Group
    project: Project
    row: TaskRow
    mine: Mine
    blockers: Sequence[BlockerRow]


async def home(office: Office, person: Person, number: int = 0) -> dict[str, Any]:
    """One page; pages count from 0, and beyond the end it is the last one."""
    entries: list[Entry] = []
    states: dict[str, Counter[str]] = {}
    async with office.db.read() as session:
        for project in office.projects.values():
            found = await _known(session, project)
            states[project.key] = Counter(row.state for row, _, _ in found)
            entries += [
                Entry(group, project, row, mine, stuck)
                for row, mine, stuck in found
                if (group := group_of(person.id, project.team, mine))
            ]
        entries.sort(key=_place)
        pages = pages_of(len(entries))
        number = min(max(number, 0), pages - 1)
        shown = entries[number * PAGE : (number + 1) * PAGE]
        items = [(entry, await _buttons(session, person, entry)) for entry in shown]
    listed = list(office.projects.values())
    return {
        "items": items,
        "counts": Counter(entry.group.value for entry in entries),
        "several": len(listed) > 1,
        "page": number,
        "pages": pages,
        "days": [await _day(office, project, states[project.key]) for project in listed[:DAYS_SHOWN]],
        "more_projects": max(0, len(listed) - DAYS_SHOWN),
        "barred": person.barred,
    }


def _place(entry: Entry) -> tuple[int, bool, int]:
    """Where it stands on the page: by why it is there, critical ones first, what has waited longest first."""
    critical = entry.row.priority == "critical" or any(each.critical for each in entry.blockers)
    return GROUPS.index(entry.group), not critical, entry.row.pk


async def _known(session: AsyncSession, project: Project) -> list[tuple[TaskRow, Mine, Sequence[BlockerRow]]]:
    """The project's open tasks, and what decides whom they concern."""
    rows = await tasks.in_project(session, project.key)
    stuck: dict[int, list[BlockerRow]] = defaultdict(list)
    for each in (await blockers.open_ones(session, project.key)).values():
        if each.kind != Kind.APPROVAL:  # it is on the Home of whoever can give it anyway
            stuck[each.task_pk].append(each)
    waiting = [row.pk for row in rows if row.state == TaskState.AWAITING_APPROVAL]
    approved = await blockers.approvals_of(session, waiting)
    return [
        (
            row,
            Mine(
                task=tasks.as_task(row),
                approved_by=tuple(a.person for a in approved.get(row.pk, ()) if a.head_commit == row.head_commit),
                blocked=bool(stuck[row.pk]),
                told=tuple(told.who for each in stuck[row.pk] for told in blockers.told_of(each)),
            ),
            stuck[row.pk],
        )
        for row in rows
    ]


async def _buttons(session: AsyncSession, person: Person, entry: Entry) -> tuple[Button, ...]:
    propose, was_split = None, False
    if entry.group is Group.BLOCKED:
        stands = (await tasks.standing_event(session, entry.row)).detail
        propose = proposed_in(stands)
        was_split = bool(await parts_of(session, entry.row))
    return buttons_of(
        entry.group, person, entry.project.team, entry.mine, proposed=propose, was_split=was_split
    )  # fmt: skip


async def _day(office: Office, project: Project, states: Counter[str]) -> dict[str, Any]:
    """One project's day: budget gauges, the board by state, the next post, and how it goes."""
    coming = [slot for _, slot in (await scheduling.show(office, project)).next if slot]
    async with office.db.read() as session:
        now = await counters(office, session, project)
        found = await measured(session, project, office.now(), office.price)
    gauges = (("today", now.today), (f"sprint {now.sprint_number}", now.sprint))
    return {
        "project": project,
        "levels": [(name, level) for name, level in gauges if level.limit.tokens],
        "states": [(state.value, states[state.value]) for state in TaskState if states[state.value]],
        "next": min(coming, key=lambda slot: slot.at, default=None),
        "metrics": headlines(found),
    }


def headlines(found: Sequence[Metric]) -> list[Metric]:
    """The few metrics of the one line, those that were measured."""
    by_name = {metric.name: metric for metric in found}
    return [by_name[name] for name in HEADLINES if by_name[name].value is not None]
