"""What a call took whose outcome nobody knew: said by a lead, once, with the counters in the same transaction."""

from __future__ import annotations

from bot.domain.approvals import Person
from bot.domain.project import Project
from bot.errors import UserMistake
from bot.store import ledger, project_events, tasks
from bot.store.tables import CallRow
from bot.workflows.office import Office
from bot.workflows.planning import need_lead


async def correct(office: Office, project: Project, person: Person, call_id: str, tokens: int) -> CallRow:
    """Charge what the call took in place of its whole reservation. Raises UserMistake; then nothing was changed."""
    need_lead(project, person)
    now = office.now()
    async with office.db.begin() as session:
        call = await session.get(CallRow, call_id)
        if call is None or not call_id.startswith(f"{project.key}/"):
            raise UserMistake(f"There is no call {call_id} in {project.key}. `/orch why ID` shows those of a task.")
        row = await tasks.lock(session, call.task_pk)
        await session.refresh(call)
        charged = call.used_tokens
        if call.state == "corrected" and call.used_tokens == tokens:
            return call  # a double delivery
        if not await ledger.correct(session, call, tokens):
            raise UserMistake(f"{call_id} is {_words(call)}; only a call whose outcome is unknown can be corrected.")
        why = f"{call_id} took {tokens:,} tokens, not the {charged:,} that were charged"
        detail = {"call": call_id, "was": charged, "tokens": tokens}
        await tasks.note(session, row, at=now, who=person.id, kind="call_corrected", why=why, detail=detail)
        project_events.note(session, project.key, at=now, who=person.id, kind="call_corrected", why=why, detail=detail)
        await session.refresh(call)
    office.nudge()
    return call


def _words(call: CallRow) -> str:
    open_call = "still under way"
    return {"intent": open_call, "sent": open_call, "corrected": "corrected already"}.get(call.state, call.state)
