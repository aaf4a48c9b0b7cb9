"""What calls took whose outcome nobody knew: said by a lead, once, with the counters in the same transaction."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.approvals import Person
from bot.domain.budget import Level, LimitName
from bot.domain.project import Project
from bot.domain.sprint import number_of
from bot.errors import UserMistake
from bot.store import ledger, project_events, sprints, taken, tasks
from bot.store.tables import CallRow
from bot.workflows.budget_alerts import show_unknown
from bot.workflows.budget_levels import levels_on
from bot.workflows.office import Office
from bot.workflows.planning import need_lead


class Corrected(NamedTuple):
    """What a correction of several calls came to: how many, the tokens that it gave free, the limit as it is now."""

    calls: int
    freed: int
    level: Level


async def correct(office: Office, project: Project, person: Person, call_id: str, tokens: int) -> CallRow:
    """Charge what the call took in place of its whole reservation. Raises UserMistake; then nothing was changed."""
    need_lead(project, person)
    async with office.db.begin() as session:
        call = await session.get(CallRow, call_id)
        if call is None or not call_id.startswith(f"{project.key}/"):
            raise UserMistake(f"There is no call {call_id} in {project.key}. `/orch why ID` shows those of a task.")
        if not await _correct(office, session, call, person, tokens):
            if call.state == "corrected" and call.used_tokens == tokens:
                return call  # a double delivery
            raise UserMistake(f"{call_id} is {_words(call)}; only a call whose outcome is unknown can be corrected.")
    office.nudge()
    return call


async def correct_all(office: Office, project: Project, person: Person, limit: LimitName, tokens: int) -> Corrected:
    """The same for every call of unknown outcome that counts against this limit now: each took so many, and at most
    what it was charged. Raises UserMistake where there is none."""
    need_lead(project, person)
    before = await _level(office, project, limit)
    async with office.db.read() as session:
        found = await taken.unknown(session, before.limit.scope)
    done = freed = 0
    for each in found:  # one transaction each, since each holds its own task
        async with office.db.begin() as session:
            call = await session.get_one(CallRow, each.id)
            if await _correct(office, session, call, person, min(tokens, each.used_tokens)):
                done, freed = done + 1, freed + each.used_tokens - call.used_tokens
    if not done:
        raise UserMistake(
            f"No call that counts against {before.limit.name} has an unknown outcome, so nothing was changed.",
            "/orch budget",
        )
    office.nudge()
    return Corrected(done, freed, await _level(office, project, limit))


async def _correct(office: Office, session: AsyncSession, call: CallRow, person: Person, tokens: int) -> bool:
    """False, and nothing changed, where its outcome is not unknown, or not any more."""
    row = await tasks.lock(session, call.task_pk)
    await session.refresh(call)
    charged = call.used_tokens
    if not await ledger.correct(session, call, tokens):
        return False
    why = f"{call.id} took {tokens:,} tokens, not the {charged:,} that were charged"
    detail = {"call": call.id, "was": charged, "tokens": tokens}
    now, who, kind = office.now(), person.id, "call_corrected"
    await tasks.note(session, row, at=now, who=who, kind=kind, why=why, detail=detail)
    project_events.note(session, row.project, at=now, who=who, kind=kind, why=why, detail=detail)
    await session.refresh(call)
    await show_unknown(office, session, [call])
    return True


async def _level(office: Office, project: Project, limit: LimitName) -> Level:
    async with office.db.read() as session:
        number = number_of(await sprints.open_now(session, project.key))
        return (await levels_on(session, project, number, project.day(office.now())))[limit]


def _words(call: CallRow) -> str:
    open_call = "still under way"
    return {"intent": open_call, "sent": open_call, "corrected": "corrected already"}.get(call.state, call.state)
