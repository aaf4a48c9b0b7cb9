"""A production incident (R-ESC-6): opus is proposed at once, a person mends it by hand, and all who must know do."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Person
from bot.domain.assign import AssignRequest
from bot.domain.project import Project
from bot.domain.task import Route, Rung, TaskState, TaskType
from bot.store import outbox, tasks
from bot.store.tables import TaskRow
from bot.workflows import reach
from bot.workflows.intake import new_row, number_and_create, place, route_request
from bot.workflows.office import ORCH, Office

RULE = "R-ESC-6"


async def report_incident(
    office: Office, project: Project, what: str, person: Person, *, delivery_key: str
) -> tuple[TaskRow, TaskRow]:
    """(opus's task, which waits for an approver's click; the person's task). The same delivery again returns what it
    made."""
    what = office.redact(what)
    async with office.db.begin() as session:
        await tasks.lock_project(session, project.key)
        by_hand_key = f"{delivery_key}#by-hand"
        made = await tasks.of_delivery(session, delivery_key)
        also = await tasks.of_delivery(session, by_hand_key)
        if made is not None and also is not None:
            return made, also
        fix = await _create(office, session, project, what, person, Rung.OPUS, delivery_key)
        by_hand = await _create(office, session, project, what, person, Rung.MANUAL, by_hand_key)
        why = "an incident: opus is proposed at once, and needs an approver's click"
        told = await _alert(office, session, project, what, person, fix, by_hand)
        await tasks.step(session, fix, TaskState.BLOCKED, at=office.now(), who=ORCH, why=why,
                         detail={"rule": RULE, "propose": Rung.OPUS, "told": told})  # fmt: skip
    office.nudge()
    return fix, by_hand


def who_must_know(project: Project) -> tuple[str, ...]:
    """Every lead and approver, once."""
    team = project.team
    return tuple(dict.fromkeys((*team.leads, *team.who_approves, *team.who_approves_security)))


async def _create(
    office: Office, session: AsyncSession, project: Project, what: str, person: Person, rung: Rung, key: str
) -> TaskRow:
    manual = rung is Rung.MANUAL
    leads = project.team.leads
    request = AssignRequest(
        text=what,
        type=TaskType.OPS if manual else TaskType.DEBUG,
        model=rung,
        priority="critical",
        owner=leads[0] if manual and leads else person.id,
    )
    reason = "A production incident: a person mends it by hand" if manual else "A production incident: opus at once"
    said = {"reason": f"{reason}.", "rule": RULE, "complexity": "critical", "confidence": 1.0}
    chosen: Route = route_request(office, project, request).model_copy(update=said)
    row = new_row(office, project, request, chosen, person.id, key)
    row.sprint, row.day = await place(session, project, request, office.now())
    await number_and_create(session, row, who=person.id, why=f"incident, to {rung}")
    return row


async def _alert(
    office: Office, session: AsyncSession, project: Project, what: str, person: Person, fix: TaskRow, by_hand: TaskRow
) -> list[str]:
    """The channel at once, naming everybody who must know, and a message to each of them (R-DAY-4); returns who knows
    by that, who reported it included."""
    known = who_must_know(project)
    facts = {"what": what, "who": person.id, "people": known, "fix": fix, "by_hand": by_hand}
    message = office.render.message("alerts/incident", facts)
    key = f"incident/{project.key}/{fix.task_id}"
    await outbox.want(session, key, "channel", project.channel, message, office.now())
    for each in known:
        await reach.write(office, session, project.key, each, f"{key}/{each}", message, at_once=True)
    return list(dict.fromkeys((project.channel, person.id, *known)))
